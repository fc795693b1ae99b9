/* What the scheduler minds of a task on behalf of this folder: its labels, and the age of pools. */
#ifndef WEFT_SYNC_LOCAL_H
#define WEFT_SYNC_LOCAL_H

#include <stddef.h>
#include <stdint.h>

struct weft_task;

/* The labels of a task and of those that inherited them. Never changed: a task that sets one gets
 * others. */
struct weft__labels {
    uint32_t refs;
    uint32_t count;   /* of pairs */
    uint32_t text_at; /* where in `bytes` the text for reports begins */
    char bytes[];     /* key '\0' value '\0' ..., then the text "key=value key=value" */
};

static inline void weft__labels_retain(struct weft__labels *labels)
{
    __atomic_fetch_add(&labels->refs, 1, __ATOMIC_RELAXED);
}

void weft__labels_release(struct weft__labels *labels);

/* At the end of a task that has some. */
void weft__labels_drop(struct weft_task *t);

/* Frees what pools have held unused since the last call. Called about once a second, by any thread
 * that may block for a moment. */
void weft__pools_age(void);

#endif
