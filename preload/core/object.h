/*
 * object.h - cells of objects: what can be waited for.
 *
 * All of these are called with the guard on. They never fail visibly: without room nothing is
 * kept and the summary counts a lost cell.
 */
#ifndef PRELOAD_CORE_OBJECT_H
#define PRELOAD_CORE_OBJECT_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/core/site.h"

/* What is kept beside an object's cell; recycled, stays mapped. */
struct pl_object {
    struct pl_pool_link link;
    struct el_object *cell; /* never NULL */
    uint64_t address;       /* what it stands for; 0: nothing any more */
    /* The `token` of the wait that waited on it last and may do so again with nothing to be looked
     * at or told but that it does; 0: none. */
    uint64_t waiter;
    /* What a waking is compared with: one like the last has nothing to tell but that it is. It is
     * by the same actor (0: it is to be looked at), or, `sure` times more, by another task of its
     * brood. */
    struct pl_waking_again {
        uint64_t actor, brood;
        uintptr_t pc, sp;
    } again;

    /* the second line */
    _Atomic uint32_t waiters; /* actors that wait on it now */
    _Atomic uint32_t gone;
    /* Of wakings that are not announced: where the last one is kept, and how many. The cell learns
     * the number while somebody waits, and now and then. */
    const struct pl_post *post;
    uint32_t posts;
    uint64_t waker_creator; /* of cell->last_waker */
    struct pl_site *waker_site;
    uint32_t sure;
    uint32_t latest;
    /* the two last wakings that were announced and not alike, the later one at wakings[latest] */
    struct pl_waking {
        uint64_t actor;
        uintptr_t pc, sp;
        uint32_t stack;
    } wakings[2];
    struct pl_actor *task_waiter; /* the task that waited last */

    /* Of channels with a buffer, see channel.h. */
    const size_t *count; /* items inside: the runtime's own word; NULL for other objects */
    uint64_t item_bytes;
    uint64_t receiver; /* actor that last waited for an item */
    uint32_t left;     /* el_left, as far as is known */
    uint32_t sides;    /* wake-ups by actors of the waiter's own place 1, of others 2 */

    uint64_t lives;      /* another number after each time that it was forgotten */
    uint64_t dropped_at; /* of contexts, see context.h; 0: not let go of */
} __attribute__((aligned(64)));

/* The record behind the object; made when there is none and `create` says so. */
PL_HIDDEN struct pl_object *pl_object_record(struct pl_self *self, enum el_object_kind kind,
                                             uint64_t object, int create);

/* Before what is known of the object becomes another: who waits on it or wakes it next is looked at
 * closely. */
PL_INLINE void pl_object_forget(struct pl_object *o)
{
    o->waiter = 0;
    o->lives++;
    o->again = (struct pl_waking_again){0, 0, 0, 0};
}

/* Does the record still stand for the object? */
PL_INLINE int pl_object_is(const struct pl_object *o, uint64_t object)
{
    return __atomic_load_n(&o->address, __ATOMIC_RELAXED) == object;
}

/* The record, if there is one; the objects that a thread asks for again and again are found in a
 * table of its own. */
PL_HIDDEN struct pl_object *pl_object_look(const struct pl_self *self, uint64_t object);
static inline struct pl_object *pl_object_recent(const struct pl_self *self, uint64_t object)
{
    struct pl_object *o = self->thread->objects[pl_recent_slot(object)];
    return o != NULL && pl_object_is(o, object) ? o : pl_object_look(self, object);
}

/* The same, made where there is none. */
static inline struct pl_object *pl_object_waited(struct pl_self *self, enum el_object_kind kind,
                                                 uint64_t object)
{
    struct pl_object **recent = &self->thread->objects[pl_recent_slot(object)];
    if (*recent == NULL || object == 0 || !pl_object_is(*recent, object))
        *recent = pl_object_record(self, kind, object, 1);
    return *recent;
}

/* The same before a wait. A word of memory has no end that is seen: what nobody waits for now may
 * be another one at its address, and what was known of it is forgotten. */
PL_HIDDEN void pl_object_renew(const struct pl_self *self, struct pl_object *o,
                               enum el_object_kind kind);
static inline struct pl_object *pl_object_waited_anew(struct pl_self *self,
                                                      enum el_object_kind kind, uint64_t object)
{
    struct pl_object *o = pl_object_waited(self, kind, object);
    if (o != NULL && (kind == EL_OBJ_FUTEX || o->cell->kind == EL_OBJ_FUTEX))
        pl_object_renew(self, o, kind);
    return o;
}

/* A task waits on it, or waited for so long: not counted in `waiters`, and of two threads that
 * count at once one may count for nothing. */
PL_HIDDEN void pl_object_task_last(struct pl_object *gone);

/* Counts where a lost one does no harm: without a locked instruction, and where there is one that
 * adds to memory, by that: compilers make three of the two atomic accesses. */
PL_INLINE void pl_object_count(uint32_t *word)
{
#ifdef __x86_64__
    __asm__ volatile("addl $1, %0" : "+m"(*word) : : "cc");
#else
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
#endif
}

PL_INLINE void pl_object_add(uint64_t *word, uint64_t n)
{
#ifdef __x86_64__
    __asm__ volatile("addq %1, %0" : "+m"(*word) : "r"(n) : "cc");
#else
    __atomic_store_n(word, __atomic_load_n(word, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
#endif
}

static inline void pl_object_task_waits(struct pl_object *o, struct pl_actor *task, uint32_t stack)
{
    o->waiter = 0;
    o->task_waiter = task;
    o->cell->last_waiter = task->id;
    o->cell->last_waiter_stack = stack;
    pl_object_count(&o->cell->waits);
}

static inline void pl_object_task_waited(struct pl_object *o, uint64_t ticks)
{
    pl_object_add(&o->cell->wait_ticks, ticks);
    if (__builtin_expect(atomic_load_explicit(&o->gone, memory_order_relaxed), 0))
        pl_object_task_last(o);
}

/* The current actor woke it, from `call`: as pl_object_woken, but its stack is looked at
 * only if the one that woke it last was another, or elsewhere. The time is that of the thread's
 * last reading. */
PL_HIDDEN void pl_object_woken_elsewhere(struct pl_self *self, struct pl_object *object,
                                         uintptr_t pc, uintptr_t sp, uintptr_t fp);
/* Who wakes, as far as the record asks: an actor, or a task that has none yet. */
struct pl_who {
    uint64_t id, creator;
    struct pl_site *site; /* where it was made */
    uintptr_t stack_hi;
    uint64_t brood; /* its token, or PL_NO_BROOD */
};
static inline struct pl_who pl_who(const struct pl_actor *actor)
{
    return (struct pl_who){actor->id, actor->creator, actor->site, actor->stack_hi, actor->brood};
}

/* Is there nothing to tell of a channel that the same wakes who woke it last? */
PL_INLINE int pl_object_is_stream(const struct pl_object *o)
{
    return o->count == NULL || (o->left & EL_LEFT_STREAM) != 0;
}

PL_INLINE void pl_object_wake_last(struct pl_object *o, const struct pl_who *me, uint32_t k)
{
    const struct pl_waking *waking = &o->wakings[k];
    o->latest = k;
    o->waker_creator = me->creator;
    o->waker_site = me->site;
    o->cell->last_waker = me->id;
    o->cell->last_waker_stack = waking->stack;
    o->again = (struct pl_waking_again){pl_object_is_stream(o) ? me->id : 0,
                                        o->count == NULL ? me->brood : PL_NO_BROOD, waking->pc,
                                        waking->sp};
}

PL_INLINE int pl_object_woken_before(struct pl_object *o, const struct pl_who *me, uintptr_t pc,
                                     uintptr_t sp)
{
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t k = o->latest ^ i;
        const struct pl_waking *waking = &o->wakings[k];
        if (waking->actor != me->id || waking->pc != pc || waking->sp != sp)
            continue;
        if (o->cell->last_waker != me->id || i != 0 || o->count != NULL)
            pl_object_wake_last(o, me, k);
        return 1;
    }
    return 0;
}

#define PL_WAKING_SURE 63
PL_INLINE void pl_object_woken_by(struct pl_object *o, const struct pl_who *me, uintptr_t pc,
                                  uintptr_t sp, uint32_t stack)
{
    const uint32_t k = o->latest ^ 1;
    o->wakings[k] = (struct pl_waking){me->id, pc, sp, stack};
    o->sure = PL_WAKING_SURE;
    pl_object_wake_last(o, me, k);
}

static inline void pl_object_woken_again(struct pl_self *self, struct pl_object *o,
                                         struct pl_call call)
{
    struct el_object *cell = o->cell;
    const struct pl_who me = pl_who(self->actor);
    if (o->count != NULL || !pl_object_woken_before(o, &me, call.pc, call.sp))
        pl_object_woken_elsewhere(self, o, call.pc, call.sp, call.fp);
    cell->last_waker_at = self->now;
    pl_object_count(&cell->wakes);
}

/* Other processes may have it too, if it lies in memory that is mapped, which was taken for heap.
 */
PL_INLINE void pl_object_shared(struct pl_object *o)
{
    if (o->cell->storage == EL_STORAGE_HEAP)
        o->cell->storage = EL_STORAGE_SHARED;
}

/* An actor begins or ends to wait on it. */
PL_HIDDEN void pl_object_wait_begins(struct pl_object *object, uint64_t actor, uint32_t stack);
PL_HIDDEN void pl_object_wait_ends(struct pl_object *object, uint64_t ticks, uint64_t io_ticks);

/* Calls back with the record of each live object; `on` is short and answers 0. */
PL_HIDDEN void pl_object_each(int (*on)(void *object, void *ctx), void *ctx);

/* In a fork child, and at the start. */
PL_HIDDEN void pl_objects_reset(void);

/* The live cell of the object, NULL when it has none. */
PL_HIDDEN struct el_object *pl_object_find(uint64_t object);

/* The live cell of the object, made when there is none: then creator is unknown and the stack 0. */
PL_HIDDEN struct el_object *pl_object_get(struct pl_self *self, enum el_object_kind kind,
                                          uint64_t object);

/* Made by the current actor at `stack`. An earlier life at this address ends. */
PL_HIDDEN struct el_object *pl_object_created(struct pl_self *self, enum el_object_kind kind,
                                              uint64_t object, uint64_t capacity, uint32_t stack);

/* Destroyed: its cell is given back, or is EL_GONE for as long as an actor waits on it. */
PL_HIDDEN void pl_object_gone(uint64_t object);

/* Signalled, posted, unlocked for somebody: only when it has a cell. */
PL_HIDDEN void pl_object_woken(struct pl_self *self, struct pl_object *o, uint32_t stack);

/* The same from a call; its stack is looked at if the one that woke it lately was another, or
 * elsewhere, and each PL_LOOK_EVERYth time. */
#define PL_LOOK_EVERY 64
PL_HIDDEN void pl_object_woken_at(struct pl_self *self, struct pl_object *o, uintptr_t pc,
                                  uintptr_t sp, uintptr_t fp);

PL_INLINE int pl_post_is(const struct pl_post *post, uint64_t object, uint64_t actor, uintptr_t pc,
                         uintptr_t sp)
{
    return ((post->object ^ object) | (post->actor ^ actor) | (post->pc ^ pc) | (post->sp ^ sp)) ==
           0;
}

/* The usual case of that, without a call: this thread woke it last, from here, and nobody waits.
 * All that is written is a count, of which one that is lost does no harm. 0: nothing was done. */
PL_INLINE int pl_object_woken_simply(uint64_t object, uintptr_t pc, uintptr_t sp)
{
    const struct pl_self *self = &pl_self_block;
    if (__builtin_expect(pl_hindered(self) || self->quick == &pl_actor_none, 0))
        return 0;
    const struct pl_post *post = &self->thread->posts[pl_post_slot(object, pc, sp)];
    if (__builtin_expect(!pl_post_is(post, object, self->quick->id, pc, sp), 0))
        return 0;
    struct pl_object *o = post->record;
    if (!pl_object_is(o, object) || o->post != post ||
        atomic_load_explicit(&o->waiters, memory_order_relaxed) != 0 ||
        o->posts % PL_LOOK_EVERY < 2)
        return 0;
    pl_object_count(&o->posts);
    return 1;
}

/* So often was it woken, for comparisons. */
PL_INLINE uint32_t pl_object_wakings(const struct pl_object *o)
{
    const uint32_t posts = __atomic_load_n(&o->posts, __ATOMIC_ACQUIRE);
    return posts != 0 ? posts : __atomic_load_n(&o->cell->wakes, __ATOMIC_ACQUIRE);
}

/* Static, stack or heap: by the modules and the current stack's bounds. */
PL_HIDDEN enum el_storage pl_storage_of(const struct pl_self *self, uint64_t address);

#endif
