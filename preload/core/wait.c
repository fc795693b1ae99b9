/* wait.c - see wait.h. */
#include "preload/core/wait.h"

#include "preload/core/actor.h"
#include "preload/core/blocked.h"
#include "preload/core/clock.h"
#include "preload/core/contention.h"
#include "preload/core/object.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/wait_cell.h"
#include "preload/core/window.h"
#include "preload/core/word.h"
#include "preload/heap/capture.h"

static const uint8_t object_kinds[] = {
    [EL_WAIT_MUTEX] = EL_OBJ_MUTEX,
    [EL_WAIT_RWLOCK_READ] = EL_OBJ_RWLOCK,
    [EL_WAIT_RWLOCK_WRITE] = EL_OBJ_RWLOCK,
    [EL_WAIT_SPINLOCK] = EL_OBJ_SPINLOCK,
    [EL_WAIT_WEFT_MUTEX] = EL_OBJ_MUTEX,
    [EL_WAIT_WEFT_READ] = EL_OBJ_RWLOCK,
    [EL_WAIT_WEFT_WRITE] = EL_OBJ_RWLOCK,
    [EL_WAIT_COND] = EL_OBJ_COND,
    [EL_WAIT_SEM] = EL_OBJ_SEM,
    [EL_WAIT_BARRIER] = EL_OBJ_BARRIER,
    [EL_WAIT_CHAN_SEND] = EL_OBJ_CHAN,
    [EL_WAIT_CHAN_RECV] = EL_OBJ_CHAN,
    [EL_WAIT_GROUP] = EL_OBJ_GROUP,
    [EL_WAIT_ONCE] = EL_OBJ_ONCE,
    [EL_WAIT_OTHER] = EL_OBJ_OTHER,
    [EL_WAIT_FUTEX] = EL_OBJ_FUTEX,
};

enum el_object_kind pl_object_kind_of(uint32_t wait_kind)
{
    return wait_kind < sizeof(object_kinds) ? object_kinds[wait_kind] : EL_OBJ_OTHER;
}

static void cell_enter(const struct pl_self *self, struct pl_wait *w)
{
    struct el_actor *cell = w->actor->cell;
    if (self->running != NULL) { /* the cell will not be as the task's last wait left it */
        w->actor->wait.token = 0;
        pl_actor_tells(w->actor);
    }
    w->here = cell->wait_stack == w->stack ? cell->waits_here + 1 : 1;
    pl_wait_show(w, cell);
}

/* Where this wait came within another, that one goes on. */
static void cell_leave(const struct pl_wait *w)
{
    struct el_actor *cell = w->actor->cell;
    if (w->outer != NULL) {
        pl_wait_show(w->outer, w->outer->actor->cell);
        return;
    }
    pl_wait_hide(cell);
}

struct pl_late_wait {
    struct pl_wait wait;
    uint64_t now, io_ticks;
    int error;
};

static void late_write(struct pl_self *self)
{
    const struct pl_late_wait *late = self->thread->late;
    self->pending &= ~PL_PENDING_WAIT;
    pl_self_settle(self);
    pl_wait_note(self, &late->wait, late->now, late->io_ticks, late->error);
}

static int is_word_kept(const struct pl_self *self)
{
    return self->pending & PL_PENDING_WAIT && self->thread->late->wait.kind == EL_WAIT_FUTEX;
}

void pl_wait_settle(struct pl_self *self)
{
    if (is_word_kept(self))
        late_write(self);
}

/* Before the next wait. Whoever waits for a word once more did not get what it waited for: a lock
 * that another one took first may be waited for on and on. */
static void late_leave(struct pl_self *self, uint32_t kind, uint64_t object)
{
    if (kind != EL_WAIT_FUTEX || !is_word_kept(self) || self->thread->late->wait.object != object) {
        late_write(self);
        return;
    }
    self->pending &= ~PL_PENDING_WAIT;
    pl_self_settle(self);
}

void pl_wait_write_late(void)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    if (self->pending & PL_PENDING_WAIT)
        late_write(self);
    if (self->pending & PL_PENDING_HOLD && self->thread->contention.lock == 0) {
        self->pending &= ~PL_PENDING_HOLD;
        pl_self_settle(self);
        pl_contention_flush(self);
    }
    pl_leave(self);
}

static void late_keep(struct pl_self *self, const struct pl_wait *w, uint64_t now,
                      uint64_t io_ticks, int error)
{
    struct pl_thread *thread = self->thread;
    if (thread->late == NULL)
        thread->late = pl_arena_alloc(sizeof(*thread->late));
    if (thread->late == NULL || self->pending & PL_PENDING_WAIT) {
        pl_wait_note(self, w, now, io_ticks, error);
        return;
    }
    *thread->late = (struct pl_late_wait){*w, now, io_ticks, error};
    self->pending |= PL_PENDING_WAIT;
    pl_self_settle(self);
}

void pl_held_revise(struct pl_self *self, struct pl_call now)
{
    struct pl_actor *actor = self->actor;
    for (uint32_t i = 0; i < pl_held_count(actor); i++) {
        struct pl_held_lock *held = &actor->held[i];
        if (!held->unsure)
            continue;
        held->unsure = 0;
        held->near = &pl_near_none;
        held->stack =
            pl_stack_revise(self, (struct pl_call){held->pc, held->sp, 0}, held->stack, now);
        if (i < PL_HELD_CELL && actor->held_cell != NULL)
            actor->held_cell->stack[i] = held->stack;
    }
}

int pl_wait_begin_any(struct pl_wait *w, uint32_t kind_and_timed, uint64_t object,
                      struct pl_call call)
{
    const uint32_t kind = kind_and_timed >> 1;
    w->actor = NULL;
    w->plain = 0;
    w->waker = 0;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return 0;
    if (self->pending & PL_PENDING_WAIT)
        late_leave(self, kind, object);
    w->kind = kind;
    w->object = object;
    w->epoch = pl_epoch;
    w->stack = pl_stack(self, call);
    w->waker_creator = 0;
    w->waker_site = NULL;
    w->record = NULL;
    w->actor = self->actor;
    if (pl_wait_has_object(kind))
        w->record = pl_object_waited_anew(self, pl_object_kind_of(kind), object);
    if (w->record != NULL) {
        w->wakes = pl_object_wakings(w->record);
        w->io_ticks = __atomic_load_n(&w->record->cell->io_ticks, __ATOMIC_RELAXED);
        pl_object_wait_begins(w->record, w->actor->id, w->stack);
    }
    if (pl_held_any(w->actor))
        pl_held_revise(self, call);
    if (w->actor->spawns != NULL)
        pl_spawn_waits(self, w->actor);
    pl_wait_nest(self, w, call);
    w->timed = kind_and_timed & 1;
    w->began = pl_now();
    w->before = w->actor->cell->since;
    cell_enter(self, w);
    if (w->here > 1 && self->running == NULL)
        pl_stack_same_keep(self, &self->thread->wait_place, call, w->stack);
    pl_capture_waits(w->actor, w->began);
    pl_blocked_wait_begins(self, w);
    pl_leave(self);
    return 1;
}

/* A server whose loop holds a lock comes here each time round, from one place with one lock. */
static struct pl_site *lock_io_site(struct pl_self *self, uint32_t io_stack, uint32_t lock_stack)
{
    struct pl_lock_io *last = &self->thread->lock_io;
    if (last->site == NULL || last->io_stack != io_stack || last->lock_stack != lock_stack)
        *last = (struct pl_lock_io){io_stack, lock_stack,
                                    pl_site_get(EL_SITE_LOCK_IO, io_stack, lock_stack)};
    return last->site;
}

static struct pl_object *lock_record(struct pl_self *self, const struct pl_held_lock *held)
{
    uint64_t lock = (uint64_t)(uintptr_t)held->lock;
    struct pl_object *o = pl_object_recent(self, lock);
    return o != NULL ? o : pl_object_record(self, pl_object_kind_of(held->kind), lock, 1);
}

static void lock_io_write(struct pl_self *self, const struct pl_wait *w,
                          const struct pl_held_lock *held, uint64_t now)
{
    uint64_t ticks = now - w->began;
    struct pl_object *lock = lock_record(self, held);
    if (lock != NULL)
        el_count(&lock->cell->io_ticks, ticks);
    struct pl_site *site = lock_io_site(self, w->stack, held->stack);
    if (site == NULL)
        return;
    pl_site_add(site, ticks, now);
    if (!pl_site_budget(site, now))
        return;
    struct el_lock_io event = {
        .actor = w->actor->id,
        .lock = (uint64_t)(uintptr_t)held->lock,
        .lock_kind = held->kind,
        .io_kind = w->kind,
        .acquired_stack = held->stack,
        .io_stack = w->stack,
        .began = w->began,
        .ended = now,
        .detail = (int64_t)w->object,
    };
    PL_WRITE(self, lock_io, &event);
}

/* Is it for a lock, one of the program's own making too? */
static int takes_lock(const struct pl_wait *w)
{
    return el_wait_is_lock(w->kind) || (w->kind == EL_WAIT_FUTEX && pl_word_is_lock(w->stack));
}

void pl_wait_note(struct pl_self *self, const struct pl_wait *w, uint64_t now, uint64_t io_ticks,
                  int error)
{
    uint64_t ticks = now - w->began;
    struct pl_actor *actor = w->actor;
    int is_lock = takes_lock(w);
    int over_locks = !is_lock && w->outer == NULL && pl_held_any(actor);
    int is_long = is_lock || ticks >= pl_long_wait_ticks;
    if ((!over_locks && !is_long) || !pl_window_open(now))
        return;
    /* A wait within a wait (a plugin of the resolver) is part of that one. */
    if (over_locks && pl_held_settle(actor) != 0) {
        for (const struct pl_held_lock *held = actor->held; held != actor->held_end; held++)
            if (held->kind != EL_WAIT_ONCE) /* an initialisation may wait */
                lock_io_write(self, w, held, now);
    }
    if (!is_long)
        return;
    if (is_lock)
        pl_contention_waited(w->stack, ticks, now);
    struct pl_site *site = pl_site_get(EL_SITE_WAIT, w->stack, 0);
    if (site == NULL)
        return;
    pl_site_add(site, ticks, now);
    if (!pl_site_budget(site, now))
        return;
    struct el_wait event = {
        .actor = actor->id,
        .kind = w->kind,
        .stack = w->stack,
        .object = w->object,
        .began = w->began,
        .ended = now,
        .waker = w->waker,
        .io_ticks = io_ticks,
        .result = error,
    };
    PL_WRITE(self, wait, &event);
}

/* Who ended the wait: who woke the object since it began. */
static uint64_t object_leave(struct pl_wait *w, uint64_t ticks)
{
    struct pl_object *o = w->record;
    const struct el_object *cell = o->cell;
    if (w->waker == 0 && pl_object_wakings(o) != w->wakes) {
        w->waker = cell->last_waker;
        w->waker_creator = o->waker_creator;
        w->waker_site = o->waker_site;
    }
    uint64_t io = __atomic_load_n(&cell->io_ticks, __ATOMIC_RELAXED) - w->io_ticks;
    io = io > ticks ? ticks : io;
    pl_object_wait_ends(o, ticks, io);
    return io;
}

/* Guard on, if it is not NULL. A wait that went on in another thread was left by the one that began
 * it. */
static struct pl_self *enter_end(const struct pl_wait *w)
{
    struct pl_self *self = w->actor != NULL ? pl_enter() : NULL;
    if (self == NULL || (w->epoch == pl_epoch && w->actor == self->actor))
        return self;
    pl_leave(self);
    return NULL;
}

/* May it leave anything behind? Most do not. */
static int is_noteworthy(const struct pl_wait *w, uint64_t ticks)
{
    return takes_lock(w) || ticks >= pl_long_wait_ticks || pl_held_any(w->actor);
}

/* Is what there is to write of the wait kept back? That of a word until it is known whether the
 * word is a lock. */
static int is_kept(const struct pl_wait *w, int error)
{
    if (w->kind == EL_WAIT_FUTEX)
        return w->outer == NULL && pl_held_any(w->actor) && !pl_word_is_lock(w->stack);
    return el_wait_is_lock(w->kind) && error == 0;
}

void pl_wait_was_none(struct pl_wait *w)
{
    struct pl_self *self = enter_end(w);
    if (self == NULL)
        return;
    if (w->record != NULL) {
        __atomic_fetch_sub(&w->record->cell->waits, 1, __ATOMIC_RELAXED);
        pl_object_wait_ends(w->record, 0, 0);
    }
    pl_capture_waited(w->actor, pl_now());
    pl_wait_unnest(self, w);
    cell_leave(w);
    if (w->outer == NULL)
        w->actor->cell->waits_here--;
    pl_leave(self);
}

void pl_wait_end_any(struct pl_wait *w, int error)
{
    struct pl_self *self = enter_end(w);
    if (self == NULL)
        return;
    uint64_t now = pl_now();
    uint64_t io_ticks = 0;
    if (w->record != NULL)
        io_ticks = object_leave(w, now - w->began);
    if (w->holds)
        pl_blocked_wait_ends(w, now);
    pl_capture_waited(w->actor, now);
    pl_wait_unnest(self, w);
    cell_leave(w);
    if (el_wait_is_inside(w->kind)) {
        w->actor->cell->waker = w->waker;
        pl_spawn_woken(w->actor, w->waker, w->waker_creator, w->waker_site);
    }
    if (is_kept(w, error))
        late_keep(self, w, now, io_ticks, error);
    else if (is_noteworthy(w, now - w->began))
        pl_wait_note(self, w, now, io_ticks, error);
    pl_leave(self);
}
