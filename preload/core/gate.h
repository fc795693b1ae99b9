/*
 * gate.h - is the library recording, and may this thread record now?
 *
 * The stage lies in a page that a fork child sees as zeros (MADV_WIPEONFORK), so a child made in
 * whatever way passes everything through until the fork wrapper gave it a record of its own.
 *
 *   PL_BOOTSTRAP  before the constructor, in a child, or inactive: every wrapper is a plain call of
 *                 the real function
 *   PL_READY      recording
 *   PL_SILENT     in the child of a wrapped fork, and in a program that another one started: the
 *                 record begins when a call asks pl_is_ready, so that who only replaces itself,
 *                 or computes and ends, has none
 *   PL_ENDED      after the destructor, or stopped (disk full): plain calls again
 *
 * The use in a wrapper:
 *
 *     struct pl_self *self = pl_enter();     NULL: not recording, or already inside our own code
 *     if (self != NULL) {
 *         ... our own work: no host allocator, no lock, no blocking ...
 *         pl_leave(self);
 *     }
 *     result = PL_REAL(read)(fd, buf, n);    never between enter and leave when it may block,
 *                                            call back or switch tasks
 *
 * The guard counts: a wrapper that is reached while our own work runs (malloc inside jemalloc, a
 * signal handler that came in) passes through. errno is the caller's to keep: pl_enter and pl_leave
 * do not touch it, but what is called between them may.
 */
#ifndef PRELOAD_CORE_GATE_H
#define PRELOAD_CORE_GATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PL_HIDDEN __attribute__((visibility("hidden")))
#define PL_EXPORT __attribute__((visibility("default")))
/* For large tables that most processes hardly touch: they lie behind all else, so that what each
 * process touches is few pages, for each is a fault. */
#define PL_LARGE __attribute__((section(".bss.zz_large")))
/* What a program that wakes up finds least of in the caches is code: that of the usual ways lies
 * together, on few pages. */
#define PL_USUAL __attribute__((hot))
/* On the ways that nothing may be called on: a function that is compiled for another kind of frame
 * than its caller would not be inlined otherwise. */
#define PL_INLINE static inline __attribute__((always_inline))

enum pl_stage { PL_BOOTSTRAP = 0, PL_READY = 1, PL_ENDED = 2, PL_SILENT = 3 };

/* Whole pages, so that wiping them touches nothing else. */
#ifdef __aarch64__
#define PL_GATE_BYTES 65536
#else
#define PL_GATE_BYTES 4096
#endif

struct pl_gate {
    _Atomic uint32_t stage;
} __attribute__((aligned(PL_GATE_BYTES)));

extern PL_HIDDEN struct pl_gate pl_gate;

/* A wait under way: its frame's address, where it was called from, whom it waits for. */
struct pl_wait_mark {
    struct pl_wait *wait;
    uintptr_t pc;
    struct pl_object *record; /* or NULL */
};
#define PL_WAITS_MAX 4 /* waits within waits */

/*
 * What belongs to the calling OS thread. `thread` and `actor` are NULL until the thread's first
 * recorded call. stack_lo/hi bound the stack it runs on now (0: unknown), be it the thread's or a
 * task's.
 */
struct pl_self {
    volatile uint32_t guard;
    uint32_t pending; /* what is to be done when a lock was given back: pl_wait_flush */
    struct pl_thread *thread;
    struct pl_actor *actor; /* who runs here now: the thread or a task */
    struct pl_actor *quick; /* the same where nothing is in the way of a lock's short pass, or
                               pl_actor_none */
    uintptr_t stack_lo, stack_hi;
    struct pl_near *near; /* of the thread, see stack.h; NULL: none yet */
    /* Where the runtime keeps the task that runs here, and its loiter_task within:
     * loiter_worker_task. While it is not NULL, `actor` and the bounds are to be asked of
     * pl_follow. */
    const void *const volatile *running;

    /* the second line: what a lock needs none of, but for its `tid` */
    uint32_t tid; /* as the kernel has it, once `thread` is there */
    uint32_t wait_count;
    uint32_t spins;        /* yields and tries, see core/spin.h */
    uint32_t spins_had;    /* and since the last block of them, or the last poll, one that was not
                              in vain: PL_HAD_* of core/spin.h */
    uint32_t stamps;       /* so many times more `now` may be guessed: see clock.h. 0 in a thread
                              that is not recorded */
    uint32_t until_sample; /* tasks to be made until one is measured, see core/tiny.h */
    uint64_t now; /* the clock, when this thread last read or guessed it for an announcement */
    /* As `running`, or a place that says none where that is NULL. */
    const void *const volatile *here;
    size_t running_offset;
    struct loiter_note *note; /* see note.h; pl_no_note: it has none */
    uint32_t phase;           /* enum pl_phase */
    uint32_t dropped;         /* calls passed through because the guard was on */

    struct pl_wait_mark waits[PL_WAITS_MAX]; /* outermost first, see wait_nest.c */

    /* the lock that was tried in vain last, until the thread has it; NULL: none. See spin.h */
    const void *tried;
    uint64_t polled_at; /* when the last poll that found something began. See spin.h */
    uint64_t ended;     /* the stream whose end was read last */
} __attribute__((aligned(64)));

/* Nothing runs here. */
extern PL_HIDDEN const void *const volatile pl_nothing_here;
/* Nothing is noted there, and nothing can be. */
extern PL_HIDDEN struct loiter_note pl_no_note;

#define PL_PENDING_WAIT 1u /* the thread keeps a wait that is to be written */
#define PL_PENDING_HOLD 2u /* and a sample of how long a lock is held */

/* Nobody: it holds no locks and has no room for any. */
extern PL_HIDDEN struct pl_actor pl_actor_none;

/* To be called when `pending`, `running` or `thread` became another. Guard on. */
static inline void pl_self_settle(struct pl_self *self)
{
    int hindered = self->thread == NULL || self->running != NULL || self->pending != 0;
    self->quick = hindered ? &pl_actor_none : self->actor;
}

/* Where the runtime keeps what runs on this thread; NULL: nowhere. Its note is to be told anew. */
static inline void pl_self_runs(struct pl_self *self, const void *const volatile *place,
                                size_t offset)
{
    self->running = place;
    self->here = place != NULL ? place : &pl_nothing_here;
    self->running_offset = offset;
    self->note = &pl_no_note;
}

enum pl_phase { PL_PHASE_NEW = 0, PL_PHASE_ON = 1, PL_PHASE_OVER = 2 };

/* The block of this thread. Not inlined: its address must be fetched again after anything that may
 * have moved the task to another thread. */
PL_HIDDEN struct pl_self *pl_self(void);

/* The block itself, for functions on whose way no task is switched: the announcements. */
extern PL_HIDDEN __thread struct pl_self pl_self_block __attribute__((tls_model("initial-exec")));

/* Gives the thread a slot and a cell. 0, or -1 when it must pass through. Guard is on. */
PL_HIDDEN int pl_thread_attach(struct pl_self *self);

/* Brings `actor` and the stack's bounds up to date with the task that runs here. */
PL_HIDDEN void pl_follow(struct pl_self *self);

/* There is something to record now: begins the record. 1 when there is one then. */
PL_HIDDEN __attribute__((cold)) int pl_record_wake(void);

/* Is there a record? For who has nothing to tell that a record would have to begin for, or may call
 * nothing. */
PL_INLINE int pl_is_on(void)
{
    return atomic_load_explicit(&pl_gate.stage, memory_order_acquire) == PL_READY;
}

/* The same for who has something to tell. */
PL_INLINE int pl_is_ready(void)
{
    const uint32_t stage = atomic_load_explicit(&pl_gate.stage, memory_order_acquire);
    if (__builtin_expect(stage == PL_SILENT, 0))
        return pl_record_wake();
    return stage == PL_READY;
}

/* Nothing is recorded, nor does what is told now begin a record. For who is on the way from a short
 * case to a longer one. */
_Static_assert(((PL_READY & PL_SILENT) & 1) == 1 && ((PL_BOOTSTRAP | PL_ENDED) & 1) == 0,
               "the lowest bit tells them apart");
PL_INLINE int pl_is_deaf(void)
{
    const uint32_t stage = atomic_load_explicit(&pl_gate.stage, memory_order_relaxed);
    return __builtin_expect((stage & PL_READY) == 0, 0) != 0;
}

/* Has this process had nothing to record? */
PL_INLINE int pl_is_silent(void)
{
    return atomic_load_explicit(&pl_gate.stage, memory_order_acquire) == PL_SILENT;
}

/* Not 0: nothing may be recorded here now. */
PL_INLINE uint32_t pl_hindered(const struct pl_self *self)
{
    return (atomic_load_explicit(&pl_gate.stage, memory_order_acquire) ^ PL_READY) | self->guard;
}

static inline void pl_leave(struct pl_self *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    self->guard--;
}

static inline struct pl_self *pl_enter_as(struct pl_self *self)
{
    if (__builtin_expect(self->guard != 0, 0)) {
        self->dropped++;
        return NULL;
    }
    self->guard++;
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(self->thread == NULL, 0) && pl_thread_attach(self) != 0) {
        pl_leave(self);
        return NULL;
    }
    return self;
}

static inline struct pl_self *pl_enter_followed(struct pl_self *self)
{
    if (__builtin_expect(self != NULL && self->running != NULL, 0))
        pl_follow(self);
    return self;
}

static inline struct pl_self *pl_enter(void)
{
    return pl_is_ready() ? pl_enter_followed(pl_enter_as(pl_self())) : NULL;
}

/* As pl_enter, where the calling function switches no task and calls nothing that does. */
static inline struct pl_self *pl_enter_here(void)
{
    return pl_is_ready() ? pl_enter_followed(pl_enter_as(&pl_self_block)) : NULL;
}

/* The same, where who runs here does not matter: `actor` may be that of before. */
static inline struct pl_self *pl_enter_blindly(void)
{
    return pl_is_ready() ? pl_enter_as(&pl_self_block) : NULL;
}

/* The same for functions that call nothing, and where what is looked at next tells that the thread
 * is recorded already: `running`, or `stamps`. NULL says no more than that one of the others is to
 * be asked. */
PL_INLINE struct pl_self *pl_enter_straight(void)
{
    struct pl_self *self = &pl_self_block;
    if (__builtin_expect(pl_hindered(self), 0))
        return NULL;
    self->guard = 1;
    atomic_signal_fence(memory_order_seq_cst);
    return self;
}

/* The same, of a thread that is recorded already. */
PL_INLINE struct pl_self *pl_enter_quickly(void)
{
    return __builtin_expect(pl_self_block.thread == NULL, 0) ? NULL : pl_enter_straight();
}

PL_INLINE void pl_leave_quickly(struct pl_self *self)
{
    atomic_signal_fence(memory_order_seq_cst);
    self->guard = 0;
}

#endif
