/*
 * layout.h - what the metadata of a record says: version, clock, and where each field lies.
 *
 * Reads the TSDL that this project writes, of any minor version; it is no general TSDL parser.
 */
#ifndef EVENTLOG_LAYOUT_H
#define EVENTLOG_LAYOUT_H

#include "eventlog/reader.h"

#define EL_LAYOUT_FIELDS 64

struct el_layout_field {
    uint32_t count;  /* values in the record, 1 for no array */
    uint32_t bytes;  /* of one value in the record */
    int32_t to;      /* offset in the struct of events.h, -1: not known here */
    uint32_t copies; /* values that have room there */
};

/* One event of the record. */
struct el_layout {
    const struct el_event_info *info; /* NULL when this version does not know the name */
    uint32_t fixed;                   /* bytes before the tail */
    uint32_t nfields;
    enum { EL_TAIL_NONE, EL_TAIL_TEXT, EL_TAIL_SEQUENCE } tail;
    int32_t tail_to; /* offset in the struct of the text, or of the sequence's count; or -1 */
    bool defined;
    struct el_layout_field fields[EL_LAYOUT_FIELDS];
};

struct el_metadata {
    uint8_t uuid[16];
    uint64_t hz;
    uint32_t major, minor;
    struct el_layout *layouts[256]; /* by id, NULL where the metadata has none */
};

/* Parses `text` of `n` bytes, which is changed. Free with el_metadata_clear, also after an error.
 */
enum el_read_error el_metadata_parse(struct el_metadata *m, char *text, size_t n);
void el_metadata_clear(struct el_metadata *m);

#endif
