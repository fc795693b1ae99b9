/* channel.c - see channel.h. */
#include "preload/core/channel.h"

#include <errno.h>

#include "preload/core/clock.h"
#include "preload/core/outcome.h"
#include "preload/core/sys.h"

static _Atomic uint32_t any; /* channel was ever made */

void pl_channel_begins(struct pl_self *self, struct pl_object *o, const size_t *count,
                       uint64_t item_bytes)
{
    o->item_bytes = item_bytes;
    if (!atomic_load_explicit(&any, memory_order_relaxed))
        atomic_store_explicit(&any, 1, memory_order_relaxed);
    o->count = count;
    pl_object_forget(o);
    struct pl_outcome *made = pl_outcome_get(EL_OBJ_CHAN, o->cell->created_stack, 0);
    if (made != NULL)
        pl_outcome_made(made, 0, self->now);
}

void pl_channel_wait_seen(struct pl_object *o, uint64_t task, enum el_wait_kind kind)
{
    if (kind == EL_WAIT_CHAN_SEND) {
        o->left |= EL_LEFT_SENDER_WAITED;
        return;
    }
    o->receiver = task;
    o->left |= EL_LEFT_RECEIVED;
}

void pl_channel_wake_seen(struct pl_object *o, const struct pl_actor *waker)
{
    const struct pl_actor *waiter = o->task_waiter;
    if (o->cell->last_waker == waker->id) {
        o->left |= EL_LEFT_STREAM;
        return;
    }
    if (waiter == NULL || waiter->origin == NULL || waker->origin == NULL)
        return;
    o->sides |= waiter->origin == waker->origin ? PL_SAME_SIDE : PL_OTHER_SIDE;
}

/* Those that are alike are counted together. */
static void lost(const struct pl_object *o, uint64_t items, uint32_t how)
{
    const struct el_object *cell = o->cell;
    how |= o->left;
    if (cell->state == EL_CLOSED)
        how |= EL_LEFT_CLOSED;
    if (o->sides == PL_SAME_SIDE)
        how |= EL_LEFT_SAME_SIDE;
    if (cell->capacity == 1)
        how |= EL_LEFT_ROOM_FOR_ONE;
    if (items == cell->capacity)
        how |= EL_LEFT_FULL;
    if (o->item_bytes == 0)
        how |= EL_LEFT_TOKENS;
    struct pl_outcome *place = pl_outcome_get(EL_OBJ_CHAN, cell->created_stack, how);
    if (place == NULL)
        return;
    pl_outcome_lost(place, cell->last_waiter_stack);
    el_count(&place->cell->items, items);
    el_count(&place->cell->bytes, items * o->item_bytes);
    __atomic_store_n(&place->cell->last_at, pl_now(), __ATOMIC_RELAXED);
}

void pl_channel_ends(const struct pl_self *self, struct pl_object *o, uint64_t items)
{
    if (o->count == NULL)
        return;
    if (items != 0)
        lost(o, items, o->receiver == self->actor->id ? EL_LEFT_BY_RECEIVER : 0);
    o->count = NULL;
}

/* By the kernel, as the channel may be gone without a word. Where that cannot be, another call that
 * reads its argument first tells whether there is memory. */
static size_t read_word(const size_t *from)
{
    size_t word = 0;
    if (pl_sys_peek((uintptr_t)from, &word, sizeof word) == sizeof word)
        return word;
    if (pl_sys6(SYS_rt_sigprocmask, -1, (long)from, 0, sizeof word, 0, 0) == -EFAULT)
        return 0;
    return __atomic_load_n(from, __ATOMIC_RELAXED);
}

static uint64_t items_inside(const struct pl_object *o)
{
    size_t count = read_word(o->count);
    return count <= o->cell->capacity ? count : 0;
}

static int channel_at_end(void *object, void *ctx)
{
    struct pl_object *o = object;
    (void)ctx;
    uint64_t items = o->count == NULL ? 0 : items_inside(o);
    if (items != 0) {
        o->cell->items = items;
        lost(o, items, EL_LEFT_AT_END);
        o->count = NULL;
    }
    return 0;
}

void pl_channels_at_end(void)
{
    if (atomic_load_explicit(&any, memory_order_relaxed))
        pl_object_each(channel_at_end, NULL);
}
