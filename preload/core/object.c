/* object.c - see object.h. */
#include "preload/core/object.h"

#include <string.h>

#include "preload/core/actor.h"
#include "preload/core/channel.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/modules.h"
#include "preload/core/passing.h"
#include "preload/core/stack.h"

static struct pl_map objects;
static struct pl_pool records = {.bytes = sizeof(struct pl_object)};

/* Destroyed locks that were waited for, each for all of its kind that were waited for last at the
 * same place. They are no longer in `objects`, and are not used again. */
static struct pl_map kept;
#define KEPT_MOST 1024

/* Words of memory that have a record: hardly one is ever given back. */
static _Atomic int32_t words;
#define WORDS_MOST 65536

static void words_count(uint32_t kind, int32_t n)
{
    if (kind == EL_OBJ_FUTEX)
        atomic_fetch_add(&words, n);
}

void pl_objects_reset(void)
{
    atomic_store(&records.head, 0);
    pl_map_init(&kept, 4);
    objects.near = 1;
    pl_map_init(&objects, 16);
    atomic_store(&words, 0);
}

void pl_object_each(int (*on)(void *object, void *ctx), void *ctx)
{
    pl_map_each(&objects, on, ctx);
}

enum el_storage pl_storage_of(const struct pl_self *self, uint64_t address)
{
    if (pl_modules_cover(address))
        return EL_STORAGE_STATIC;
    uint64_t here = (uint64_t)(uintptr_t)__builtin_frame_address(0);
    if (self->stack_hi != 0 && address < self->stack_hi && address >= here)
        return EL_STORAGE_STACK;
    return EL_STORAGE_HEAP;
}

struct wanted {
    const struct pl_self *self;
    enum el_object_kind kind;
    uint64_t object;
};

/* What is known of it by what was done to it. */
static void history_clear(struct pl_object *o)
{
    o->waker_creator = 0;
    o->waker_site = NULL;
    memset(o->wakings, 0, sizeof(o->wakings));
    o->post = NULL;
    o->posts = 0;
    pl_object_forget(o);
}

void pl_object_renew(const struct pl_self *self, struct pl_object *o, enum el_object_kind kind)
{
    struct el_object *cell = o->cell;
    if (atomic_load(&o->waiters) != 0)
        return;
    history_clear(o);
    words_count(cell->kind, -1);
    words_count(kind, 1);
    if (cell->kind != kind)
        cell->items = cell->capacity = 0;
    cell->kind = kind;
    cell->storage = pl_storage_of(self, cell->object);
    cell->created_at = pl_now();
    cell->creator = cell->last_waker = cell->last_waker_at = 0;
    cell->created_stack = cell->last_waker_stack = 0;
    __atomic_store_n(&cell->wakes, 0, __ATOMIC_RELAXED);
}

static void *object_make(void *arg)
{
    const struct wanted *w = arg;
    int fresh;
    if (w->kind == EL_OBJ_FUTEX && atomic_load(&words) >= WORDS_MOST)
        return NULL;
    struct pl_object *o = pl_pool_get(&records, &fresh);
    if (o == NULL)
        return NULL;
    if (o->cell == NULL)
        o->cell = el_alloc_object(&pl_log);
    if (o->cell == NULL) {
        pl_pool_put(&records, o);
        return NULL;
    }
    struct el_object *cell = o->cell;
    memset((char *)cell + sizeof(cell->state), 0, sizeof(*cell) - sizeof(cell->state));
    atomic_store(&o->waiters, 0);
    atomic_store(&o->gone, 0);
    history_clear(o);
    words_count(w->kind, 1);
    o->task_waiter = NULL;
    o->count = NULL;
    o->receiver = 0;
    o->left = o->sides = 0;
    o->dropped_at = 0;
    cell->kind = w->kind;
    cell->object = w->object;
    cell->created_at = pl_now();
    cell->storage = pl_storage_of(w->self, w->object);
    el_set_state(&cell->state, EL_LIVE);
    __atomic_store_n(&o->address, w->object, __ATOMIC_RELEASE);
    return o;
}

struct pl_object *pl_object_record(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                                   int create)
{
    struct wanted w = {self, kind, object};
    if (object == 0)
        return NULL;
    return create ? pl_map_get(&objects, object, object_make, &w) : pl_map_find(&objects, object);
}

struct pl_object *pl_object_look(const struct pl_self *self, uint64_t object)
{
    struct pl_object *o = object == 0 ? NULL : pl_map_find(&objects, object);
    if (o != NULL)
        self->thread->objects[pl_recent_slot(object)] = o;
    return o;
}

struct el_object *pl_object_find(uint64_t object)
{
    struct pl_object *o = object == 0 ? NULL : pl_map_find(&objects, object);
    return o == NULL ? NULL : o->cell;
}

struct el_object *pl_object_get(struct pl_self *self, enum el_object_kind kind, uint64_t object)
{
    struct pl_object *o = pl_object_record(self, kind, object, 1);
    return o == NULL ? NULL : o->cell;
}

struct el_object *pl_object_created(struct pl_self *self, enum el_object_kind kind, uint64_t object,
                                    uint64_t capacity, uint32_t stack)
{
    pl_object_gone(object);
    struct el_object *cell = pl_object_get(self, kind, object);
    if (cell == NULL)
        return NULL;
    cell->creator = self->actor->id;
    cell->created_stack = stack;
    cell->capacity = capacity;
    return cell;
}

static void *keep_it(void *o)
{
    return o;
}

static void add_to_kept(struct el_object *sum, const struct el_object *cell)
{
    __atomic_fetch_add(&sum->waits, cell->waits, __ATOMIC_RELAXED);
    __atomic_fetch_add(&sum->wakes, cell->wakes, __ATOMIC_RELAXED);
    el_count(&sum->wait_ticks, cell->wait_ticks);
    el_count(&sum->wait_io_ticks, cell->wait_io_ticks);
    el_count(&sum->io_ticks, cell->io_ticks);
}

/* What was waited for a lock is told after its end too. 1: by this record. */
static int object_is_kept(struct pl_object *o)
{
    struct el_object *cell = o->cell;
    if (!el_object_is_lock(cell->kind) || cell->waits == 0)
        return 0;
    uint64_t key = (uint64_t)cell->kind << 32 | cell->last_waiter_stack;
    struct pl_object *sum = atomic_load_explicit(&kept.count, memory_order_relaxed) < KEPT_MOST
                                ? pl_map_get(&kept, key, keep_it, o)
                                : pl_map_find(&kept, key);
    if (sum == NULL)
        return 0;
    el_count(&sum->cell->items, 1);
    if (sum != o)
        add_to_kept(sum->cell, cell);
    else
        el_set_state(&cell->state, EL_GONE);
    return sum == o;
}

static void object_free(struct pl_object *o)
{
    __atomic_store_n(&o->address, 0, __ATOMIC_RELAXED);
    if (object_is_kept(o))
        return;
    words_count(o->cell->kind, -1);
    el_set_state(&o->cell->state, EL_FREE);
    pl_pool_put(&records, o);
}

/* Records of actors stay mapped: one that was reused has another id. */
static int task_waits(const struct pl_object *o)
{
    const struct pl_actor *task = o->task_waiter;
    return task != NULL && task->id == o->cell->last_waiter &&
           task->cell->wait_kind != EL_WAIT_NONE && task->cell->object == o->cell->object;
}

void pl_object_gone(uint64_t object)
{
    struct pl_object *o = object == 0 ? NULL : pl_map_take(&objects, object, NULL);
    if (o == NULL)
        return;
    pl_object_forget(o);
    if (o->task_waiter != NULL)
        pl_passing_interrupt(o->task_waiter);
    if (atomic_load(&o->waiters) == 0 && !task_waits(o)) {
        object_free(o);
        return;
    }
    __atomic_store_n(&o->address, 0, __ATOMIC_RELAXED);
    el_set_state(&o->cell->state, EL_GONE);
    atomic_store(&o->gone, 1);
}

void pl_object_woken(struct pl_self *self, struct pl_object *o, uint32_t stack)
{
    const struct pl_actor *actor = self->actor;
    struct el_object *cell = o->cell;
    pl_object_forget(o);
    o->waker_creator = actor->creator;
    o->waker_site = actor->site;
    cell->last_waker = actor->id;
    cell->last_waker_at = pl_now();
    cell->last_waker_stack = stack;
    __atomic_fetch_add(&cell->wakes, 1, __ATOMIC_RELEASE);
}

void pl_object_woken_at(struct pl_self *self, struct pl_object *o, uintptr_t pc, uintptr_t sp,
                        uintptr_t fp)
{
    struct el_object *cell = o->cell;
    const struct pl_who me = pl_who(self->actor);
    const uint32_t posts = o->posts;
    const int looks = posts % PL_LOOK_EVERY < 2; /* so that none, one and more are told apart */
    const int waited = atomic_load_explicit(&o->waiters, memory_order_relaxed) != 0;
    struct pl_post *post = &self->thread->posts[pl_post_slot(cell->object, pc, sp)];
    const int same = !looks && pl_post_is(post, cell->object, me.id, pc, sp);
    if (!same || o->post != post) {
        const struct pl_call call = {pc, sp, fp};
        const uint32_t stack = same     ? post->stack
                               : waited ? pl_stack(self, call)
                                        : pl_stack_or_shallow(self, call);
        pl_object_woken_by(o, &me, pc, sp, stack);
        *post = (struct pl_post){cell->object, me.id, pc, sp, o, stack};
        o->post = post;
    }
    __atomic_store_n(&o->posts, posts + 1, __ATOMIC_RELEASE);
    /* The clock is half of what this takes, and a lock made of a semaphore comes here each time. */
    if (looks || waited) {
        cell->last_waker_at = pl_now();
        __atomic_store_n(&cell->wakes, posts + 1, __ATOMIC_RELAXED);
    }
}

void pl_object_woken_elsewhere(struct pl_self *self, struct pl_object *o, uintptr_t pc,
                               uintptr_t sp, uintptr_t fp)
{
    const struct pl_actor *actor = self->actor;
    const struct pl_who me = pl_who(actor);
    pl_channel_woken(o, actor);
    if (pl_object_woken_before(o, &me, pc, sp))
        return;
    pl_stamp(self);
    uint32_t stack = pl_stack_near(self, pc, sp);
    if (stack == 0)
        stack = pl_stack_often(self, (struct pl_call){pc, sp, fp}, NULL);
    pl_object_woken_by(o, &me, pc, sp, stack);
}

void pl_object_task_last(struct pl_object *gone)
{
    if (atomic_load(&gone->waiters) == 0 && atomic_exchange(&gone->gone, 0) == 1)
        object_free(gone);
}

void pl_object_wait_begins(struct pl_object *o, uint64_t actor, uint32_t stack)
{
    atomic_fetch_add(&o->waiters, 1);
    __atomic_fetch_add(&o->cell->waits, 1, __ATOMIC_RELAXED);
    o->cell->last_waiter = actor;
    o->cell->last_waiter_stack = stack;
    if (o->posts != 0)
        __atomic_store_n(&o->cell->wakes, o->posts, __ATOMIC_RELAXED);
}

void pl_object_wait_ends(struct pl_object *o, uint64_t ticks, uint64_t io_ticks)
{
    el_count(&o->cell->wait_ticks, ticks);
    if (io_ticks != 0)
        el_count(&o->cell->wait_io_ticks, io_ticks);
    if (atomic_fetch_sub(&o->waiters, 1) == 1 && atomic_exchange(&o->gone, 0) == 1)
        object_free(o);
}
