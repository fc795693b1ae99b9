/*
 * stack.h - ids of call stacks.
 *
 * A stack is written to the record once, as a `stack` event, and known by its id from then on.
 */
#ifndef PRELOAD_CORE_STACK_H
#define PRELOAD_CORE_STACK_H

#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/gate.h"
#include "preload/core/unwind.h"

#define PL_STACK_DEPTH_MAX 64

/* The parts of a pl_call one by one: by value in a struct they would go through memory. `first`:
 * see pl_stack_from. */
PL_HIDDEN uint32_t pl_stack_at(struct pl_self *self, uintptr_t pc, uintptr_t sp, uintptr_t fp,
                               uintptr_t first);

/* The id of the stack at `call`: its first frame is call.pc. 0 when there is none. Call it with the
 * guard on (between pl_enter and pl_leave). Keeps errno. */
static inline uint32_t pl_stack(struct pl_self *self, struct pl_call call)
{
    return pl_stack_at(self, call.pc, call.sp, call.fp, 0);
}

/* As pl_stack, but of a place that very many ways lead to in this thread its nearest frames may
 * have to do: see shallow.h. */
PL_HIDDEN uint32_t pl_stack_or_shallow(struct pl_self *self, struct pl_call call);

/* As pl_stack, with the frames below the one that returns to `first` dropped; when no frame does,
 * nothing is dropped. For runtimes that name their caller. */
static inline uint32_t pl_stack_from(struct pl_self *self, struct pl_call call, const void *first)
{
    return pl_stack_at(self, call.pc, call.sp, call.fp, (uintptr_t)first);
}

/* ---- recognition: see stack.c ---- */

#define PL_STACK_WORDS      40 /* deeper ones, beyond the preset of `depth`, are walked each time */
#define PL_STACK_CACHE_BITS 8

struct pl_stack_word {
    uintptr_t word;
    uintptr_t offset; /* from sp, in words */
};

/* The words lie apart: who looks for a place reads few lines, and a thread's memory is touched as
 * it is needed. */
struct pl_stack_entry {
    uintptr_t pc, place;
    uintptr_t first; /* what the caller asked to begin with, 0 for nothing */
    uint32_t id;     /* 0: unused */
    uint16_t n;      /* words to compare */
    uint16_t room;   /* for words */
    struct pl_stack_word *words;
};

struct pl_stack_cache {
    struct pl_stack_entry entries[1 << PL_STACK_CACHE_BITS];
};

/* Where the call is: the distance from the stack's end where that is known. */
PL_INLINE uintptr_t pl_stack_place(uintptr_t lo, uintptr_t hi, uintptr_t sp)
{
    return sp - lo < hi - lo ? hi - sp : sp;
}

/* Which entry a place has, in the cache of every thread. */
static inline uint32_t pl_stack_slot(uintptr_t pc, uintptr_t place)
{
    uint64_t hash = (pc ^ place << 20 ^ place >> 20) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash >> (64 - PL_STACK_CACHE_BITS));
}

/* Is that stack still there, where `sp` is that of the same call? */
PL_INLINE int pl_stack_is_still(const struct pl_stack_entry *e, uintptr_t sp)
{
    const uintptr_t *at = (const uintptr_t *)sp;
    for (uint32_t i = 0; i < e->n; i++)
        if (pl_plain_address(at[e->words[i].offset]) != e->words[i].word)
            return 0;
    return 1;
}

/* Which of its words is the nearest but for `first`, which is known, and for the frames that are
 * not part of the stack. The entry has one at least. */
PL_INLINE uint32_t pl_stack_beyond(const struct pl_stack_entry *e, uintptr_t first)
{
    for (uint32_t i = 0; i < e->n; i++)
        if (e->words[i].word == first)
            return i + 1 < e->n ? i + 1 : i;
    return 0;
}

PL_INLINE uint32_t pl_stack_match(const struct pl_stack_entry *e, struct pl_call call,
                                  uintptr_t place, uintptr_t first)
{
    if (e->pc != call.pc || e->place != place || e->first != first)
        return 0;
    return pl_stack_is_still(e, call.sp) ? e->id : 0;
}

/* The slot of the entry by which a thread's cache knows the stack whose id was just given. */
PL_HIDDEN uint32_t pl_stack_slot_of(const struct pl_self *self, struct pl_call call,
                                    uintptr_t first, uint32_t id);

/* As pl_stack_known below, where the slot is at hand. */
PL_INLINE uint32_t pl_stack_known_in(const struct pl_self *self, uint32_t slot, uintptr_t place,
                                     struct pl_call call, uintptr_t first)
{
    const struct pl_stack_cache *cache = self->thread->stacks;
    return cache == NULL ? 0 : pl_stack_match(&cache->entries[slot], call, place, first);
}

/* The thread's entry in that slot, if it is of the stack `id` at that place, else NULL. */
PL_INLINE const struct pl_stack_entry *pl_stack_entry_of(const struct pl_self *self, uint32_t slot,
                                                         uintptr_t place, uint32_t id)
{
    const struct pl_stack_cache *cache = self->thread->stacks;
    const struct pl_stack_entry *e = cache == NULL ? NULL : &cache->entries[slot];
    return e != NULL && id != 0 && e->id == id && e->place == place ? e : NULL;
}

/* The id if the stack, [lo, hi), is the one that the thread saw first at its place; 0: pl_stack_at
 * knows more. */
static inline uint32_t pl_stack_known(const struct pl_self *self, uintptr_t lo, uintptr_t hi,
                                      struct pl_call call, uintptr_t first)
{
    uintptr_t place = pl_stack_place(lo, hi, call.sp);
    return pl_stack_known_in(self, pl_stack_slot(call.pc, place), place, call, first);
}

#define PL_STACK_SAME_COUNTED 256 /* uses that the summary is told of at once */
PL_HIDDEN void pl_stack_same_count(struct pl_stack_same *s);

/* The same stack once more, at the same address: all of its words, on few lines. */
PL_INLINE uint32_t pl_stack_same(struct pl_stack_same *s, struct pl_call call)
{
    if (s->pc != call.pc || s->sp != call.sp)
        return 0;
    const uintptr_t *at = (const uintptr_t *)call.sp;
    for (uint32_t i = 0; i < s->n; i++)
        if (pl_plain_address(at[s->offsets[i]]) != s->words[i])
            return 0;
    if (__builtin_expect(++s->uses == PL_STACK_SAME_COUNTED, 0))
        pl_stack_same_count(s);
    return s->id;
}

/* Guard on: it is the stack `id`, as was just found. Nothing is kept of one that is too deep. */
PL_HIDDEN void pl_stack_same_keep(struct pl_self *self, struct pl_stack_same *s,
                                  struct pl_call call, uint32_t id);

/*
 * For places that come very often. Such a place is trusted when it had one stack again and again:
 * then only the return addresses of the nearest frames are compared, and every PL_TRUST_MOST-th
 * time all of them. pl_stack_near gives the id, or 0 when pl_stack_often has to be asked. Of what
 * pl_stack_near said, pl_stack_revise tells later, from a call on the same stack, whether the
 * frames further out were others, and gives the right id.
 */
#define PL_NEAR_WORDS 4
#define PL_NEAR_BITS  7
#define PL_TRUST_MOST 1024
#define PL_NEAR_REACH UINT16_MAX /* words from sp */

struct pl_near {
    uintptr_t pc;   /* or `first` */
    uint32_t place; /* the distance from self->stack_hi */
    int32_t next;   /* in bytes from here: the entry that is likely to be asked for next */
    uintptr_t words[PL_NEAR_WORDS];
    uint16_t offsets[PL_NEAR_WORDS];
    uint32_t id;
    uint16_t left, trust; /* uses until all is compared, that one included: at most `trust` + 1 */
};

extern PL_HIDDEN struct pl_near pl_near_none; /* it is of no place */

PL_INLINE size_t pl_near_slot(uintptr_t pc, uintptr_t place)
{
    return (pc ^ pc >> 7 ^ place >> 4) & ((1u << PL_NEAR_BITS) - 1);
}

/* Of another stack of the place: what lies where the words of its first one do tells the slot. */
PL_INLINE size_t pl_near_slot_of_other(const struct pl_near *first, const uintptr_t *sp)
{
    uint64_t hash = first->pc ^ (uint64_t)first->place << 20;
#pragma GCC unroll 4
    for (int i = 0; i < PL_NEAR_WORDS; i++)
        hash = (hash << 17 | hash >> 47) ^ sp[first->offsets[i]];
    return hash * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PL_NEAR_BITS);
}

PL_INLINE int pl_near_is_of(const struct pl_near *e, uintptr_t pc, uintptr_t place)
{
    return e->pc == pc && e->place == (uint32_t)place;
}

PL_INLINE struct pl_near *pl_near_after(struct pl_near *e)
{
    return (void *)((char *)e + e->next);
}

/* Of two entries of one table. pl_near_none is followed by itself for good. */
PL_INLINE void pl_near_link(struct pl_near *e, const struct pl_near *next)
{
    if (e != &pl_near_none && next != &pl_near_none)
        e->next = (int32_t)((const char *)next - (const char *)e);
}

PL_INLINE int pl_near_matches(const struct pl_near *e, const uintptr_t *sp)
{
#pragma GCC unroll 4
    for (int i = 0; i < PL_NEAR_WORDS; i++) {
        if (pl_plain_address(sp[e->offsets[i]]) != e->words[i])
            return 0;
    }
    return 1;
}

/* The same by one branch. All of it must be there to be read: on the thread's stack it is. */
PL_INLINE uintptr_t pl_near_differs(const struct pl_near *e, const uintptr_t *sp)
{
    uintptr_t differ = 0;
#pragma GCC unroll 4
    for (int i = 0; i < PL_NEAR_WORDS; i++)
        differ |= pl_plain_address(sp[e->offsets[i]]) ^ e->words[i];
    return differ;
}

/* One of an entry's uses, which has an id. 0: all is to be compared first. */
PL_INLINE int pl_near_lasts(struct pl_near *e)
{
    const int lasts = --e->left != 0;
    if (__builtin_expect(!lasts, 0))
        e->left = 1;
    return lasts;
}

PL_INLINE uint32_t pl_near_use(struct pl_near *e)
{
    return pl_near_lasts(e) ? e->id : 0;
}

/* Where the stack ends that the actor runs on here, which pl_runs_here gave. */
PL_INLINE uintptr_t pl_stack_end_of(const struct pl_self *self, const struct pl_actor *actor)
{
    return self->running != NULL ? actor->stack_hi : self->stack_hi;
}

/* `pc` is that of the first frame: of the call, or `first` where that is named; `hi` the end of the
 * current stack. Calls nothing. */
PL_INLINE struct pl_near *pl_near_on(const struct pl_self *self, uintptr_t hi, uintptr_t pc,
                                     uintptr_t at)
{
    if (__builtin_expect(self->near == NULL, 0))
        return NULL;
    struct pl_near *e = &self->near[pl_near_slot(pc, hi - at)];
    return pl_near_is_of(e, pc, hi - at) && pl_near_matches(e, (const uintptr_t *)at) ? e : NULL;
}

/* Where that is none: an entry beside, or another stack of the place. Calls nothing either. */
PL_HIDDEN struct pl_near *pl_near_among(const struct pl_self *self, uintptr_t hi, uintptr_t pc,
                                        uintptr_t at);

PL_INLINE uint32_t pl_stack_near_on(const struct pl_self *self, uintptr_t hi, uintptr_t pc,
                                    uintptr_t at)
{
    struct pl_near *e = pl_near_on(self, hi, pc, at);
    return e == NULL ? 0 : pl_near_use(e);
}

/* Where that gave 0: the entries beside, and those of a place that is reached on several ways. */
PL_HIDDEN uint32_t pl_stack_near_other(const struct pl_self *self, uintptr_t hi, uintptr_t pc,
                                       uintptr_t at);

/* Both, on the thread's stack or that of the task that was followed. */
static inline uint32_t pl_stack_near(const struct pl_self *self, uintptr_t pc, uintptr_t at)
{
    uint32_t id = pl_stack_near_on(self, self->stack_hi, pc, at);
    return id != 0 ? id : pl_stack_near_other(self, self->stack_hi, pc, at);
}

/* *uses: how often those knew the stack since it was asked for here last. */
PL_HIDDEN uint32_t pl_stack_often_counted(struct pl_self *self, struct pl_call call,
                                          const void *first, uint32_t *uses);

static inline uint32_t pl_stack_often(struct pl_self *self, struct pl_call call, const void *first)
{
    uint32_t uses;
    return pl_stack_often_counted(self, call, first, &uses);
}

/* A place whose frame may have returned, as loiter_lock_taken tells it: its id, as seen from a call
 * on the same stack. */
struct pl_place {
    const void *pc, *frame, *caller;
};
PL_HIDDEN uint32_t pl_stack_of_place(struct pl_self *self, const struct pl_place *place);

/* A stack of which no more than its nearest frames is known. */
PL_HIDDEN uint32_t pl_stack_of_frames(struct pl_self *self, const uintptr_t *pcs, unsigned n);

PL_HIDDEN uint32_t pl_stack_revise(struct pl_self *self, struct pl_call then, uint32_t id,
                                   struct pl_call now);

#endif
