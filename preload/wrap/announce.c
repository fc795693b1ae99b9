/*
 * announce.c - the runtime's side of loiter.h: runs, tasks, parking and waking.
 *
 * A task is an actor as a thread is. The words of its waits lie in a pl_wait that stays with the
 * task, because begin and end of the wait run on different threads. What a runtime says of objects
 * and timers is in announce_objects.c.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/channel.h"
#include "preload/core/clock.h"
#include "preload/core/context.h"
#include "preload/core/object.h"
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"
#include "preload/core/tiny.h"
#include "preload/core/wait.h"

#define SELECT_MOST    64   /* objects of one wait whose cells learn of the waiter */
#define FREE_TASKS_MAX 4096 /* records that a thread keeps for itself */
#define TASKS_BATCH    64

static _Atomic uint32_t run_epoch; /* of the tasks that were made since the last fork */
static _Atomic uint32_t run_number;

/* The record of a task, if it was made in this process and while recording. */
static struct pl_actor *known(const struct loiter_task *t)
{
    struct pl_actor *task = t->tool;
    return task != NULL && task->epoch == pl_epoch ? task : NULL;
}

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
    uint32_t stack = pl_stack_known(self, call, (uintptr_t)caller);
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
                                   size_t capture_bytes, const void *caller)
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
        pl_tiny_born(self, task);
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
    struct pl_actor *task = known(t);
    if (task != NULL) {
        t->tool = NULL;
        if (self->actor == task) {
            self->actor = self->thread->actor;
            self->stack_lo = self->stack_hi = 0;
        }
        pl_tiny_ends(task);
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
    struct pl_actor *task = known(t);
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

/* ---- waits ---- */

/* The wait of a lock is counted as those of threads are; see object.h for the others. */
static uint64_t object_leave(const struct pl_wait *w, uint64_t ticks)
{
    if (!el_wait_is_lock(w->kind)) {
        pl_object_task_waited(w->record, ticks);
        return 0;
    }
    uint64_t io = __atomic_load_n(&w->record->cell->io_ticks, __ATOMIC_RELAXED) - w->io_ticks;
    io = io < ticks ? io : ticks;
    pl_object_wait_ends(w->record, ticks, io);
    return io;
}

/* A wait whose time is not to be guessed: others wait for what is held, or for the same lock. */
static inline int is_exact(const struct pl_actor *task, uint32_t kind)
{
    return el_wait_is_lock(kind) || task->held_count != 0;
}

/* The wait is over: by who makes it ready, or by the thread that runs the task from now on. */
static void wait_over(struct pl_self *self, struct pl_actor *task)
{
    struct pl_wait *w = task->wait;
    struct el_actor *cell = task->cell;
    const int exact = is_exact(task, w->kind);
    uint64_t now = exact ? pl_now() : pl_stamp(self), io_ticks = 0;
    uint64_t ticks = now > w->began ? now - w->began : 0; /* another thread's clock began it */
    task->parked = 0;
    if (w->record != NULL)
        io_ticks = object_leave(w, ticks);
    __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    if (w->timed)
        cell->flags &= ~(uint32_t)EL_ACTOR_TIMED;
    if (__builtin_expect(ticks < pl_long_wait_ticks && !exact, 1))
        return;
    w->waker = cell->waker;
    pl_wait_note(self, w, w->began + ticks, io_ticks, 0);
}

PL_EXPORT void loiter_task_switch(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = t == NULL ? NULL : known(t);
    if (task == NULL) {
        self->actor = self->thread->actor;
        self->stack_lo = self->actor->stack_lo;
        self->stack_hi = self->actor->stack_hi;
    } else {
        self->actor = task;
        self->stack_lo = task->stack_lo;
        self->stack_hi = task->stack_hi;
        if (task->parked)
            wait_over(self, task);
        if (task->cell->state != EL_ACTOR_RUNNING)
            el_set_state(&task->cell->state, EL_ACTOR_RUNNING);
    }
    self->stamps = 0;
    self->wait_count = 0;
    pl_leave(self);
}

/* The cells of what is waited for learn who waits; a select waits for several. */
static void objects_wait(struct pl_self *self, struct pl_actor *task, const void *const *objects,
                         unsigned n)
{
    struct pl_wait *w = task->wait;
    w->record = NULL;
    if (!el_wait_is_inside(w->kind) || w->kind == EL_WAIT_JOIN)
        return;
    if (w->kind != EL_WAIT_SELECT) {
        if (n == 0)
            return;
        w->record = pl_object_recent(self, w->object);
        if (w->record == NULL)
            w->record = pl_object_record(self, pl_object_kind_of(w->kind), w->object, 1);
        if (w->record == NULL)
            return;
        if (!el_wait_is_lock(w->kind)) {
            pl_object_task_waits(w->record, task, w->stack);
            pl_channel_waits(w->record, task->id, w->kind);
            return;
        }
        w->io_ticks = __atomic_load_n(&w->record->cell->io_ticks, __ATOMIC_RELAXED);
        pl_object_wait_begins(w->record, task->id, w->stack);
        return;
    }
    for (unsigned i = 0; i < n && i < SELECT_MOST; i++) {
        uint64_t object = (uint64_t)(uintptr_t)objects[i];
        struct pl_object *o = object == 0 ? NULL : pl_object_recent(self, object);
        struct el_object *cell = o != NULL ? o->cell : pl_object_get(self, EL_OBJ_CHAN, object);
        if (cell == NULL)
            continue;
        cell->last_waiter = task->id;
        cell->last_waiter_stack = w->stack;
        if (o != NULL)
            pl_channel_waits(o, task->id, EL_WAIT_SELECT);
    }
}

PL_EXPORT void loiter_task_park(struct loiter_task *t, enum loiter_wait why,
                                const void *const *objects, unsigned n, int timed,
                                const void *caller)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = known(t);
    if (task != NULL && __builtin_expect(task->wait == NULL, 0))
        task->wait = pl_arena_alloc(sizeof(*task->wait));
    if (task != NULL && task->wait != NULL) {
        struct pl_call call = PL_CALL();
        struct pl_wait *w = task->wait;
        struct el_actor *cell = task->cell;
        self->stack_lo = task->stack_lo;
        self->stack_hi = task->stack_hi;
        w->actor = self->actor = task;
        w->kind = (uint32_t)why;
        w->object = n == 0 ? 0 : (uint64_t)(uintptr_t)objects[0];
        w->stack = place_of(self, call, caller);
        w->timed = timed != 0;
        w->waker = 0;
        objects_wait(self, task, objects, n);
        if (task->spawns != NULL)
            pl_spawn_waits(task);
        if (task->held_count != 0)
            pl_held_revise(self, call);
        w->began = is_exact(task, w->kind) ? self->now = pl_now() : pl_stamp(self);
        cell->waits_here = cell->wait_stack == w->stack ? cell->waits_here + 1 : 1;
        cell->wait_stack = w->stack;
        cell->object = w->object;
        cell->since = w->began;
        cell->waker = 0;
        if (timed)
            cell->flags |= EL_ACTOR_TIMED;
        task->parked = 1;
        __atomic_store_n(&cell->wait_kind, w->kind, __ATOMIC_RELEASE);
        el_set_state(&cell->state, EL_ACTOR_WAITING);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_task_unpark(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = known(t);
    if (task != NULL && task->parked) {
        struct el_actor *cell = task->cell;
        task->parked = 0;
        if (task->wait->record != NULL)
            object_leave(task->wait, 0);
        __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
        cell->flags &= ~(uint32_t)EL_ACTOR_TIMED;
        el_set_state(&cell->state, EL_ACTOR_RUNNING);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_task_ready(struct loiter_task *t, const void *object)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct pl_actor *task = known(t);
    /* A worker that makes a task ready stands for a timer or the poller: nobody of the program. */
    int by_runtime = self->actor == self->thread->actor && self->thread->is_worker;
    if (task != NULL) {
        struct el_actor *cell = task->cell;
        if (!by_runtime) {
            cell->waker = self->actor->id;
            if (self->actor->creator == task->id)
                pl_spawn_woken(task, self->actor->id, task->id, self->actor->site);
        }
        if (task->parked)
            wait_over(self, task);
        el_set_state(&cell->state, EL_ACTOR_RUNNABLE);
    }
    struct pl_object *o = NULL;
    if (object != NULL && !by_runtime)
        o = pl_object_recent(self, (uint64_t)(uintptr_t)object);
    if (o != NULL)
        pl_object_woken_again(self, o, PL_CALL());
    pl_leave(self);
}

PL_EXPORT void loiter_mark(const char *name)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    struct el_mark event = {.actor = self->actor->id, .text = name};
    PL_WRITE(self, mark, &event);
    pl_leave(self);
}
