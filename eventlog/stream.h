/*
 * stream.h - one file of a record: packets, and the records in them, one after another.
 *
 * Keeps a window of the file and no open descriptor, so that a record with ten thousand threads
 * needs neither ten thousand descriptors nor much memory.
 */
#ifndef EVENTLOG_STREAM_H
#define EVENTLOG_STREAM_H

#include "eventlog/layout.h"
#include "eventlog/packet.h"

/* Where damage goes; shared by the streams of a reader. */
#define EL_DAMAGE_KEPT 32
struct el_damage {
    uint64_t count, unknown;
    char *texts[EL_DAMAGE_KEPT];
    size_t kept;
};
__attribute__((format(printf, 4, 5))) void el_damage_add(struct el_damage *d, const char *file,
                                                         uint64_t at, const char *fmt, ...);
void el_damage_clear(struct el_damage *d);

struct el_file {
    char name[48];
    enum el_file_class { EL_FILE_EVENTS, EL_FILE_CELLS } class;
    uint64_t size;        /* of the file when it was opened */
    uint64_t packet;      /* offset of the present packet */
    uint64_t content_end; /* offset where its records end */
    uint64_t next_packet;
    uint64_t at;       /* offset of the next record */
    uint64_t lost;     /* as the last packet said */
    uint64_t time;     /* of the last record */
    uint64_t done;     /* bytes passed */
    uint64_t searched; /* bytes in which a packet was looked for */
    uint32_t tid;
    char *window;
    size_t window_size, window_used;
    uint64_t window_at;
    struct el_record record; /* the present one */
};

struct el_source {
    int dir; /* descriptor of the record's directory */
    const struct el_metadata *metadata;
    struct el_damage *damage;
};

/* Reads the next record into s->record; false at the end of what can be read. */
bool el_file_next(struct el_file *s, const struct el_source *source);

#endif
