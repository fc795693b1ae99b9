/*
 * record.h - the one record of this process: its log and its life.
 */
#ifndef PRELOAD_CORE_RECORD_H
#define PRELOAD_CORE_RECORD_H

#include "eventlog/writer.h"
#include "preload/core/gate.h"

extern PL_HIDDEN struct el_log pl_log;

/* Counts the records of this process image: pointers from before a fork are not followed. */
extern PL_HIDDEN uint32_t pl_epoch;

/* The option long_wait_us, in ticks. */
extern PL_HIDDEN uint64_t pl_long_wait_ticks;

/* Opens the record and sets the stage to PL_READY; does nothing where the options say so, and
 * leaves it to the first call that asks pl_is_ready in a program that another one started. `cause`
 * is why it begins. The calling thread becomes thread 1. */
PL_HIDDEN void pl_record_start(enum el_cause cause);

/* The process is about to become another program, or (change -1) did not: 1 when it has no record
 * of its own yet; its parent's tells then, or its line. May be called where exec may. */
PL_HIDDEN int pl_record_becomes(int change);

/* The process is about to end in that way: writes the event and completes the summary. Once. */
PL_HIDDEN void pl_record_exit(enum el_exit_how how, int status);

/* Nothing of the record, the parent's in a fork child, is used any more. */
PL_HIDDEN void pl_record_forget(void);

/* In a fork child: what the parent knew is forgotten, and a record begins with the first call that
 * asks pl_is_ready. `told`: the parent has the fork in its record, and what becomes of the child is
 * counted there. */
PL_HIDDEN void pl_record_forked(int told);

/* Is the process that calls the one that records? Not so under vfork. */
PL_HIDDEN int pl_record_is_mine(void);

/* An event was lost because a thread had no slot. */
PL_HIDDEN void pl_record_lost(void);

/* Appends the event to the thread's stream, or counts it as lost where the thread has none. For who
 * includes core/actor.h. */
#define PL_WRITE(self, name, event)                                                                \
    do {                                                                                           \
        struct el_slot *to = pl_thread_slot(self);                                                 \
        if (to == NULL)                                                                            \
            pl_record_lost();                                                                      \
        else                                                                                       \
            el_write_##name(to, event);                                                            \
    } while (0)

#endif
