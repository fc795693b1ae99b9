/* events.c - the tables of events.h, made from events.def. */
#include "eventlog/events.h"

#include <string.h>

#define EL_EVENT(name, id, class, text, fields)                                                    \
    static const struct el_field_info fields_##name[] = {fields};
#define EL_U32(n, t)      {#n, EL_TYPE_U32, 1, t},
#define EL_I32(n, t)      {#n, EL_TYPE_I32, 1, t},
#define EL_U64(n, t)      {#n, EL_TYPE_U64, 1, t},
#define EL_I64(n, t)      {#n, EL_TYPE_I64, 1, t},
#define EL_ARR32(n, c, t) {#n, EL_TYPE_U32, c, t},
#define EL_ARR64(n, c, t) {#n, EL_TYPE_U64, c, t},
#define EL_STR(n, t)      {#n, EL_TYPE_STR, 1, t},
#define EL_SEQ64(n, t)    {#n, EL_TYPE_SEQ64, 1, t},
#include "eventlog/events.def"

const struct el_event_info el_infos[] = {
#define EL_EVENT(name, id, class, text, fields)                                                    \
    {#name,                                                                                        \
     id,                                                                                           \
     EL_CLASS_##class,                                                                             \
     EL_FIXED_##name,                                                                              \
     sizeof(struct el_##name),                                                                     \
     sizeof(fields_##name) / sizeof(fields_##name[0]),                                             \
     fields_##name,                                                                                \
     text},
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

const uint32_t el_infos_count = sizeof(el_infos) / sizeof(el_infos[0]);

const struct el_event_info *el_find_info(uint32_t id)
{
    for (uint32_t i = 0; i < el_infos_count; i++) {
        if (el_infos[i].id == id)
            return &el_infos[i];
    }
    return NULL;
}

const struct el_event_info *el_find_info_named(const char *name)
{
    for (uint32_t i = 0; i < el_infos_count; i++) {
        if (strcmp(el_infos[i].name, name) == 0)
            return &el_infos[i];
    }
    return NULL;
}

uint32_t el_type_bytes(enum el_type type)
{
    switch (type) {
    case EL_TYPE_U32:
    case EL_TYPE_I32:
        return 4;
    case EL_TYPE_U64:
    case EL_TYPE_I64:
        return 8;
    case EL_TYPE_STR:
    case EL_TYPE_SEQ64:
        break;
    }
    return 0;
}
