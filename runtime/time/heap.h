/*
 * Timers by when they are due: a heap of four children a node, whose children lie in one cache
 * line.
 *
 * An entry's key may be earlier than its timer's `when`: one that is moved to later keeps its
 * entry, and finds its place when that comes up. So who moves deadlines on and on pays nothing for
 * the order.
 */
#ifndef WEFT_TIME_HEAP_H
#define WEFT_TIME_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft__timer;
struct weft_task;

struct weft__heap_entry {
    int64_t key;
    uintptr_t what; /* a timer; or a task that sleeps, with WEFT__SLEEPER set */
};

struct weft__heap {
    struct weft__heap_entry *entries;
    uint32_t count, room;
};

enum { WEFT__SLEEPER = 1 };

/* NULL for a timer. Nothing of a task is read or written here. */
static inline struct weft_task *weft__heap_sleeper(struct weft__heap_entry e)
{
    return e.what & WEFT__SLEEPER ? (struct weft_task *)(e.what - WEFT__SLEEPER) : NULL;
}

/* Room for one more; false: no memory. */
bool weft__heap_reserve(struct weft__heap *h);

/* With room for it. */
void weft__heap_push(struct weft__heap *h, struct weft__timer *timer, int64_t key);
void weft__heap_push_sleeper(struct weft__heap *h, struct weft_task *task, int64_t key);

/* Of timers inside. */
void weft__heap_remove(struct weft__heap *h, struct weft__timer *timer);
void weft__heap_move(struct weft__heap *h, struct weft__timer *timer, int64_t key);

/* The first entry: out, or to a later key. */
void weft__heap_pop(struct weft__heap *h);
void weft__heap_delay(struct weft__heap *h, int64_t key);

void weft__heap_free(struct weft__heap *h);

#endif
