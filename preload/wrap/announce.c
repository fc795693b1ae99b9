/*
 * announce.c - the runtime's side of loiter.h: runs, workers, and the life of tasks. A task is an
 * actor as a thread is. Its waits are in announce_waits.c, objects and timers in
 * announce_objects.c.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/channel.h"
#include "preload/core/clock.h"
#include "preload/core/context.h"
#include "preload/core/lineage.h"
#include "preload/core/note.h"
#include "preload/core/passing.h"
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/spawner.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"
#include "preload/core/tiny.h"
#include "preload/heap/capture.h"
#include "preload/heap/heap.h"
#include "preload/wrap/announce.h"

static _Atomic uint32_t run_epoch; /* of the tasks that were made since the last fork */
static _Atomic uint32_t run_number;

PL_EXPORT void loiter_tick(void)
{
    struct pl_self *self = pl_timer_run == 0 ? NULL : pl_enter_blindly();
    if (self == NULL)
        return;
    const uint64_t before = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    atomic_store_explicit(&pl_coarse, pl_now(), memory_order_relaxed);
    pl_passings_tick(before);
    pl_young_tick();
    pl_notes_show(self, 0);
    pl_leave(self);
}

/* A fork child's memory for tasks is gone with the parent's record. */
static void forget_after_fork(void)
{
    if (atomic_load_explicit(&run_epoch, memory_order_relaxed) != pl_epoch &&
        atomic_exchange(&run_epoch, pl_epoch) != pl_epoch) {
        atomic_store(&run_number, 0);
    }
}

PL_EXPORT void loiter_run_begin(const char *name, unsigned workers)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    forget_after_fork();
    struct el_run_begin event = {
        .run = atomic_fetch_add(&run_number, 1) + 1, .workers = workers, .name = name};
    pl_timer_run = event.run;
    pl_spawner_workers(workers);
    pl_log.summary->workers = workers;
    PL_WRITE(self, run_begin, &event);
    pl_leave(self);
}

/* What lives now stays in the record as it stands. */
static void task_abandon(struct pl_actor *actor, void *ctx)
{
    struct el_run_end *event = ctx;
    struct el_actor *cell = actor->cell;
    if (el_actor_is_task(actor->id) && cell->run == event->run && cell->state != EL_ACTOR_FREE &&
        cell->state != EL_ACTOR_ENDED && cell->state != EL_ACTOR_ABANDONED) {
        el_set_state(&cell->state, EL_ACTOR_ABANDONED);
        event->left++;
    }
}

PL_EXPORT void loiter_run_end(void)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_run_end event = {.run = atomic_load(&run_number)};
    pl_timer_run = 0;
    pl_passings_end();
    atomic_store(&pl_coarse, 0);
    pl_timers_abandon(event.run);
    pl_channels_at_end();
    pl_contexts_at_end();
    pl_captures_at_end();
    pl_notes_show(self, 1);
    pl_actor_each(task_abandon, &event);
    event.left += pl_young_show(event.run, EL_ACTOR_ABANDONED);
    pl_spawners_settle();
    PL_WRITE(self, run_end, &event);
    pl_leave(self);
}

PL_EXPORT void loiter_worker_begin(void)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    self->thread->is_worker = 1;
    self->thread->actor->cell->flags |= EL_ACTOR_WORKER;
    pl_leave(self);
}

PL_EXPORT void loiter_worker_task(const void *const volatile *place, size_t offset)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_self_runs(self, place, offset);
    self->actor = self->thread->actor;
    self->stack_lo = self->actor->stack_lo;
    self->stack_hi = self->actor->stack_hi;
    pl_spared_begin(self->thread, NULL);
    pl_making_begin(self->thread, NULL);
    pl_self_settle(self);
    pl_leave(self);
}

PL_EXPORT void loiter_worker_note(struct loiter_note *note)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL) {
        pl_note_unread(note);
        return;
    }
    pl_note_begin(self, self->running == NULL ? NULL : note);
    pl_leave(self);
}

PL_EXPORT void loiter_worker_spared(struct loiter_spared *spared)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_spared_begin(self->thread, self->running == NULL ? NULL : spared);
    pl_leave(self);
}

PL_EXPORT void loiter_worker_makes(struct loiter_making *making)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_making_begin(self->thread, self->running == NULL ? NULL : making);
    pl_leave(self);
}

/* ---- life ---- */

/* Where the program called the runtime. */
static inline uint32_t place_of(struct pl_self *self, struct pl_call call, const void *caller)
{
    uint32_t stack = pl_stack_known(self, self->stack_lo, self->stack_hi, call, (uintptr_t)caller);
    return __builtin_expect(stack != 0, 1) ? stack : pl_stack_from(self, call, caller);
}

/* Sites stay for good, so the one of the last place is kept. */
static struct pl_site *site_of(struct pl_thread *thread, uint32_t stack)
{
    if (thread->spawn_stack == 0 || thread->spawn_stack != stack) {
        thread->spawn_site = pl_site_get(EL_SITE_TASK, stack, 0);
        thread->spawn_stack = thread->spawn_site != NULL ? stack : 0;
    }
    return thread->spawn_site;
}

/* What all tasks of a place have in common is kept there once; the first one tells it. */
static void site_learns(struct pl_site *site, const struct pl_birth *b)
{
    if (site == NULL || site->start != 0)
        return;
    site->capture_bytes = b->capture_bytes;
    site->start = (uint64_t)(uintptr_t)b->start;
}

/* One more, and the young ones since then. */
static void count_task(const struct pl_self *self)
{
    const uint32_t told = self->thread->until_told, until = self->until_sample;
    el_count(&pl_log.summary->tasks, told > until ? 1 + told - until : 1);
}

/* One that has an actor from the beginning. */
static void created_grown(struct pl_self *self, const struct pl_birth *b, struct pl_site *site,
                          uint32_t stack)
{
    struct pl_actor *task = pl_task_take(self->thread, EL_ACTOR_TASK | b->task->id);
    if (task == NULL)
        return;
    struct el_actor *cell = task->cell;
    task->creator = cell->creator = self->actor->id;
    cell->created_at = pl_stamp(self);
    cell->created_stack = stack;
    cell->start = (uint64_t)(uintptr_t)b->start;
    cell->stack_bytes = b->stack_bytes;
    cell->capture_bytes = b->capture_bytes;
    cell->run = b->run;
    el_set_state(&cell->state, EL_ACTOR_NEW);
    site_learns(site, b);
    pl_spawned(self, self->actor, task, site, b->stack_bytes, cell->created_at);
    count_task(self);
    if (pl_tiny_is_due(self)) {
        pl_capture_look(task, (uintptr_t)b->arg, b->capture_bytes, PL_TINY_EVERY);
        pl_tiny_choose(self, task);
    }
    self->thread->until_told = self->until_sample;
    b->task->tool = task;
}

__attribute__((noinline)) static void created(struct pl_birth *b)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    forget_after_fork();
    uint32_t stack = place_of(self, b->call, b->caller);
    struct pl_site *site = site_of(self->thread, stack);
    b->run = atomic_load_explicit(&run_number, memory_order_relaxed);
    pl_spawner_settle(self);
    if (site == NULL || !pl_spawner_begin(self, b, site, stack))
        created_grown(self, b, site, stack);
    pl_leave(self);
}

PL_INLINE int fits(struct pl_self *self, void (*start)(void), size_t stack_bytes,
                   size_t capture_bytes, const void *caller, uintptr_t sp)
{
    return pl_spawner_fits(&self->thread->spawner, pl_task_here(self), start, stack_bytes,
                           capture_bytes, caller, sp);
}

/* Where there is more to be counted, or the thread's time has moved on. */
PL_NEXT_WAY void created_otherwise(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                                   size_t capture_bytes, const void *caller, const void *arg)
{
    if (pl_is_deaf())
        return;
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        int done = fits(self, start, stack_bytes, capture_bytes, caller, PL_SP()) &&
                   (pl_spawner_one(self, t) || pl_spawner_again(self, t));
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    created(&(struct pl_birth){t, start, stack_bytes, capture_bytes, caller, arg, 0, PL_CALL()});
}

/* The usual cases, which call nothing: one more task like the thread's last one. */
PL_EXPORT PL_FRAMELESS void loiter_task_created(struct loiter_task *t, void (*start)(void),
                                                size_t stack_bytes, size_t capture_bytes,
                                                const void *caller, const void *arg)
{
    struct pl_self *self = pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        struct pl_thread *thread = self->thread;
        int done = 0;
        if (fits(self, start, stack_bytes, capture_bytes, caller, PL_SP()) &&
            atomic_load_explicit(&pl_coarse, memory_order_relaxed) == thread->spawner.tick)
            done =
                pl_spawner_goes_on(self, &thread->spawner, t) || pl_spawner_in_row(self, thread, t);
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    created_otherwise(t, start, stack_bytes, capture_bytes, caller, arg);
}

static void grown_exits(struct pl_self *self, struct loiter_task *t)
{
    struct pl_actor *task = pl_task_of(self, t);
    if (task == NULL)
        return;
    t->tool = NULL;
    if (self->actor == task) {
        self->actor = self->thread->actor;
        self->stack_lo = self->stack_hi = 0;
    }
    pl_passing_count(task);
    pl_tiny_ends(task);
    pl_capture_ends(task);
    pl_spawn_ended(task);
    pl_actor_retire(task);
    pl_task_put(self->thread, task);
}

__attribute__((noinline)) static void exited(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_brood *brood = pl_brood_of(t);
    if (brood != NULL)
        pl_ender_ends(self, t, brood);
    else
        grown_exits(self, t);
    pl_leave(self);
}

PL_NEXT_WAY void exited_again(struct loiter_task *t)
{
    if (pl_is_deaf())
        return;
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        int done = pl_ender_more(self->thread, t);
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    exited(t);
}

/* The usual case, which calls nothing. */
PL_EXPORT PL_FRAMELESS void loiter_task_exit(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        int done = pl_ender_more_quickly(self->thread, t);
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    exited_again(t);
}

PL_EXPORT void loiter_task_computes(const struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_young_show_one(t);
    pl_leave(self);
}

PL_EXPORT void loiter_waits_pass(void)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_passings_begin();
    pl_leave(self);
}

PL_EXPORT void loiter_task_stacks(ptrdiff_t offset)
{
    pl_young_stack_offset = offset;
}

PL_EXPORT void loiter_task_list(loiter_task_each *each)
{
    pl_young_each = each;
}

PL_EXPORT void loiter_task_stack(struct loiter_task *t, const void *lo, const void *hi)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_of(self, t);
    if (task != NULL) {
        pl_tiny_runs(task); /* the first time */
        task->stack_lo = (uintptr_t)lo;
        task->stack_hi = (uintptr_t)hi;
        if (self->actor == task) {
            self->stack_lo = (uintptr_t)lo;
            self->stack_hi = (uintptr_t)hi;
        }
    }
    pl_leave(self);
}

PL_EXPORT void loiter_mark(const char *name)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_mark event = {.actor = self->actor->id, .text = name};
    PL_WRITE(self, mark, &event);
    pl_heap_mark(self);
    pl_leave(self);
}
