/*
 * channel.h - channels with a buffer: the items that nobody received. Guard on.
 *
 * How they are used is seen only where somebody waits or is woken; what is inside is told when a
 * channel is released, and read from the runtime's own word at the end of a run or process.
 */
#ifndef PRELOAD_CORE_CHANNEL_H
#define PRELOAD_CORE_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "preload/core/object.h"

/* The channel, made just now, has a buffer of items of that size; `count` is the runtime's. */
PL_HIDDEN void pl_channel_begins(struct pl_self *self, struct pl_object *channel,
                                 const size_t *count, uint64_t item_bytes);
/* Released with so many inside. */
PL_HIDDEN void pl_channel_ends(const struct pl_self *self, struct pl_object *channel,
                               uint64_t items);
/* The run, or the process, ends: what is inside of those that are still there is lost. */
PL_HIDDEN void pl_channels_at_end(void);

PL_HIDDEN void pl_channel_wait_seen(struct pl_object *channel, uint64_t task,
                                    enum el_wait_kind kind);
PL_HIDDEN void pl_channel_wake_seen(struct pl_object *channel, const struct pl_actor *waker);

/* A wait on a channel of which nothing is to be told but what is known: so that it can be done
 * quickly. */
PL_INLINE int pl_channel_waits_again(const struct pl_object *o, uint64_t task, uint32_t kind)
{
    return kind == EL_WAIT_CHAN_SEND ? (o->left & EL_LEFT_SENDER_WAITED) != 0
                                     : (o->left & EL_LEFT_RECEIVED) != 0 && o->receiver == task;
}

/* A waking likewise, by who woke it last; and by anybody. */
PL_INLINE int pl_channel_woken_again(const struct pl_object *o)
{
    return pl_object_is_stream(o);
}

enum pl_sides { PL_SAME_SIDE = 1, PL_OTHER_SIDE = 2 };

PL_INLINE int pl_channel_woken_as_before(const struct pl_object *o, const struct pl_actor *waker)
{
    const struct pl_actor *waiter = o->task_waiter;
    if (o->cell->last_waker == waker->id)
        return pl_channel_woken_again(o);
    if (waiter == NULL || waiter->origin == NULL || waker->origin == NULL)
        return 1;
    return (o->sides & (waiter->origin == waker->origin ? PL_SAME_SIDE : PL_OTHER_SIDE)) != 0;
}

/* The task waits on the object, which may be a channel. */
static inline void pl_channel_waits(struct pl_object *o, uint64_t task, enum el_wait_kind kind)
{
    if (o->count != NULL)
        pl_channel_wait_seen(o, task, kind);
}

/* Called before cell->last_waker changes. */
static inline void pl_channel_woken(struct pl_object *o, const struct pl_actor *waker)
{
    if (o->count != NULL)
        pl_channel_wake_seen(o, waker);
}

#endif
