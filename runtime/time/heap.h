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
#include <stdint.h>

#include "runtime/time/timers.h"

struct weft__heap_entry {
    int64_t key;
    uintptr_t timer; /* with WEFT__SLEEPER set for one that is never taken out before it is due */
};

struct weft__heap {
    struct weft__heap_entry *entries;
    uint32_t count, room;
};

enum { WEFT__SLEEPER = 1 };

static inline struct weft__timer *weft__heap_timer(struct weft__heap_entry e)
{
    return (struct weft__timer *)(e.timer & ~(uintptr_t)WEFT__SLEEPER);
}

/* Room for one more; false: no memory. */
bool weft__heap_reserve(struct weft__heap *h);

/* With room for it. Of a sleeper the place is not kept. */
void weft__heap_push(struct weft__heap *h, struct weft__timer *timer, int64_t key, bool sleeper);

/* Of timers inside that are no sleepers. */
void weft__heap_remove(struct weft__heap *h, struct weft__timer *timer);
void weft__heap_move(struct weft__heap *h, struct weft__timer *timer, int64_t key);

/* The first entry: out, or to a later key. */
void weft__heap_pop(struct weft__heap *h);
void weft__heap_delay(struct weft__heap *h, int64_t key);

void weft__heap_free(struct weft__heap *h);

#endif
