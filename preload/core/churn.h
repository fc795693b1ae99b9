/*
 * churn.h - how long the threads of a place live, and what it costs to make them. Guard on, unless
 * said otherwise.
 */
#ifndef PRELOAD_CORE_CHURN_H
#define PRELOAD_CORE_CHURN_H

#include <stdint.h>

#include "preload/core/actor.h"

#define PL_CHURN_EVERY 32 /* of so many creations one is measured */

/* A creation under way; NULL: it is not measured. */
struct pl_churn {
    struct pl_spread *make;
    uint64_t cpu_ns; /* the maker's processor time when it began */
};

/* `thread`, made by the calling thread, is about to be made; and was made. No guard. */
PL_HIDDEN struct pl_churn pl_churn_begin(const struct pl_actor *thread);
PL_HIDDEN void pl_churn_end(const struct pl_churn *churn);

/* The calling thread ends. */
PL_HIDDEN void pl_churn_thread_ends(const struct pl_thread *thread, uint64_t now);

#endif
