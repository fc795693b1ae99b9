/*
 * writer_impl.h - what the parts of the writer share among themselves.
 *
 *   log.c    opening, stopping and forgetting     slots.c  events
 *   files.c  making and growing files             cells.c  cells
 *   reach.c  the way to the files after setuid
 *   clock.c  time                                 metadata.c  the text that describes the record
 */
#ifndef EVENTLOG_WRITER_IMPL_H
#define EVENTLOG_WRITER_IMPL_H

#include "eventlog/writer.h"

#define EL_NAME_MOST 48

/* A text under construction in a buffer of fixed size; what does not fit is cut. */
struct el_text {
    char *at, *end;
};

void el_text_add(struct el_text *text, const char *word);
void el_text_add_number(struct el_text *text, uint64_t number);

/* "events-3", "cells-actor-0". */
void el_name_events(char name[EL_NAME_MOST], uint32_t slot);
void el_name_cells(char name[EL_NAME_MOST], uint32_t id, uint32_t chunk);

/* EL_STOP_NONE for errors that pass by themselves (no descriptor free). */
enum el_stop_reason el_stop_reason_of(int error);

/* Takes bytes from the log's budget; false when it has no more. */
bool el_budget_take(struct el_log *log, uint64_t bytes);
void el_budget_return(struct el_log *log, uint64_t bytes);

/* The head of an empty packet. */
void el_packet_begin(struct el_packet *packet, const struct el_log *log, enum el_stream stream,
                     uint64_t bytes);

/* Gives up what keeps the record within reach: for el_log_forget. */
void el_reach_forget(struct el_log *log);

/* The directory of the process as a descriptor that serves only to name files; to be closed. */
int el_files_dir(const struct el_log *log);

/* Adds `count` empty packets at `offset` = the end of file events-<slot> (made at offset 0) and
 * maps them. NULL and a negative *error when that fails; the file is as it was then. */
void *el_files_grow(struct el_log *log, const struct el_slot *slot, uint64_t offset, uint32_t count,
                    int *error);

/* The same at the slot's end without a descriptor, for who has none left; NULL where it fails. */
void *el_files_stretch(const struct el_log *log, const struct el_slot *slot, uint32_t count);

/* Makes the file cells-<ids[0]>-<chunk> of `n` empty packets of cells, each of `bytes` (of several
 * a page) and for the cells of one of the ids, and maps it; as el_files_grow. */
struct el_packet *el_files_chunk(struct el_log *log, const uint32_t *ids, uint32_t n,
                                 uint32_t chunk, uint64_t bytes, int *error);

/* Sets clock, base and frequency. */
void el_clock_start(struct el_log *log, const struct el_options *options);

/* Writes the file `metadata` into the directory. Returns its size or a negative errno. */
long el_metadata_write(const struct el_log *log, int dir);

/* The summary cell; NULL and a negative *error when it cannot be made. */
struct el_summary *el_cells_first(struct el_log *log, int *error);

/* Unmaps and forgets all cells: for el_log_forget. */
void el_cells_forget(struct el_log *log);

#endif
