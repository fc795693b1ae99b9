/*
 * reader.h - reads the record of a process, whole or damaged, with bounded memory.
 *
 * Nothing in a record is trusted: sizes, counts and ids are checked before use. What can be read is
 * read; what cannot is counted as damage, with the first places in words. Records of older minor
 * versions and newer ones are read by the layouts that their own metadata gives: fields that are
 * missing are zero, events that this version does not know are counted and skipped.
 *
 * Not thread-safe; two readers may be used by two threads.
 */
#ifndef EVENTLOG_READER_H
#define EVENTLOG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eventlog/events.h"

enum el_read_error {
    EL_READ_OK = 0,
    EL_READ_NO_DIRECTORY, /* cannot be opened or listed */
    EL_READ_NO_METADATA,  /* a directory, but not of a record */
    EL_READ_BAD_METADATA, /* not written by this project, or cut off */
    EL_READ_NEWER,        /* a major version that this reader does not know */
    EL_READ_NO_MEMORY
};

/* A sentence for the error, without a full stop. */
const char *el_read_error_text(enum el_read_error error);

/* One event or cell. `any` is valid until the next call on the reader; its text and sequence point
 * into the reader's buffers. */
struct el_record {
    uint64_t time; /* ticks since the record began; 0 for cells */
    const struct el_event_info *info;
    uint32_t file; /* which events-<n> or cells-<id>-<n>, see el_reader_file_name */
    uint32_t tid;  /* of the thread that began the packet, 0 for cells */
    union el_any any;
};

struct el_reader;

/* Directories of processes below `root`, which may be one itself, in the order of their names
 * (pid, then image). Free with el_list_free. A root without any gives EL_READ_OK and n 0. */
struct el_list {
    char **items;
    size_t n;
};
enum el_read_error el_list_processes(const char *root, struct el_list *out);
void el_list_free(struct el_list *list);

/* Did its process say that no record could be begun? By the directory's name. */
bool el_has_failed(const char *dir);

/* No, if it holds nothing but what lies there before the first event: its process was killed as the
 * record began. One that could not write has left word of it, and lacks what it would have told. */
bool el_has_begun(const char *dir);

/* Opens the record in `dir`. On error *out is NULL. */
enum el_read_error el_reader_open(const char *dir, struct el_reader **out);
void el_reader_close(struct el_reader *r); /* NULL is allowed */

/* The next event in the order of time, over all threads: true, or false at the end. */
bool el_reader_next(struct el_reader *r, struct el_record *out);
/* The next cell, in no order; independent of el_reader_next. Free cells are given too. */
bool el_reader_next_cell(struct el_reader *r, struct el_record *out);

uint64_t el_reader_clock_hz(const struct el_reader *r);
uint32_t el_reader_version_minor(const struct el_reader *r);
/* Events that the writer says it lost, from the packets read so far. */
uint64_t el_reader_lost(const struct el_reader *r);
/* Bytes read so far and in all, for a display of progress. */
uint64_t el_reader_bytes_done(const struct el_reader *r);
uint64_t el_reader_bytes_total(const struct el_reader *r);
const char *el_reader_file_name(const struct el_reader *r, uint32_t file);

/* Damage seen so far: how often, and the first places, as "events-0: ... at byte 4096". NULL beyond
 * the last one that was kept. */
uint64_t el_reader_damage(const struct el_reader *r);
const char *el_reader_damage_text(const struct el_reader *r, size_t i);
/* Events of ids or names that this version does not know. */
uint64_t el_reader_unknown(const struct el_reader *r);

static inline uint64_t el_hz_to_ns(uint64_t ticks, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)ticks * 1000000000u / hz);
}

#endif
