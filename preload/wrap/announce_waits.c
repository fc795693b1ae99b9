/*
 * announce_waits.c - the runtime's side of loiter.h: parking, and who runs. Waking is in
 * announce_wakes.c.
 *
 * The words of a task's wait lie in a pl_wait that stays with the task, because begin and end of
 * the wait run on different threads. A task mostly waits for what it waited for last: then the
 * object's record is at hand.
 */
#include <loiter.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/channel.h"
#include "preload/core/clock.h"
#include "preload/core/group.h"
#include "preload/core/note.h"
#include "preload/core/object.h"
#include "preload/core/passing.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/wait.h"
#include "preload/heap/capture.h"
#include "preload/wrap/announce.h"

#define SELECT_MOST 64 /* objects of one wait whose cells learn of the waiter */
#define LOOK_EVERY  64

/* A wait whose time is not to be guessed: others wait for what is held, or for the same lock. */
static inline int is_exact(const struct pl_actor *task, uint32_t kind)
{
    return el_wait_is_lock(kind) || pl_held_any(task);
}

/* ---- the end of a wait ---- */

/* The wait of a lock is counted as those of threads are. */
__attribute__((noinline)) static uint64_t lock_leave(const struct pl_wait *w, uint64_t ticks)
{
    uint64_t io = __atomic_load_n(&w->record->cell->io_ticks, __ATOMIC_RELAXED) - w->io_ticks;
    io = io < ticks ? io : ticks;
    pl_object_wait_ends(w->record, ticks, io);
    return io;
}

__attribute__((noinline)) static void note(struct pl_self *self, struct pl_wait *w, uint64_t ticks,
                                           uint64_t io_ticks)
{
    w->waker = w->actor->cell->waker;
    pl_wait_note(self, w, w->began + ticks, io_ticks, 0);
}

static inline uint64_t object_leave(const struct pl_wait *w, uint64_t ticks)
{
    if (w->record == NULL)
        return 0;
    if (__builtin_expect(el_wait_is_lock(w->kind), 0))
        return lock_leave(w, ticks);
    pl_object_task_waited(w->record, ticks);
    return 0;
}

void pl_task_wait_over(struct pl_self *self, struct pl_actor *task, uint32_t state)
{
    struct pl_wait *w = &task->wait;
    const int exact = is_exact(task, w->kind);
    /* One over a tick may have been long. */
    const int read = exact || w->began <= atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    uint64_t now = read ? self->now = pl_now() : pl_stamp(self);
    uint64_t ticks = now > w->began ? now - w->began : 0; /* another thread's clock began it */
    uint64_t io_ticks = object_leave(w, ticks);
    pl_capture_waited(task, now);
    pl_task_leaves_wait(task, w, state);
    if (__builtin_expect(ticks >= pl_long_wait_ticks || exact, 0))
        note(self, w, ticks, io_ticks);
}

PL_EXPORT void loiter_task_switch(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = t == NULL ? NULL : pl_task_of(self, t);
    if (task == NULL) {
        self->actor = self->thread->actor;
        self->stack_lo = self->actor->stack_lo;
        self->stack_hi = self->actor->stack_hi;
    } else {
        self->actor = task;
        self->stack_lo = task->stack_lo;
        self->stack_hi = task->stack_hi;
        pl_passing_settle(task);
        if (task->parked)
            pl_task_wait_over(self, task, EL_ACTOR_RUNNING);
        else if (task->cell->state != EL_ACTOR_RUNNING)
            el_set_state(&task->cell->state, EL_ACTOR_RUNNING);
    }
    self->stamps = 0;
    self->wait_count = 0;
    pl_leave(self);
}

PL_EXPORT void loiter_task_unpark(struct loiter_task *t)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL)
        return;
    struct pl_actor *task = pl_task_grown(t);
    if (task != NULL)
        pl_passing_settle(task);
    if (task != NULL && task->parked) {
        object_leave(&task->wait, 0);
        pl_capture_waited(task, task->wait.began);
        pl_task_leaves_wait(task, &task->wait, EL_ACTOR_RUNNING);
    }
    pl_leave(self);
}

/* ---- its beginning ---- */

/* A lock, or an object that the task did not wait for last. */
__attribute__((noinline)) static void object_find(struct pl_self *self, struct pl_wait *w)
{
    w->record = pl_object_recent(self, w->object);
    if (w->record == NULL)
        w->record = pl_object_record(self, pl_object_kind_of(w->kind), w->object, 1);
    if (w->record == NULL || !el_wait_is_lock(w->kind))
        return;
    w->io_ticks = __atomic_load_n(&w->record->cell->io_ticks, __ATOMIC_RELAXED);
    pl_object_wait_begins(w->record, w->actor->id, w->stack);
}

/* The cells of all of them learn who waits. */
__attribute__((noinline)) static void select_waits(struct pl_self *self, const struct pl_wait *w,
                                                   const void *const *objects, unsigned n)
{
    self->stack_lo = w->actor->stack_lo;
    self->stack_hi = w->actor->stack_hi;
    for (unsigned i = 0; i < n && i < SELECT_MOST; i++) {
        uint64_t object = pl_id_of(objects[i]);
        struct pl_object *o = object == 0 ? NULL : pl_object_recent(self, object);
        struct el_object *cell = o != NULL ? o->cell : pl_object_get(self, EL_OBJ_CHAN, object);
        if (cell == NULL)
            continue;
        cell->last_waiter = w->actor->id;
        cell->last_waiter_stack = w->stack;
        if (o != NULL)
            pl_channel_waits(o, w->actor->id, EL_WAIT_SELECT);
    }
}

static void object_waits(struct pl_self *self, struct pl_actor *task, struct pl_wait *w)
{
    object_find(self, w);
    if (w->record == NULL || el_wait_is_lock(w->kind))
        return;
    pl_object_task_waits(w->record, task, w->stack);
    pl_channel_waits(w->record, task->id, w->kind);
}

struct wait_asked {
    struct loiter_task *task;
    const void *const *objects;
    unsigned n;
    uint32_t kind, timed;
    const void *caller;
    struct pl_call call;
    const struct pl_place *place; /* or NULL */
};

/* What changes in the cell with each wait. */
PL_INLINE void cell_waits(struct pl_actor *task, struct el_actor *cell, uint64_t since,
                          uint32_t kind, uint32_t timed, enum pl_parked parked)
{
    cell->since = since;
    cell->waker = 0;
    if (timed)
        cell->flags |= EL_ACTOR_TIMED;
    task->parked = (uint16_t)parked;
    __atomic_store_n(&cell->wait_kind, kind, __ATOMIC_RELEASE);
    el_set_state(&cell->state, EL_ACTOR_WAITING);
}

PL_INLINE enum pl_parked parked_as(const struct pl_actor *task, const struct pl_wait *w)
{
    const int holds = (task->captured & PL_CAPTURE_HOLDS) != 0;
    if (w->again == 0 || pl_held_any(task) ||
        atomic_load_explicit(&pl_coarse, memory_order_relaxed) == 0)
        return PL_PARKED;
    if (w->kind == EL_WAIT_SELECT)
        return holds ? PL_PARKED : PL_PARKED_SELECTING;
    if (w->record == NULL)
        return PL_PARKED;
    if (holds)
        return w->timed ? PL_PARKED : PL_PARKED_HOLDING;
    return w->timed ? PL_PARKED_TIMED : PL_PARKED_PLAINLY;
}

PL_INLINE void cell_enter(struct pl_actor *task, const struct pl_wait *w)
{
    struct el_actor *cell = task->cell;
    cell->waits_here = cell->wait_stack == w->stack ? cell->waits_here + 1 : 1;
    cell->wait_stack = w->stack;
    cell->object = w->object;
    cell_waits(task, cell, w->began, w->kind, w->timed, parked_as(task, w));
}

/* For one where the objects say all else. Those of a select learn it when it waits again. */
static void token_give(const struct pl_self *self, struct pl_wait *w)
{
    const struct pl_actor *task = w->actor;
    if (w->timed || (task->captured & PL_CAPTURE_HOLDS) != 0 || pl_lineage_may_wait(task) ||
        (w->kind != EL_WAIT_SELECT && w->record == NULL) ||
        (w->kind == EL_WAIT_GROUP && w->waited == NULL))
        return;
    w->token = pl_token(self->thread);
    if (w->record != NULL)
        w->record->waiter = w->token;
    if (w->waited != NULL)
        w->waited->record = w->record;
}

/* What the next wait will be compared with. */
static void again_learn(const struct pl_self *self, struct pl_wait *w,
                        const struct wait_asked *asked)
{
    const uintptr_t sp = asked->call.sp;
    w->again = 0;
    w->token = 0;
    w->place = pl_stack_place(self->stack_lo, self->stack_hi, sp);
    const struct pl_stack_entry *e = pl_stack_entry_of(self, w->slot, w->place, w->stack);
    if (asked->place != NULL || el_wait_is_lock(w->kind) || e == NULL || e->n == 0)
        return;
    const struct pl_stack_word *word = &e->words[pl_stack_beyond(e, (uintptr_t)asked->caller)];
    w->at = (const uintptr_t *)sp + word->offset;
    w->word = word->word;
    w->actor->again.word = *w->at;
    w->sp = sp;
    w->caller = (uintptr_t)asked->caller;
    w->turns = LOOK_EVERY;
    w->again = w->kind;
    token_give(self, w);
}

static void wait_anew(struct pl_self *self, struct pl_actor *task, const struct wait_asked *asked)
{
    struct pl_wait *w = &task->wait;
    pl_passing_count(task);
    pl_actor_tells(task);
    task->passing.selected = 0;
    self->actor = w->actor = task;
    self->stack_lo = task->stack_lo;
    self->stack_hi = task->stack_hi;
    w->kind = asked->kind;
    w->object = asked->n == 0 ? 0 : pl_id_of(asked->objects[0]);
    w->timed = asked->timed != 0;
    w->record = NULL;
    w->waited = NULL;
    if (asked->place != NULL)
        w->stack = pl_stack_of_place(self, asked->place);
    else
        w->stack = pl_stack_from(self, asked->call, asked->caller);
    w->slot = pl_stack_slot_of(self, asked->call, (uintptr_t)asked->caller, w->stack);
    if (pl_noted(self))
        pl_note_take(self);
    if (w->kind == EL_WAIT_SELECT)
        select_waits(self, w, asked->objects, asked->n);
    else if (pl_wait_has_object(w->kind) && asked->n != 0)
        object_waits(self, task, w);
    w->object_cell = w->record == NULL ? NULL : w->record->cell;
    if (w->kind == EL_WAIT_GROUP && asked->n != 0)
        w->waited = pl_waitgroup_waited(self, w->object, w->stack);
    if (task->spawns != NULL)
        pl_spawn_waits(self, task);
    if (pl_held_any(task))
        pl_held_revise(self, asked->call);
    w->began = is_exact(task, w->kind) ? self->now = pl_now() : pl_stamp(self);
    pl_capture_waits(task, w->began);
    again_learn(self, w, asked);
    cell_enter(task, w);
}

__attribute__((noinline)) static void park(const struct wait_asked *asked)
{
    struct pl_self *self = pl_enter_blindly();
    if (self == NULL) {
        pl_note_empty();
        return;
    }
    struct pl_actor *task = pl_task_of(self, asked->task);
    if (task != NULL)
        wait_anew(self, task, asked);
    pl_leave(self);
}

/*
 * The usual cases, which call nothing: the task waited last at the same place and for the same, in
 * a wait of no lock, and so what is to be written is little. They give 0 where it is another case,
 * which the long way sees to. That the place is the same is seen by two return addresses, that of
 * the call and its caller's, and each LOOK_EVERY-th time by all of them.
 */
struct again {
    struct pl_self *self;
    struct pl_actor *task;
    struct pl_wait *w;
};

PL_INLINE int is_like(const struct again *a, enum loiter_wait why, int timed, uint64_t object,
                      const void *caller, uintptr_t sp)
{
    const struct pl_wait *w = a->w;
    if (w == NULL || w->object != object || w->again != (uint32_t)why ||
        w->timed != (uint32_t)timed || w->sp != sp || w->caller != (uintptr_t)caller ||
        pl_held_any(a->task) || pl_noted(a->self))
        return 0;
    return pl_plain_address(*w->at) == w->word;
}

/* So many times more, a look is enough. */
PL_INLINE int is_trusted(struct pl_wait *w)
{
    if ((int32_t)--w->turns >= 0)
        return 1;
    w->turns = 0;
    return 0;
}

static int is_still(const struct again *a)
{
    struct pl_wait *w = a->w;
    const struct pl_stack_entry *e = pl_stack_entry_of(a->self, w->slot, w->place, w->stack);
    w->turns = LOOK_EVERY;
    return e != NULL && pl_stack_is_still(e, w->sp);
}

/* It is the object's record, and there is nothing to tell of a channel that is not known. */
PL_INLINE int is_object_alike(const struct again *a, const struct pl_object *o, uint64_t object)
{
    return o != NULL && pl_object_is(o, object) &&
           (o->count == NULL || pl_channel_waits_again(o, a->task->id, a->w->kind));
}

PL_INLINE void object_learns(const struct again *a, struct pl_object *o)
{
    a->w->object_cell = o->cell;
    o->waiter = a->w->token;
    o->cell->last_waiter = a->task->id;
    o->cell->last_waiter_stack = a->w->stack;
}

PL_SECOND_WAY void park_slowly(struct loiter_task *t, enum loiter_wait why,
                               const void *const *objects, unsigned n, int timed,
                               const void *caller)
{
    park(&(struct wait_asked){t, objects, n, (uint32_t)why, timed != 0, caller, PL_CALL(), NULL});
}

PL_INLINE struct pl_object *object_at(const struct again *a, uint64_t object)
{
    return a->self->thread->objects[pl_recent_slot(object)];
}

PL_INLINE int is_asked_alike(const struct again *a, enum loiter_wait why,
                             const void *const *objects, unsigned n)
{
    if (why == LOITER_WAIT_SELECT) {
        for (unsigned i = 0; i < n; i++) {
            const uint64_t object = pl_id_of(objects[i]);
            if (!is_object_alike(a, object_at(a, object), object))
                return 0;
        }
        return 1;
    }
    const uint64_t object = pl_id_of(objects[0]);
    return n == 1 &&
           (why != LOITER_WAIT_GROUP || pl_waitgroup_waits_alike(a->w->waited, a->task, a->w)) &&
           is_object_alike(a, a->w->record, object);
}

/* The task belongs to the objects until it is ready. */
PL_INLINE void objects_learn(const struct again *a, enum loiter_wait why,
                             const void *const *objects, unsigned n)
{
    if (why == LOITER_WAIT_SELECT) {
        for (unsigned i = 0; i < n; i++)
            object_learns(a, object_at(a, pl_id_of(objects[i])));
        return;
    }
    struct pl_object *o = a->w->record;
    if (why != LOITER_WAIT_GROUP && o->waiter != a->w->token) {
        o->task_waiter = a->task;
        object_learns(a, o);
    }
    pl_object_count(&a->w->object_cell->waits);
    if (why == LOITER_WAIT_GROUP)
        pl_waitgroup_waits_again(a->w->waited, a->task);
}

static void wait_again(const struct again *a, enum loiter_wait why, const void *const *objects,
                       unsigned n)
{
    struct pl_wait *w = a->w;
    objects_learn(a, why, objects, n);
    w->began = pl_stamp(a->self);
    pl_capture_waits(a->task, w->began);
    cell_enter(a->task, w);
}

/* One that may be like the last one and is looked at closely, or has more to do. */
__attribute__((noinline)) PL_FRAMELESS static void
park_closely(struct loiter_task *t, enum loiter_wait why, const void *const *objects, unsigned n,
             int timed, const void *caller)
{
    if (pl_is_deaf()) {
        pl_note_empty();
        return;
    }
    struct pl_self *self = n == 0 || n > SELECT_MOST ? NULL : pl_enter_quickly();
    if (__builtin_expect(self != NULL, 1)) {
        struct pl_actor *task = pl_task_grown(t);
        const struct again a = {self, task, task == NULL ? NULL : &task->wait};
        if (task != NULL)
            pl_passing_count(task);
        int done = is_like(&a, why, timed, pl_id_of(objects[0]), caller, PL_SP()) &&
                   (is_trusted(a.w) || is_still(&a)) && is_asked_alike(&a, why, objects, n);
        if (done) {
            if (task->spawns != NULL)
                pl_spawn_waits(self, task);
            if (why == LOITER_WAIT_SELECT)
                pl_passing_selects(self, task, objects, n);
            wait_again(&a, why, objects, n);
        }
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    park_slowly(t, why, objects, n, timed, caller);
}

/*
 * The same where the thread has nothing to count, the clock is not to be read, and what the task
 * waits for says by its token that nothing has changed. `why` is constant in each of its uses. What
 * is looked at is not kept for what is written: the few registers that nobody has to save are
 * enough then.
 */
PL_INLINE int is_known_to(const struct again *a, enum loiter_wait why, const void *const *objects,
                          unsigned n)
{
    const struct pl_wait *w = a->w;
    if (why == LOITER_WAIT_SELECT)
        return is_asked_alike(a, why, objects, n);
    return w->record->waiter == w->token ||
           (why != LOITER_WAIT_GROUP && is_object_alike(a, w->record, w->object));
}

PL_INLINE int park_quickly(struct pl_self *self, const struct loiter_task *t, enum loiter_wait why,
                           const void *const *objects, unsigned n, const void *caller, uintptr_t sp)
{
    struct pl_actor *task = pl_task_grown(t);
    struct pl_wait *w = task == NULL ? NULL : &task->wait;
    const struct again a = {self, task, w};
    if (task == NULL || w->token == 0 || task->again.passed != 0 ||
        (why == LOITER_WAIT_SELECT && task->passing.selected != n && n <= LOITER_AGAIN_MOST) ||
        w->object != pl_id_of(objects[0]) || w->again != (uint32_t)why || w->sp != sp ||
        w->caller != (uintptr_t)caller || pl_held_any(task) || pl_noted(self) ||
        pl_plain_address(*w->at) != w->word || !pl_stamps_go_on(self) ||
        !is_known_to(&a, why, objects, n) ||
        (task->spawns != NULL && !pl_spawn_waits_quickly(self->thread, task)) || !is_trusted(w))
        return 0;
    atomic_signal_fence(memory_order_seq_cst);
    objects_learn(&a, why, objects, n);
    struct el_actor *cell = task->cell;
    const uint64_t now = pl_stamp_on(self);
    w->began = now;
    cell->waits_here++;
    cell_waits(task, cell, now, (uint32_t)why, 0,
               why == LOITER_WAIT_SELECT ? PL_PARKED_SELECTING : PL_PARKED_PLAINLY);
    return 1;
}

PL_OTHER_WAY PL_FRAMELESS void park_select(struct loiter_task *t, enum loiter_wait why,
                                           const void *const *objects, unsigned n, int timed,
                                           const void *caller)
{
    struct pl_self *self = n == 0 || n > SELECT_MOST || timed ? NULL : pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        int done = park_quickly(self, t, LOITER_WAIT_SELECT, objects, n, caller, PL_SP());
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    park_closely(t, why, objects, n, timed, caller);
}

PL_OTHER_WAY PL_FRAMELESS void park_group(struct loiter_task *t, enum loiter_wait why,
                                          const void *const *objects, unsigned n, int timed,
                                          const void *caller)
{
    if (n != 1 || timed) {
        park_closely(t, why, objects, n, timed, caller);
        return;
    }
    struct pl_self *self = pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        int done = park_quickly(self, t, LOITER_WAIT_GROUP, objects, 1, caller, PL_SP());
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    park_closely(t, LOITER_WAIT_GROUP, objects, 1, 0, caller);
}

PL_EXPORT PL_FRAMELESS void loiter_task_park(struct loiter_task *t, enum loiter_wait why,
                                             const void *const *objects, unsigned n, int timed,
                                             const void *caller)
{
    if (why == LOITER_WAIT_GROUP) {
        park_group(t, why, objects, n, timed, caller);
        return;
    }
    if (why == LOITER_WAIT_SELECT) {
        park_select(t, why, objects, n, timed, caller);
        return;
    }
    if (n != 1 || timed) {
        park_closely(t, why, objects, n, timed, caller);
        return;
    }
    struct pl_self *self = pl_enter_straight();
    if (__builtin_expect(self != NULL, 1)) {
        int done = park_quickly(self, t, why, objects, 1, caller, PL_SP());
        pl_leave_quickly(self);
        if (__builtin_expect(done, 1))
            return;
    }
    park_closely(t, why, objects, 1, 0, caller);
}

PL_EXPORT void loiter_lock_waits(struct loiter_task *t, enum loiter_wait why, const void *lock,
                                 const void *pc, const void *frame, const void *caller)
{
    const struct pl_place place = {pc, frame, caller};
    park(&(struct wait_asked){t, &lock, 1, (uint32_t)why, 0, pc, PL_CALL(), &place});
}
