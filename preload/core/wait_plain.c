/*
 * wait_plain.c - the two calls around a wait, see wait.h, and the short way of a plain thread's
 * wait for the outside at the place where it waited last.
 *
 * A thread that wakes up finds little of itself in the caches: what counts is how many lines of
 * code and data are touched. So nothing is called here that need not be, and of the wait's record
 * the end reads little more than whether it was begun here.
 */
#include "preload/core/actor.h"
#include "preload/core/blocked.h"
#include "preload/core/clock.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/wait_cell.h"
#include "preload/heap/capture.h"

/* No task runs here, nothing is kept back, and no lock is held. */
static inline int is_plain(const struct pl_self *self)
{
    return self->quick == self->actor && !pl_held_any(self->actor);
}

/* A poll holds no thread in the sense of blocked.h. */
static inline int may_hold_thread(uint32_t kind)
{
    return kind != EL_WAIT_POLL &&
           atomic_load_explicit(&pl_threads_alive, memory_order_relaxed) >= PL_BLOCKED_FROM;
}

/* The stack, with the guard on, where the short way will do; else 0. */
static inline uint32_t plain_enter(struct pl_self *self, uint32_t kind, struct pl_call call)
{
    if (pl_hindered(self) || self->wait_count != 0 || !is_plain(self) ||
        !el_wait_is_outside(kind) || may_hold_thread(kind))
        return 0;
    self->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    const uint32_t stack = pl_stack_same(&self->thread->wait_place, call);
    if (__builtin_expect(stack == 0, 0))
        pl_leave_quickly(self);
    return stack;
}

PL_USUAL int pl_wait_begin_at(struct pl_wait *w, uint32_t kind_and_timed, uint64_t object,
                              uintptr_t pc, uintptr_t sp, uintptr_t fp)
{
    struct pl_self *self = &pl_self_block;
    const struct pl_call call = {pc, sp, fp};
    const uint32_t kind = kind_and_timed >> 1, stack = plain_enter(self, kind, call);
    if (__builtin_expect(stack == 0, 0))
        return pl_wait_begin_any(w, kind_and_timed, object, call);
    struct pl_actor *actor = self->actor;
    struct el_actor *cell = actor->cell;
    if (__builtin_expect(actor->spawns != NULL, 0))
        pl_spawn_waits(self, actor);
    w->kind = kind;
    w->stack = stack;
    w->timed = kind_and_timed & 1;
    w->plain = 1;
    w->actor = actor;
    w->here = cell->wait_stack == stack ? cell->waits_here + 1 : 1;
    w->epoch = actor->epoch;
    w->outer = NULL;
    w->waker = 0;
    w->level = 1;
    w->holds = 0;
    w->before = cell->since;
    w->record = NULL;
    w->object = object;
    self->waits[0] = (struct pl_wait_mark){w, pl_plain_address(pc), NULL};
    self->wait_count = 1;
    w->began = pl_now();
    pl_wait_show(w, cell);
    pl_capture_waits(actor, w->began);
    pl_leave_quickly(self);
    return 1;
}

/* Is all as it was left? A child has no wait under way that its parent began. */
static inline int is_as_begun(const struct pl_self *self, const struct pl_wait *w)
{
    return w->plain && !pl_hindered(self) && self->wait_count == 1 && self->waits[0].wait == w &&
           self->actor == w->actor && is_plain(self);
}

PL_USUAL void pl_wait_end(struct pl_wait *w, int error)
{
    struct pl_self *self = &pl_self_block;
    if (__builtin_expect(!is_as_begun(self, w), 0)) {
        pl_wait_end_any(w, error);
        return;
    }
    self->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    struct pl_actor *actor = self->actor;
    struct el_actor *cell = actor->cell;
    /* Who wakes up is likely to lock what it locked the last time. */
    __builtin_prefetch(pl_near_after(actor->held_end->near));
    const uint64_t now = pl_now(), ticks = now - cell->since;
    pl_capture_waited(actor, now);
    self->wait_count = 0;
    pl_wait_hide(cell);
    if (__builtin_expect(ticks >= pl_long_wait_ticks, 0))
        pl_wait_note(self, w, now, 0, error);
    pl_leave_quickly(self);
}
