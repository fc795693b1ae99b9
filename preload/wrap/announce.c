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
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/timer_cell.h"
#include "preload/core/tiny.h"
#include "preload/heap/capture.h"
#include "preload/heap/heap.h"
#include "preload/wrap/announce.h"

#define TASKS_BATCH 64

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
    event.left += pl_young_show(event.run, EL_ACTOR_ABANDONED);
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
PL_INLINE void count_task(struct pl_thread *thread)
{
    uint32_t n = ++thread->tasks_made;
    if (n < TASKS_BATCH || n % TASKS_BATCH == 0)
        el_count(&pl_log.summary->tasks, n <= TASKS_BATCH ? 1 : TASKS_BATCH);
}

struct birth {
    struct loiter_task *task;
    void (*start)(void);
    size_t stack_bytes, capture_bytes;
    const void *caller, *arg;
    struct pl_call call;
};

/* What all tasks of a place have in common is kept there once; the first one tells it. */
static void site_learns(struct pl_site *site, const struct birth *b)
{
    if (site == NULL || site->start != 0)
        return;
    site->capture_bytes = b->capture_bytes;
    site->start = (uint64_t)(uintptr_t)b->start;
}

__attribute__((noinline)) static void created(const struct birth *b)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return;
    forget_after_fork();
    struct pl_actor *task = pl_task_take(self->thread, EL_ACTOR_TASK | b->task->id);
    if (task != NULL) {
        struct el_actor *cell = task->cell;
        uint32_t stack = place_of(self, b->call, b->caller);
        struct pl_site *site = site_of(self->thread, stack);
        task->creator = cell->creator = self->actor->id;
        cell->created_at = pl_stamp(self);
        cell->created_stack = stack;
        cell->start = (uint64_t)(uintptr_t)b->start;
        cell->stack_bytes = b->stack_bytes;
        cell->capture_bytes = b->capture_bytes;
        cell->run = atomic_load_explicit(&run_number, memory_order_relaxed);
        el_set_state(&cell->state, EL_ACTOR_NEW);
        site_learns(site, b);
        pl_spawned(self, self->actor, task, site, b->stack_bytes, cell->created_at);
        if (pl_tiny_is_due(self)) {
            pl_capture_look(task, (uintptr_t)b->arg, b->capture_bytes, PL_TINY_EVERY);
            pl_tiny_choose(self, task);
        }
        count_task(self->thread);
        b->task->tool = task;
    }
    if (self->thread->free_young == NULL && pl_young_stack_offset != 0)
        pl_young_stock(self->thread);
    pl_leave(self);
}

/* A young one at the thread's place; 0 where that cannot be, and nothing was written. */
PL_INLINE int born(struct pl_self *self, struct loiter_task *t, struct pl_actor *parent)
{
    struct pl_thread *thread = self->thread;
    const struct pl_spawner *s = &thread->spawner;
    struct pl_young *y = thread->free_young;
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    if (__builtin_expect(y == NULL || self->until_sample == 0 || tick == 0, 0))
        return 0;
    pl_young_take(thread);
    self->until_sample--;
    const uint64_t now = pl_stamp_from(self, tick);
    y->site = s->site;
    y->id = EL_ACTOR_TASK | t->id;
    y->creator = s->parent;
    y->created_at = now;
    y->kin = s->kin;
    y->kin.made_in = parent->rounds;
    pl_spawn_count(s->run, pl_site_born(self, s->site, s->kin.stack_bytes, now));
    if (__builtin_expect(s->kin.generation != 0, 0))
        pl_lineage_count(parent, s->site, s->kin.generation);
    count_task(thread);
    t->tool = (char *)y + PL_YOUNG;
    return 1;
}

/* Does the actor make one more of what the thread made last? */
PL_INLINE int is_alike(const struct pl_spawner *s, const struct pl_actor *parent,
                       void (*start)(void), size_t stack_bytes, size_t capture_bytes,
                       const void *caller)
{
    return parent != NULL && parent->id == s->parent && s->caller == (uintptr_t)caller &&
           s->start == start && s->kin.stack_bytes == stack_bytes &&
           s->capture_bytes == capture_bytes && s->run->site == s->site;
}

PL_INLINE int is_same_place(const struct pl_spawner *s, uintptr_t pc, uintptr_t sp)
{
    if (s->sp != sp || s->pc != pc)
        return 0;
    const struct pl_frame *f = s->frame, *end = f + s->frames;
    for (; f != end; f++)
        if (pl_plain_address(*f->at) != f->word)
            return 0;
    return 1;
}

/* Tells whether it can be known by its frames. */
static int frames_learn(struct pl_spawner *s, const struct pl_stack_entry *e)
{
    if (e->n > PL_SPAWNER_FRAMES)
        return 0;
    for (uint32_t i = 0; i < e->n; i++)
        s->frame[i] = (struct pl_frame){(const uintptr_t *)s->sp + e->offsets[i], e->words[i]};
    s->frames = e->n;
    return 1;
}

/* The thread's place is another one from now on: an actor makes a task where it made one before.
 * 0: not so. *again: a further one may be compared with it. */
static int spawner_learn(struct pl_self *self, const struct birth *b, int *again)
{
    struct pl_thread *thread = self->thread;
    struct pl_spawner *s = &thread->spawner;
    struct pl_actor *parent = self->actor;
    struct pl_site *site = thread->spawn_site;
    const uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, b->call.sp);
    s->parent = 0;
    if (pl_young_stack_offset == 0 || parent->spawns == NULL || thread->stacks == NULL ||
        b->stack_bytes > UINT32_MAX)
        return 0;
    const struct pl_stack_entry *e =
        &thread->stacks
             ->entries[pl_stack_slot_of(self, b->call, (uintptr_t)b->caller, thread->spawn_stack)];
    if (thread->spawn_stack == 0 || e->id != thread->spawn_stack ||
        pl_stack_match(e, b->call, place, (uintptr_t)b->caller) == 0 ||
        site->start != (uint64_t)(uintptr_t)b->start || site->capture_bytes != b->capture_bytes)
        return 0;
    s->run = pl_spawn_run_known(parent, site);
    if (s->run == NULL)
        return 0;
    s->site = site;
    s->pc = b->call.pc;
    s->sp = b->call.sp;
    s->caller = (uintptr_t)b->caller;
    s->start = b->start;
    s->capture_bytes = b->capture_bytes;
    const struct pl_line older = pl_lineage_other(parent, site);
    s->kin = (struct pl_kin){.older = older.site,
                             .generation = pl_lineage_of(parent, site),
                             .older_generation = older.generation,
                             .epoch = pl_epoch,
                             .run = atomic_load_explicit(&run_number, memory_order_relaxed),
                             .stack_bytes = (uint32_t)b->stack_bytes};
    s->parent = parent->id;
    *again = frames_learn(s, e);
    return 1;
}

/* One more task at the place where this thread made its last, but by another actor perhaps. */
__attribute__((noinline)) static int born_again(const struct birth *b)
{
    struct pl_self *self = pl_enter_here();
    if (self == NULL)
        return 1;
    int done = 0, again = 0;
    struct pl_thread *thread = self->thread;
    if (self->actor->spawns != NULL && self->until_sample != 0 &&
        place_of(self, b->call, b->caller) == thread->spawn_stack &&
        spawner_learn(self, b, &again)) {
        done = born(self, b->task, self->actor);
        if (!again)
            thread->spawner.parent = 0;
    }
    pl_leave(self);
    return done;
}

PL_SECOND_WAY void created_slowly(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                                  size_t capture_bytes, const void *caller, const void *arg)
{
    const struct birth b = {t, start, stack_bytes, capture_bytes, caller, arg, PL_CALL()};
    if (!born_again(&b))
        created(&b);
}

/* The usual case, which calls nothing: one more task like the thread's last one, by the same actor,
 * from the same place, that is no sample: a young one. */
PL_EXPORT PL_FRAMELESS void loiter_task_created(struct loiter_task *t, void (*start)(void),
                                                size_t stack_bytes, size_t capture_bytes,
                                                const void *caller, const void *arg)
{
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        const struct pl_spawner *s = &self->thread->spawner;
        struct pl_actor *parent = pl_runs_here(self);
        int done = is_alike(s, parent, start, stack_bytes, capture_bytes, caller) &&
                   is_same_place(s, PL_PC(), PL_SP()) && born(self, t, parent);
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    created_slowly(t, start, stack_bytes, capture_bytes, caller, arg);
}

__attribute__((noinline)) static void exited(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_of(self, t);
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
        pl_task_put(self->thread, task);
    }
    pl_leave(self);
}

PL_EXPORT void loiter_task_exit(struct loiter_task *t)
{
    struct pl_young *y = pl_young_of(t);
    struct pl_self *self = pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        if (y != NULL) {
            struct pl_site *site = y->site;
            uint64_t id = y->id;
            pl_young_put(self->thread, y);
            t->tool = NULL;
            pl_site_died(site, self->thread);
            pl_young_hide(id);
        }
        pl_leave_quickly(self);
        if (__builtin_expect(y != NULL, 1))
            return;
    }
    exited(t);
}

PL_EXPORT void loiter_task_computes(const struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    pl_young_show_one(t);
    pl_leave(self);
}

PL_EXPORT void loiter_task_stacks(ptrdiff_t offset)
{
    pl_young_stack_offset = offset;
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
