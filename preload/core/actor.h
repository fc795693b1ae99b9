/*
 * actor.h - who waits and who holds locks: threads and tasks.
 *
 * An actor's cell and held cell are its face in the record; they stay with the pl_actor when it is
 * recycled. Only the thread that runs an actor changes its held list; who wakes it writes `waker`.
 */
#ifndef PRELOAD_CORE_ACTOR_H
#define PRELOAD_CORE_ACTOR_H

#include <loiter.h>
#include <pthread.h>
#include <stdint.h>

#include "eventlog/writer.h"
#include "preload/core/arena.h"
#include "preload/core/gate.h"
#include "preload/core/map.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/wait.h"

#define PL_HELD_MAX  24 /* beyond it locks are only counted */
#define PL_HELD_CELL 6  /* as in events.def */

/*
 * A place in a list of held locks. What it says stays when the lock goes, here and in the cell, up
 * to the next one: whoever takes locks at one place again and again finds all but `lock` written.
 */
struct pl_held_lock {
    const void *lock;
    uintptr_t pc, sp;
    /* By what the lock's place was known, as long as all but `lock` is what that would give now;
     * pl_near_none otherwise. */
    struct pl_near *near;
    uint32_t stack;
    uint16_t kind;   /* el_wait_kind */
    uint16_t unsure; /* the stack is what pl_stack_near said, for the call at pc and sp */
    uint32_t after;  /* the last of those who gave locks up for others, see actor.c; 0: nobody */
    uint32_t number; /* which it is in the list, for good */
    uint64_t pad[2]; /* to a line */
};
/* A function with a record of its own would align its frame, and PL_CALL could not tell where that
 * was called from. */
_Static_assert(_Alignof(struct pl_held_lock) <= 16 && _Alignof(struct pl_wait) <= 16,
               "wrappers have these on their stacks");

/* What an actor made at one place since the last back-pressure. */
struct pl_spawn_run {
    struct pl_site *site; /* NULL: unused */
    uint64_t made;
    uint64_t live;             /* alive there when the actor's present wait began */
    const uint64_t *alive_now; /* of its cell */
    uint32_t pressed;          /* pl_spawn_pressing: one of its children from there ended its last
                                  wait; else 0 */
    uint32_t pad;
};
#define PL_SPAWN_RUNS 4

/* A place among an actor's ancestors; see core/lineage.h. */
struct pl_line {
    const struct pl_site *site;
    uint32_t generation;
};

/* Among very many tasks each cache line counts: what their making and their end look at is in the
 * first. */
struct pl_actor {
    struct pl_pool_link link;
    struct el_actor *cell; /* never NULL */
    uint64_t id;
    uint32_t epoch;       /* pl_epoch of its making: of another one, it must not be used */
    uint32_t held_over;   /* locks more than fit */
    struct pl_site *site; /* where it was made */
    struct el_held *held_cell;
    uintptr_t stack_lo, stack_hi;

    struct loiter_again again __attribute__((aligned(64))); /* see passing.h */

    /* the line after it */
    _Atomic(struct pl_actor *) all; /* next in the list of all, never changed */
    struct pl_held_lock *held;      /* up to held_end; pl_held_none before the first lock */
    struct pl_held_lock *held_end;
    uint32_t held_room; /* PL_HELD_CELL where list and cell are as usual, else 0 */
    uint16_t parked;    /* a task that waits: enum pl_parked */
    uint16_t captured;  /* bits of enum pl_captured */

    /* what its own spawning looks like (core/spawn.c) */
    const struct pl_site *origin; /* the same as site, for good */
    uint64_t creator;
    struct pl_spawn_run *spawns; /* PL_SPAWN_RUNS: where it spawned last; NULL: nowhere yet */
    uint32_t spawn_next;         /* the one that makes room for another */

    /* the third line: core/lineage.h, and core/tiny.h (0: no sample) */
    struct pl_line line[2];
    uint32_t lineage_flags;
    uint32_t rounds;      /* wait groups that it has waited for */
    uint32_t made_in;     /* rounds of its maker when it was made */
    uint32_t tiny_weight; /* of core/tiny.h, as the last two of these */
    uint64_t brood;       /* the token of the brood that it grew out of, or PL_NO_BROOD */
    uint64_t tiny_made, tiny_began;

    /* What few have: the first two are NULL in one that is free. Of core/blocked.c */
    struct pl_site *blocked;  /* where it holds a thread now, NULL: nowhere */
    struct pl_site *blocking; /* of a task's call that has not begun */
    uint64_t blocked_at;

    /* of core/lineage.c: where it is counted as a maker */
    struct el_lineage *parent_at;

    struct pl_capture *capture; /* of heap/capture.c; NULL: it is not looked at */
    struct el_named *named;     /* of core/named.c; NULL: it has no name */

    /* of core/spin.c: a row of calls that ask again and again */
    uint64_t spin_actor; /* whose id it was then */
    uint64_t spin_row, spin_at;
    uint64_t spin_since; /* its cell's `since` then: another one tells that it has waited */
    uint32_t spin_stack, spin_thread;

    /* Threads only. */
    void (*start)(void); /* what it is started with */
    void *arg;
    pthread_t pthread;
    _Atomic uint32_t known; /* 0 not in the table of threads, 1 in it, 2 never again */
    _Atomic uint32_t life;  /* bits of enum pl_life */

    struct pl_wait wait __attribute__((aligned(64))); /* of a task, the last */
    struct pl_passing {
        struct pl_object *among[LOITER_AGAIN_MOST]; /* its objects */
        struct pl_object *woken; /* what ended the last wait that may be followed by others */
        uint32_t selected;       /* objects of the last select in `again`; 0: they are not */
        uint32_t wary;           /* so many more waits are told of, whatever comes */
        uint32_t nothing;
    } passing; /* see passing.h */
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct pl_actor, again) == LOITER_AGAIN_OFFSET, "loiter.h says so");

enum pl_life { PL_LIFE_ENDED = 1, PL_LIFE_RELEASED = 2 };

/* How a task waits: in any way; without a lock or a capture that is measured, and not for a lock,
 * so that its end is told by little: for one object, which its wait has the record of; the same
 * with a limit of time; in a select; or for one object, with a capture that is measured. */
enum pl_parked {
    PL_PARKED = 1,
    PL_PARKED_PLAINLY = 2,
    PL_PARKED_SELECTING = 3,
    PL_PARKED_TIMED = 4,
    PL_PARKED_HOLDING = 5
};

/* It has a `capture`; something of size is in it, so that its waits are measured. */
enum pl_captured { PL_CAPTURED = 1, PL_CAPTURE_HOLDS = 2 };

#define PL_NO_BROOD 1 /* no brood has that token */

#define PL_RECENT_BITS 6

PL_INLINE uint32_t pl_recent_slot(uint64_t address)
{
    return (uint32_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PL_RECENT_BITS));
}

#define PL_POST_BITS 5

PL_INLINE uint32_t pl_post_slot(uint64_t object, uintptr_t pc, uintptr_t sp)
{
    return pl_recent_slot(object ^ pc << 20 ^ sp) >> (PL_RECENT_BITS - PL_POST_BITS);
}

/* What tasks have in common that one actor makes at one place. */
struct pl_kin {
    const struct pl_site *older; /* their lineage, see lineage.h: the nearest other place */
    uint32_t generation, older_generation;
    uint32_t epoch; /* as of actors; 0: they are not to be recorded any more */
    uint32_t run;
    uint32_t stack_bytes;
    uint32_t made_in; /* as of actors */
};

#define PL_SPAWNER_NEAR 3

/* Who makes tasks on a thread, where, and what they have in common: for one more of them. See
 * spawner.h. */
struct pl_spawner {
    uint64_t task;   /* the runtime's number of the one that makes them; 0: it is no task */
    uint64_t parent; /* its actor; 0: none */
    uintptr_t pc, sp, caller;
    void (*start)(void);
    size_t stack_bytes, capture_bytes;
    uint64_t tick, now; /* the last tick and the thread's time when the brood began */
    uintptr_t word;     /* what a task's `tool` is */
    /* So many more may be made before anything else is looked at; it was `granted` then. */
    uint32_t left, granted;
    /* Tasks of a row, each made when the one before had ended and ended a wait of who makes them:
     * `left` of these words, never NULL, which are the runtime's, or its own, may be counted
     * together; it was `row_granted` then. And how many live of the place beside the one. */
    struct loiter_making *row;
    uint32_t row_granted;
    uint64_t row_others;
    uint64_t *live; /* of the place's cell */
    /* The task of a row may end unannounced: then this is 0. Else it is pl_row_announced. */
    uint64_t *row_ends;
    /* The nearest frames' return addresses, and where they lie. */
    struct {
        const uintptr_t *at;
        uintptr_t word;
    } near[PL_SPAWNER_NEAR];
    /* What is only asked for now and then. */
    struct pl_brood *brood;
    struct pl_actor *actor;
    struct pl_site *site;
    struct pl_spawn_run *run;
    uint32_t stack, slot; /* the place, and its entry in the thread's cache */
    uint32_t deep;        /* frames beyond the nearest */
    uint32_t streak;      /* tasks since the place became the thread's */
    uint32_t unseen;      /* of these, since all frames were compared */
    struct loiter_making own_row;
};

extern PL_HIDDEN uint64_t pl_row_announced; /* not 0 */

/* No task's `tool`, not even that of one that is not known. */
#define PL_NO_YOUNG ((void *)&pl_row_announced)

/* What tasks that end on a thread are counted by: the brood of the last one. See young.h. */
struct pl_ender {
    uintptr_t word; /* as in a task's `tool`; 0: none */
    /* So many more may end before anything is counted: `ends` of these words, never NULL, which
     * are the runtime's, or its own; it was `granted` then. */
    struct loiter_spared *at;
    uint64_t granted;
    struct loiter_spared own;
};

/* The timer that a thread made last and did not set, if it is there; see timer_brief.h. */
struct pl_brief {
    _Atomic uint64_t key;         /* 0: none */
    uint32_t left, granted;       /* so many more are made before they are counted */
    uint32_t stack, step;         /* where, and the last grant */
    struct pl_outcome *outcome;   /* of that place, NULL: of none yet */
    const struct pl_actor *maker; /* the thread's own */
    const struct pl_stack_entry *place;
};

#define PL_WORDS 4 /* see word.h */

/* A stack, for pl_stack_same. */
#define PL_SAME_WORDS 16 /* nine of them are on two lines */
struct pl_stack_same {
    uintptr_t pc, sp;
    uint32_t id; /* 0: none */
    uint16_t n, uses;
    uint16_t offsets[PL_SAME_WORDS]; /* from sp, in words */
    uintptr_t words[PL_SAME_WORDS];
};

/* What the core keeps for an OS thread; recycled. What its begin and its end touch comes first. */
struct pl_thread {
    struct pl_pool_link link;
    struct el_slot *slot; /* see pl_thread_slot */
    struct pl_actor *actor;
    struct pl_stack_cache *stacks;
    struct pl_near *near;
    struct pl_shallow *shallow;
    struct el_inside *inside; /* its guard, for the launcher to look at */
    uint32_t serial;
    uint32_t how; /* el_thread_end, set before it ends */
    uint32_t is_worker;
    uint32_t shallows; /* some place has shallow stacks here: see shallow.h */
    /* of core/spin.c: the last block here; its processor time when that was asked for last, when
     * that was (0: never), and what was charged since */
    uint64_t spin_at, spin_cpu_ns, spin_looked, spin_charged_ns;
    uint64_t napped_at; /* when its last short sleep began, and how many there were in a row */
    uint32_t naps;
    uint64_t nap_what; /* what a poll found each time; 0: they were sleeps */
    uint64_t nap_over; /* when the last of them was over, and how many began late after that */
    uint32_t nap_late;
    uint64_t moved_bytes; /* written, or read too, by the thread, as the kernel said in that row */
    long switches;        /* how often it had slept, likewise */
    struct pl_refusals {
        uint64_t what, at;    /* what was asked for, and when last; 0: nothing */
        uint32_t count, slow; /* of a row, and those of its last block that came late */
    } refusals;
    uint64_t began;                             /* when it ran its first instruction */
    uint32_t note_span, note_most, note_random; /* of core/note.c, */
    uint64_t note_at;                           /* when a sample was taken */
    struct pl_waited *waited; /* of core/group.c: the wait group that it asked for last */
    uint64_t tokens;          /* numbers of waits and broods that were given out here */
    uint64_t tiny_at;         /* of core/tiny.c: the last sample, */
    uint32_t tiny_weight;     /* what the next one stands for, */
    uint32_t tiny_hurry;      /* and how many have followed each other at once */
    uint32_t until_told;      /* `until_sample` when the tasks made here were told last */
    uint32_t spawn_stack;     /* where it made a task last, and the site of that place */
    struct pl_site *spawn_site;
    struct pl_ender ender;
    uint32_t stack_hits;
    uint32_t stack_misses; /* of either table, see stack.c */
    struct pl_contention {
        uint64_t lock;  /* of the sample under way; 0: none */
        uint64_t actor; /* who took it */
        uint64_t taken_at;
        uint64_t held; /* how long it was held, if that is still to be added */
        uint32_t stack, weight;
        uint32_t next;  /* what the lock that is taken next stands for, 0: it is no sample */
        uint32_t uses;  /* locks that no sample stands for yet */
        uint32_t apart; /* after so many comes the next sample */
    } contention;       /* see contention.h */
    struct pl_word {
        uint64_t word, at;
        uint32_t stack;
    } words[PL_WORDS]; /* that it waited for lately, until when, and where; the last one: */
    uint32_t word_last;
    struct pl_late_wait *late; /* see wait.c */
    struct pl_lock_io {        /* of a call and a lock that was held then, the last such here */
        uint32_t io_stack, lock_stack;
        struct pl_site *site; /* of both */
    } lock_io;
    struct pl_site *made_threads;                   /* where it made a thread last */
    struct pl_object *objects[1 << PL_RECENT_BITS]; /* that it asked for lately */
    struct pl_post {
        uint64_t object, actor;
        uintptr_t pc, sp;
        struct pl_object *record;
        uint32_t stack;
    } posts[1 << PL_POST_BITS]; /* what it woke lately, see pl_object_woken_simply */
    struct el_timer *timers[1 << PL_RECENT_BITS]; /* cells of a runtime's timers, likewise */
    struct el_timer *spare_timer;     /* a free cell that the next timer made here takes */
    struct pl_outcome *timer_outcome; /* of the place that made or lost its last timer */
    struct pl_actor *free_tasks;      /* of tasks that ended here */
    uint32_t free_task_count;
    uint32_t free_brood_count;
    struct pl_brood *free_broods, *full_broods; /* see young.h */
    struct pl_spawner spawner;
    struct pl_brief brief __attribute__((aligned(64)));
    struct pl_stack_same wait_place __attribute__((aligned(64))); /* of its last wait */
    _Atomic(struct pl_thread *) all; /* next in the list of all, never changed */
};

/* A number that no other has, and not 0. */
PL_INLINE uint64_t pl_token(struct pl_thread *thread)
{
    return (uint64_t)thread->serial << 40 | ++thread->tokens;
}

/*
 * The stream that the current thread writes events to. It takes one, and tells that it began, with
 * the first of them: to make a file is dear, and most threads of a pool have nothing to tell but
 * what their cells say. NULL: there is none left. Guard on.
 */
PL_HIDDEN struct el_slot *pl_thread_slot_take(struct pl_self *self);
static inline struct el_slot *pl_thread_slot(struct pl_self *self)
{
    struct el_slot *slot = self->thread->slot;
    return __builtin_expect(slot != NULL, 1) ? slot : pl_thread_slot_take(self);
}

/* A pl_actor with its cell set up, in state EL_ACTOR_FREE. NULL when there is no room. */
PL_HIDDEN struct pl_actor *pl_actor_create(uint64_t id);
/* Frees its cell and recycles it. Locks that it still holds stay in the record: who waits for them
 * waits for one that has ended. */
PL_HIDDEN void pl_actor_destroy(struct pl_actor *actor);

/* The same for who keeps the pl_actor: retire instead of destroy, and renew instead of create; or
 * put, when there are too many. */
PL_HIDDEN void pl_actor_retire(struct pl_actor *actor);
PL_HIDDEN void pl_actor_put(struct pl_actor *retired);
PL_HIDDEN void pl_actor_renew(struct pl_actor *actor, uint64_t id);

/* Of tasks: those that ended on a thread are taken there first. `task` is retired. */
PL_HIDDEN struct pl_actor *pl_task_take(struct pl_thread *thread, uint64_t id);
PL_HIDDEN void pl_task_put(struct pl_thread *thread, struct pl_actor *task);

/* Calls back with every pl_actor there is, those that are free now too (their id is 0). */
PL_HIDDEN void pl_actor_each(void (*on)(struct pl_actor *actor, void *ctx), void *ctx);

/* In a fork child, and at the start. */
PL_HIDDEN void pl_actors_reset(void);

/* The task's next wait is told of. */
PL_INLINE void pl_actor_tells(struct pl_actor *actor)
{
    actor->again.left = 0;
}

/* Another number after each wait of the actor. */
PL_INLINE uint64_t pl_actor_wait_stamp(const struct pl_actor *actor, uint64_t since)
{
    return since ^ (uint64_t)actor->again.passed << 48;
}
PL_INLINE uint64_t pl_actor_waited(const struct pl_actor *actor)
{
    return pl_actor_wait_stamp(actor, actor->cell->since);
}

/* Locks. pl_held_remove takes the latest entry of the lock out: 1 and *removed (may be NULL), or 0
 * when it is not in the list. */
PL_HIDDEN void pl_held_push(struct pl_actor *actor, uint32_t kind, const void *lock,
                            uint32_t stack);
PL_HIDDEN void pl_held_push_lock(struct pl_actor *actor, const struct pl_held_lock *held);
PL_HIDDEN int pl_held_remove(struct pl_actor *actor, const void *lock,
                             struct pl_held_lock *removed);

PL_INLINE int pl_held_any(const struct pl_actor *actor)
{
    return actor->held_end != actor->held;
}

PL_INLINE uint32_t pl_held_count(const struct pl_actor *actor)
{
    return (uint32_t)(actor->held_end - actor->held);
}

/* Makes room for the first lock: before it is taken, not while it is held. */
PL_HIDDEN void pl_held_make(struct pl_actor *actor);
extern PL_HIDDEN struct pl_held_lock pl_held_none[2]; /* the second is an empty list */
static inline void pl_held_prepare(struct pl_actor *actor)
{
    if (__builtin_expect(actor->held_cell == NULL || actor->held == &pl_held_none[1], 0))
        pl_held_make(actor);
}

/* To be called before what is known of places changes. */
PL_HIDDEN void pl_held_forget_places(struct pl_actor *actor);

/*
 * The usual case of both, without a call: few locks, none that another gave back. 1: done. The
 * first is for a lock that differs from what is written there only in its address. With a lock a
 * task's next wait is told of (pl_actor_tells): that is left to the caller.
 */
extern PL_HIDDEN struct pl_map pl_held_strays; /* see pl_held_foreign */
PL_INLINE uint32_t pl_held_any_strays(void)
{
    return atomic_load_explicit(&pl_held_strays.count, memory_order_relaxed);
}

PL_INLINE void pl_held_push_again(struct pl_actor *actor, struct pl_held_lock *at, const void *lock)
{
    struct el_held *cell = actor->held_cell;
    const uint32_t n = at->number;
    at->lock = lock;
    cell->lock[n] = (uint64_t)(uintptr_t)lock;
    actor->held_end = at + 1;
    __atomic_store_n(&cell->count, n + 1, __ATOMIC_RELEASE);
}

/* Only in place of what is known by another of these. A signal's handler that comes in between and
 * holds a lock there leaves another `near`. */
PL_INLINE void pl_held_place(struct pl_actor *actor, struct pl_held_lock *at, struct pl_near *near,
                             uint32_t stack, uintptr_t pc, uintptr_t sp)
{
    at->near = near;
    atomic_signal_fence(memory_order_seq_cst);
    at->pc = pc;
    at->sp = sp;
    at->stack = stack;
    actor->held_cell->stack[at->number] = stack;
}

PL_INLINE int pl_held_push_simply(struct pl_actor *actor, const struct pl_held_lock *held)
{
    struct pl_held_lock *at = actor->held_end;
    const uint32_t n = at->number;
    if (n >= actor->held_room || pl_held_any_strays())
        return 0;
    *at = *held;
    at->number = n;
    actor->held_cell->kind[n] = held->kind;
    actor->held_cell->stack[n] = held->stack;
    pl_held_push_again(actor, at, held->lock);
    return 1;
}

/* The last entry, `at`, goes. It stays readable until the next one is pushed. */
PL_INLINE void pl_held_pop(struct pl_actor *actor, struct pl_held_lock *at)
{
    actor->held_end = at;
    __atomic_store_n(&actor->held_cell->count, at->number, __ATOMIC_RELEASE);
}

PL_INLINE int pl_held_remove_simply(struct pl_actor *actor, const void *lock)
{
    struct pl_held_lock *at = actor->held_end - 1;
    if (at->number >= actor->held_room || at->lock != lock)
        return 0;
    pl_held_pop(actor, at);
    return 1;
}

/* An unlock by who does not hold it: who has it in his list drops it in pl_held_settle, which gives
 * the number of locks that are left. */
PL_HIDDEN void pl_held_foreign(const void *lock);
PL_HIDDEN int pl_held_settle(struct pl_actor *actor);

/* The runtime's task that runs here, where that is to be looked at; NULL: none. */
PL_INLINE struct loiter_task *pl_task_here(const struct pl_self *self)
{
    uintptr_t record = (uintptr_t)*self->here;
    if (record == 0)
        return NULL;
    struct loiter_task *t = (struct loiter_task *)(record + self->running_offset); /* NOLINT */
    if (t == NULL)
        __builtin_unreachable(); /* nobody has to look again */
    return t;
}

/* Who runs here: what pl_follow would find. NULL for a task that has no actor yet: core/young.h. */
PL_INLINE struct pl_actor *pl_runs_here(const struct pl_self *self)
{
    if (__builtin_expect(self->running == NULL, 0))
        return self->actor;
    const struct loiter_task *t = pl_task_here(self);
    if (t == NULL || t->tool == NULL)
        return self->thread->actor;
    if (__builtin_expect(((uintptr_t)t->tool & LOITER_TOOL_LOOKS) != 0, 0))
        return NULL;
    struct pl_actor *task = t->tool;
    return task->epoch == pl_epoch ? task : self->thread->actor;
}

/* Is there a lock that no list has yet? See note.h. */
_Static_assert(LOITER_NOTES == 2 && (LOITER_NOTE_FREE & (LOITER_NOTE_FREE - 1)) == 0,
               "both are looked at, at once");
PL_INLINE int pl_noted(const struct pl_self *self)
{
    const struct loiter_note *note = self->note;
    return (__atomic_load_n(&note->at[0].lock, __ATOMIC_RELAXED) |
            __atomic_load_n(&note->at[1].lock, __ATOMIC_RELAXED)) >= LOITER_NOTE_FREE;
}

/* Does the current actor hold a lock? Needs no guard; 0 when the thread does not record. */
static inline int pl_holds_lock(void)
{
    if (!pl_is_on())
        return 0;
    const struct pl_self *self = pl_self();
    if (pl_noted(self))
        return 1;
    const struct pl_actor *actor = self->thread != NULL ? pl_runs_here(self) : self->actor;
    return actor != NULL && pl_held_any(actor);
}

#endif
