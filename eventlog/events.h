/*
 * events.h - events.def as C structs, ids and tables.
 *
 * `struct el_<name>` holds one event or cell. Its first EL_FIXED_<name> bytes are those of the
 * record; a text or sequence at the end of the record is a pointer in the struct: a writer sets it,
 * a reader lets it point into its own buffer.
 */
#ifndef EVENTLOG_EVENTS_H
#define EVENTLOG_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "eventlog/kinds.h"

/* A change of major says that a reader of the old one cannot find its way in the new one. Anything
 * that the metadata describes (events and fields added or gone) is a change of minor. */
#define EL_VERSION_MAJOR 1
#define EL_VERSION_MINOR 3

#define EL_EVENT(name, id, class, text, fields)                                                    \
    struct el_##name {                                                                             \
        fields                                                                                     \
    };
#define EL_U32(n, t)      uint32_t n;
#define EL_I32(n, t)      int32_t n;
#define EL_U64(n, t)      uint64_t n;
#define EL_I64(n, t)      int64_t n;
#define EL_ARR32(n, c, t) uint32_t n[c];
#define EL_ARR64(n, c, t) uint64_t n[c];
#define EL_STR(n, t)      const char *n; /* NULL is written as "" */
#define EL_SEQ64(n, t)                                                                             \
    uint64_t n##_count;                                                                            \
    const uint64_t *n;
#include "eventlog/events.def"

enum el_id {
#define EL_EVENT(name, id, class, text, fields) EL_ID_##name = (id),
#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
#include "eventlog/events.def"
};

/* Bytes of the record before its text or sequence. */
enum {
#define EL_EVENT(name, id, class, text, fields) EL_FIXED_##name = 0 fields,
#define EL_U32(n, t)                            +4
#define EL_I32(n, t)                            +4
#define EL_U64(n, t)                            +8
#define EL_I64(n, t)                            +8
#define EL_ARR32(n, c, t)                       +4 * (c)
#define EL_ARR64(n, c, t)                       +8 * (c)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
#include "eventlog/events.def"
};

/* The record's fields have no gaps, and its tail starts aligned. */
#define EL_EVENT(name, id, class, text, fields)                                                    \
    _Static_assert((id) > 0 && (id) < 256, #name ": id");                                          \
    _Static_assert(EL_FIXED_##name % 8 == 0, #name ": pair the 32-bit fields");                    \
    _Static_assert(sizeof(struct el_##name) == EL_FIXED_##name fields, #name ": gap in the "       \
                                                                             "struct");
#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)   +sizeof(const char *)
#define EL_SEQ64(n, t) +sizeof(uint64_t) + sizeof(const uint64_t *)
#include "eventlog/events.def"

enum el_class { EL_CLASS_EVENT, EL_CLASS_CELL };

enum el_type {
    EL_TYPE_U32,
    EL_TYPE_I32,
    EL_TYPE_U64,
    EL_TYPE_I64,
    EL_TYPE_STR,  /* in the struct: const char * */
    EL_TYPE_SEQ64 /* in the struct: uint64_t count, const uint64_t * */
};

struct el_field_info {
    const char *name;
    enum el_type type;
    uint32_t count; /* length of an array, 1 for others */
    const char *text;
};

struct el_event_info {
    const char *name;
    uint32_t id;
    enum el_class class;
    uint32_t fixed_bytes;  /* of the record before its tail */
    uint32_t struct_bytes; /* of struct el_<name> */
    uint32_t nfields;
    const struct el_field_info *fields; /* in the record's order, without gaps */
    const char *text;
};

/* Any event or cell, as decoded. */
union el_any {
#define EL_EVENT(name, id, class, text, fields) struct el_##name name;
#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
#include "eventlog/events.def"
};

/* Every event of events.def, in its order; el_infos_count of them. */
extern const struct el_event_info el_infos[];
extern const uint32_t el_infos_count;

/* NULL when events.def has no such id, or name. */
const struct el_event_info *el_find_info(uint32_t id);
const struct el_event_info *el_find_info_named(const char *name);

/* Bytes of one value of that type in the record; 0 for STR and SEQ64. */
uint32_t el_type_bytes(enum el_type type);

#endif
