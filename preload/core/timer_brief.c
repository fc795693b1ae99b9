/*
 * timer_brief.c - see timer_brief.h.
 *
 * `key` says whose turn it is. While it is 0 or a timer's, its thread alone moves it, by plain
 * stores; who else wants the timer that is there, which is there for as long as it does, exchanges
 * it for TAKEN, and then its thread keeps off until it is 0 again.
 */
#include "preload/core/timer_brief.h"

#include "preload/core/clock.h"
#include "preload/core/outcome.h"
#include "preload/core/thread.h"
#include "preload/core/timer_cell.h"

#define TAKEN 1u /* no key */

/* `there`: one of those that were made is there still. */
static void count(struct pl_brief *b, uint32_t there, uint64_t now)
{
    const uint32_t made = b->granted - b->left;
    if (made == 0)
        return;
    b->granted = b->left;
    pl_outcome_passed(b->outcome, made, made - there, now);
}

int pl_brief_begin(struct pl_self *self, uint64_t key, uint32_t stack, struct pl_call call)
{
    struct pl_brief *b = &self->thread->brief;
    const struct pl_stack_cache *cache = self->thread->stacks;
    if (stack == 0 || cache == NULL || self->quick != self->thread->actor ||
        atomic_load_explicit(&b->key, memory_order_acquire) != 0)
        return 0;
    count(b, 0, pl_now());
    if (b->stack != stack || b->outcome == NULL) {
        b->outcome = pl_outcome_get(EL_OBJ_POSIX_TIMER, stack, 0);
        b->stack = stack;
        b->step = 0;
    }
    b->granted = b->left = 0;
    if (b->outcome == NULL)
        return 0;
    b->maker = self->thread->actor;
    b->place = &cache->entries[pl_stack_slot_of(self, call, 0, stack)];
    b->step = b->step == 0 ? 1 : b->step < PL_BRIEF_MOST ? b->step * 2 : PL_BRIEF_MOST;
    b->granted = b->step;
    b->left = b->step - 1;
    atomic_store_explicit(&b->key, key, memory_order_release);
    return 1;
}

static int show(struct pl_thread *thread, uint64_t key)
{
    struct pl_brief *b = &thread->brief;
    if (atomic_load_explicit(&b->key, memory_order_relaxed) != key ||
        !atomic_compare_exchange_strong(&b->key, &key, TAKEN))
        return 0;
    const uint64_t now = pl_now();
    count(b, 1, now);
    pl_timer_shown(key, thread->serial, b->stack, now);
    atomic_store_explicit(&b->key, 0, memory_order_release);
    return 1;
}

struct search {
    uint64_t key;
    int found;
};

static void look(struct pl_thread *thread, void *ctx)
{
    struct search *s = ctx;
    s->found = s->found || show(thread, s->key);
}

int pl_brief_show(uint64_t key)
{
    struct search s = {key, 0};
    if (pl_self_block.thread != NULL && show(pl_self_block.thread, key))
        return 1;
    pl_thread_each(look, &s);
    return s.found;
}

void pl_brief_finish(struct pl_thread *thread)
{
    struct pl_brief *b = &thread->brief;
    const uint64_t key = atomic_load_explicit(&b->key, memory_order_acquire);
    if (key > TAKEN)
        show(thread, key);
    if (b->outcome != NULL)
        count(b, 0, pl_now());
    b->outcome = NULL;
    b->left = b->granted = 0;
}

/* Of threads that go on: what they have there now, and what they made up to now. */
static void settle(struct pl_thread *thread, void *ctx)
{
    struct pl_brief *b = &thread->brief;
    const uint64_t key = atomic_load_explicit(&b->key, memory_order_acquire);
    (void)ctx;
    if (key > TAKEN)
        show(thread, key);
    else if (key == 0 && b->outcome != NULL)
        count(b, 0, pl_now());
}

void pl_briefs_settle(void)
{
    pl_thread_each(settle, NULL);
}
