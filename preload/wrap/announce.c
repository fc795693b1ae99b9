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
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"
#include "preload/core/tiny.h"
#include "preload/heap/capture.h"
#include "preload/heap/heap.h"
#include "preload/wrap/announce.h"

#define FREE_TASKS_MAX 4096 /* records that a thread keeps for itself */
#define TASKS_BATCH    64

static _Atomic uint32_t run_epoch; /* of the tasks that were made since the last fork */
static _Atomic uint32_t run_number;

PL_EXPORT void loiter_tick(void)
{
    if (pl_is_ready() && pl_timer_run != 0)
        atomic_store_explicit(&pl_coarse, pl_now(), memory_order_relaxed);
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
    atomic_store(&pl_coarse, 0);
    pl_timers_abandon(event.run);
    pl_channels_at_end();
    pl_contexts_at_end();
    pl_captures_at_end();
    pl_actor_each(task_abandon, &event);
    pl_sites_settle();
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
    self->running = place;
    self->running_offset = offset;
    self->actor = self->thread->actor;
    self->stack_lo = self->actor->stack_lo;
    self->stack_hi = self->actor->stack_hi;
    pl_self_settle(self);
    pl_leave(self);
}

/* ---- life ---- */

/* Those that ended on this thread are taken first. */
static struct pl_actor *task_create(struct pl_thread *thread, uint64_t id)
{
    struct pl_actor *task = thread->free_tasks;
    if (task == NULL)
        return pl_actor_create(EL_ACTOR_TASK | id);
    thread->free_tasks =
        (struct pl_actor *)atomic_load_explicit(&task->link.next, memory_order_relaxed);
    thread->free_task_count--;
    pl_actor_renew(task, EL_ACTOR_TASK | id);
    return task;
}

static void task_put(struct pl_thread *thread, struct pl_actor *task)
{
    if (thread->free_task_count == FREE_TASKS_MAX) {
        pl_actor_put(task);
        return;
    }
    atomic_store_explicit(&task->link.next, (uintptr_t)thread->free_tasks, memory_order_relaxed);
    thread->free_tasks = task;
    thread->free_task_count++;
}

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

/* The first are counted one by one, later ones together. */
static void count_task(struct pl_thread *thread)
{
    uint32_t n = ++thread->tasks_made;
    if (n < TASKS_BATCH || n % TASKS_BATCH == 0)
        el_count(&pl_log.summary->tasks, n <= TASKS_BATCH ? 1 : TASKS_BATCH);
}

PL_EXPORT void loiter_task_created(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                                   size_t capture_bytes, const void *caller, const void *arg)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    forget_after_fork();
    struct pl_actor *task = task_create(self->thread, t->id);
    if (task != NULL) {
        struct el_actor *cell = task->cell;
        uint32_t stack = place_of(self, PL_CALL(), caller);
        task->creator = cell->creator = self->actor->id;
        cell->created_at = pl_stamp(self);
        cell->created_stack = stack;
        cell->start = (uint64_t)(uintptr_t)start;
        cell->stack_bytes = stack_bytes;
        cell->capture_bytes = capture_bytes;
        cell->run = atomic_load_explicit(&run_number, memory_order_relaxed);
        el_set_state(&cell->state, EL_ACTOR_NEW);
        pl_spawned(self, self->actor, task, site_of(self->thread, stack), stack_bytes,
                   cell->created_at);
        if (pl_tiny_is_due(self)) {
            pl_capture_look(task, (uintptr_t)arg, capture_bytes, PL_TINY_EVERY);
            pl_tiny_choose(self, task);
        }
        count_task(self->thread);
        t->tool = task;
    }
    pl_leave(self);
}

PL_EXPORT void loiter_task_exit(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_of(t);
    if (task != NULL) {
        t->tool = NULL;
        if (self->actor == task) {
            self->actor = self->thread->actor;
            self->stack_lo = self->stack_hi = 0;
        }
        pl_tiny_ends(task);
        pl_capture_ends(task);
        pl_spawn_ended(task);
        pl_actor_retire(task);
        task_put(self->thread, task);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_task_stack(struct loiter_task *t, const void *lo, const void *hi)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_of(t);
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
