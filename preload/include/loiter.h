/*
 * loiter.h - what a coroutine runtime tells Loiter, and what a program may tell it.
 *
 * Every function here is weak: it is absent, at the price of one load and one branch, unless
 * libloiter.so is preloaded. Call them through the LOITER_CALL macro, which is that branch:
 *
 *     LOITER_CALL(loiter_task_ready, (&task->loiter, channel));
 *
 * A runtime that makes these calls gets the findings that Weft gets; docs/adopting.md shows one.
 *
 * Rules for all of them, unless said otherwise:
 *  - thread-safe; not to be called from a signal handler;
 *  - they keep errno, never block, never call back, never take the program's locks;
 *  - pointers to objects are used as identities and never followed; only the `loiter_task` record
 *    is written, in its `tool` word;
 *  - `caller` is the return address of the runtime's public function: the place in the program
 *    that made the call. Loiter drops the frames of the runtime above it.
 */
#ifndef LOITER_H
#define LOITER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOITER_WEAK          __attribute__((weak, visibility("default")))
#define LOITER_CALL(f, args) (__builtin_expect((f) != NULL, 0) ? (f)args : (void)0)

/* What a task waits for, or what an object is. The numbers are those of eventlog/kinds.def. */
enum loiter_wait {
    LOITER_WAIT_MUTEX = 5,
    LOITER_WAIT_RLOCK = 6,
    LOITER_WAIT_WLOCK = 7,
    LOITER_WAIT_COND = 16,
    LOITER_WAIT_SEM = 17,
    LOITER_WAIT_BARRIER = 18,
    LOITER_WAIT_JOIN = 19,
    LOITER_WAIT_SEND = 20,
    LOITER_WAIT_RECV = 21,
    LOITER_WAIT_SELECT = 22,
    LOITER_WAIT_GROUP = 23,
    LOITER_WAIT_ONCE = 24,
    LOITER_WAIT_OTHER = 25,
    LOITER_WAIT_READ = 32,
    LOITER_WAIT_WRITE = 33,
    LOITER_WAIT_ACCEPT = 34,
    LOITER_WAIT_CONNECT = 35,
    LOITER_WAIT_POLL = 36,
    LOITER_WAIT_SLEEP = 37,
    LOITER_WAIT_BLOCKING = 44
};

enum loiter_object {
    LOITER_OBJ_OTHER = 0,
    LOITER_OBJ_MUTEX = 1,
    LOITER_OBJ_RWLOCK = 2,
    LOITER_OBJ_COND = 4,
    LOITER_OBJ_SEM = 5,
    LOITER_OBJ_CHAN = 7,
    LOITER_OBJ_GROUP = 8,
    LOITER_OBJ_CONTEXT = 9,
    LOITER_OBJ_ONCE = 10,
    LOITER_OBJ_TIMER = 16,
    LOITER_OBJ_TICKER = 17,
    LOITER_OBJ_TICK = 18
};

/* Part of the runtime's record of a task. The runtime zeroes it, sets `id`, and keeps it in place
 * until loiter_task_exit returned; Loiter owns `tool`, in which LOITER_TOOL_LOOKS tells that it
 * looks for the task's stack by itself: loiter_task_stacks. */
struct loiter_task {
    uint64_t id; /* unique in the process, below 2^62, never reused, never 0 */
    void *tool;
};
#define LOITER_TOOL_LOOKS 1u
static inline int loiter_task_looks(const struct loiter_task *t)
{
    return ((uintptr_t)t->tool & LOITER_TOOL_LOOKS) != 0;
}

/* ---- the runtime ---- */

/* The scheduler starts, before its first task. `name` is copied. Several runs may follow each
 * other in a process; at most one is open at a time. */
LOITER_WEAK void loiter_run_begin(const char *name, unsigned workers);

/* The main task returned. Tasks and timers alive now are abandoned and judged as they stand: call
 * this before any of them is torn down, and announce no exit for those that never finish. */
LOITER_WEAK void loiter_run_end(void);

/* The calling OS thread serves the runtime (worker, poller, blocking-call thread) and is not a
 * thread of the program. */
LOITER_WEAK void loiter_worker_begin(void);

/* The calling OS thread runs the task whose record *place points to, at any time until this is
 * called again; NULL in *place is the scheduler itself. `offset` is where the record has its struct
 * loiter_task. With this, loiter_task_switch need not be called on that thread: Loiter looks when
 * it wants to know. `place` NULL: the thread says by loiter_task_switch again what it runs. */
LOITER_WEAK void loiter_worker_task(const void *const volatile *place, size_t offset);

/* The runtime looks at the clock for Loiter: it calls this every few milliseconds while tasks run,
 * and when a worker wakes up after a rest. From the first call in a run on, Loiter reads the clock
 * only now and then by itself, and times of tasks are right to the interval of these calls. Any
 * thread. */
LOITER_WEAK void loiter_tick(void);

/* ---- tasks ---- */

/* The current actor made `t`. `stack_bytes` is what the task's stack reserves, `capture_bytes`
 * what was copied into it. `arg` is what its function will get: the copy, or else what the program
 * gave, which need not be a pointer. */
LOITER_WEAK void loiter_task_created(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                                     size_t capture_bytes, const void *caller, const void *arg);

/* The task's stack is [lo, hi); announced before its first instruction and if it ever moves. The
 * first time, the task begins to run. */
LOITER_WEAK void loiter_task_stack(struct loiter_task *t, const void *lo, const void *hi);

/* The low end of a task's stack is in the word so many bytes behind its struct loiter_task, NULL as
 * long as it has none, and its size is what loiter_task_created was told. A runtime that says so,
 * and says by loiter_worker_task what its threads run, need not call loiter_task_stack for a task
 * that loiter_task_looks tells of: that costs less. Called after loiter_run_begin. */
LOITER_WEAK void loiter_task_stacks(ptrdiff_t offset);

/* Calls `on` once with each task that was announced and has not ended; records of others, zeroed or
 * as loiter_task_exit left them, may be among them. Takes no lock, allocates nothing, announces
 * nothing. */
typedef void loiter_task_each(void (*on)(const struct loiter_task *t, void *ctx), void *ctx);

/* How the runtime lists its tasks. Of one that says so, and calls loiter_task_stacks, a task that
 * has done nothing yet but run costs next to nothing: it is only counted. Called after
 * loiter_run_begin, and good until loiter_run_end returns. `each` is called by loiter_run_end and
 * at the end of the process, from whatever thread ends it, while others make and end tasks. */
LOITER_WEAK void loiter_task_list(loiter_task_each *each);

/* The calling OS thread runs `t` from now on, or the scheduler itself when NULL. Called on either
 * side of the stack switch, by the thread that runs the task. */
LOITER_WEAK void loiter_task_switch(struct loiter_task *t);

/* The current task, `t`, is about to wait for one of `n` objects (n 0: for time alone, or for what
 * is not an object; for IO: objects[0] is the descriptor). `timed`: the wait ends by itself.
 * Called before the task can be made ready by another thread. */
LOITER_WEAK void loiter_task_park(struct loiter_task *t, enum loiter_wait why,
                                  const void *const *objects, unsigned n, int timed,
                                  const void *caller);

/* The wait announced by park did not happen after all (the object became ready). */
LOITER_WEAK void loiter_task_unpark(struct loiter_task *t);

/* `t` can run again. Called by who made it so, from a task or from the scheduler (timer, poller),
 * before another thread can switch to it. `object` is what it was waiting for, NULL if unknown. */
LOITER_WEAK void loiter_task_ready(struct loiter_task *t, const void *object);

/* `t` ended; its record may be reused when this returns. */
LOITER_WEAK void loiter_task_exit(struct loiter_task *t);

/* The task has run for long without a pause. It may end meanwhile, but its record stays readable
 * until the run has ended. From any thread. If the program is killed, this is what tells that a
 * task lives that has done nothing but compute since it was made. */
LOITER_WEAK void loiter_task_computes(const struct loiter_task *t);

/* What the task calls itself: its name, and its labels as one line of text; NULL: none. Copied, and
 * cut at 47 and 79 bytes. By the task itself, or by who made it, before it can run. */
LOITER_WEAK void loiter_task_named(struct loiter_task *t, const char *name, const char *labels);

/* The calling OS thread is no worker, and is about to wait for what the runtime has: until the wait
 * is over `t` stands for it, with what is announced of that: loiter_task_park, loiter_task_ready,
 * and when it goes on loiter_task_switch. Called before each such wait; `id` is not looked at. */
LOITER_WEAK void loiter_thread_waits(struct loiter_task *t);

/* ---- waits that pass ---- */

/*
 * Tasks that hand something to and fro wait a million times a second, at the same places, and each
 * wait is over at once. A wait like the task's last one need not be told, nor that it is over,
 * where Loiter says so here: it counts them. A runtime that calls this, after loiter_run_begin,
 * asks loiter_wait_passes before it calls loiter_task_park, by the task itself, and
 * loiter_waking_passes before it calls loiter_task_ready; if they say 1, the call is left out.
 * `frame` is an address that tells apart from which depth of which of the runtime's functions they
 * are asked, such as the canonical address of their frame.
 *
 * Not to be asked for a wait with a limit of time, nor while the task holds a lock that is noted
 * (loiter_note), nor on a thread that does not say by loiter_worker_task what it runs.
 */
LOITER_WEAK void loiter_waits_pass(void);

/* The record of a task whose `tool` is an address (it is not NULL, and loiter_task_looks says no)
 * has this so many bytes behind it. Loiter fills it in, but for what is said to be the runtime's.
 */
#define LOITER_AGAIN_OFFSET 64
#define LOITER_AGAIN_MOST   4
#define LOITER_AGAIN_LOOKED 1u
struct loiter_again {
    uint32_t left;   /* so many more may pass */
    uint32_t waits;  /* the last that passed is not over */
    uint32_t looks;  /* another number with each time that Loiter looks whether it is over; in the
                        meantime LOITER_AGAIN_LOOKED is in it, and that is told */
    uint32_t passed; /* the runtime's: waits, since Loiter counted them */
    const void *caller;
    const void *frame; /* the runtime's: of the last wait that was told */
    const uintptr_t *at;
    uintptr_t word;        /* what is there if the call comes from where it came last */
    const uint64_t *clock; /* as long as that is `tick` */
    uint64_t tick;

    const void *object[LOITER_AGAIN_MOST];
    const uint64_t *watched[LOITER_AGAIN_MOST];

    uint64_t seen[LOITER_AGAIN_MOST]; /* what is `watched` as long as it is that object */

    /* Who may end it, and by which object: */
    const void *waker;
    const uint64_t *waker_watched; /* `waker_seen`, as long as it is that one */
    uint64_t waker_seen;
    const void *woken;
    const void *waking_frame; /* the runtime's: of the last waking that was told */
    uint32_t *pressed;        /* is set to `pressed_as` then */
    uint64_t last_waker;      /* and this to its id */

    uint32_t n; /* objects */
    uint32_t pressed_as;
    /* Of LOITER_WAIT_GROUP: each is increased by a wait that passes. */
    uint32_t *rounds[2];
};

/* NULL: nothing is said of the task. */
static inline struct loiter_again *loiter_again_of(const struct loiter_task *t)
{
    if (t->tool == NULL || loiter_task_looks(t))
        return NULL;
    return (struct loiter_again *)(void *)((char *)t->tool + LOITER_AGAIN_OFFSET);
}

/* It is the i-th object of the last wait. */
static inline int loiter_object_again(const struct loiter_again *a, unsigned i, const void *object)
{
    return a->object[i] == object && __atomic_load_n(a->watched[i], __ATOMIC_RELAXED) == a->seen[i];
}

static inline int loiter_wait_again(struct loiter_again *a, enum loiter_wait why,
                                    const void *object, const void *caller, const void *frame)
{
    if (__atomic_load_n(&a->left, __ATOMIC_RELAXED) == 0 || a->caller != caller ||
        a->frame != frame || !loiter_object_again(a, 0, object) || *a->at != a->word ||
        __atomic_load_n(a->clock, __ATOMIC_RELAXED) != a->tick) {
        a->frame = frame;
        return 0;
    }
    a->left--;
    if (why == LOITER_WAIT_GROUP) {
        ++*a->rounds[0];
        ++*a->rounds[1];
    }
    __atomic_store_n(&a->waits, 1, __ATOMIC_RELEASE);
    return 1;
}

/* 1: that the current task, `t`, waits for that object need not be told. */
static inline int loiter_wait_passes(struct loiter_task *t, enum loiter_wait why,
                                     const void *object, const void *caller, const void *frame)
{
    struct loiter_again *a = loiter_again_of(t);
    return a != NULL && loiter_wait_again(a, why, object, caller, frame);
}

/* The same for one of `n` objects, not 0. */
static inline int loiter_select_passes(struct loiter_task *t, const void *const *objects,
                                       unsigned n, const void *caller, const void *frame)
{
    struct loiter_again *a = loiter_again_of(t);
    if (a == NULL)
        return 0;
    for (unsigned i = 1; i < n && a->n == n; i++)
        if (!loiter_object_again(a, i, objects[i]))
            n = 0;
    if (a->n == n)
        return loiter_wait_again(a, LOITER_WAIT_SELECT, objects[0], caller, frame);
    a->frame = frame;
    return 0;
}

/* 1: that `t` is made ready by the current task, `me`, need not be told. */
static inline int loiter_waking_passes(struct loiter_task *t, const void *object,
                                       const struct loiter_task *me, const void *frame)
{
    struct loiter_again *a = loiter_again_of(t);
    if (a == NULL)
        return 0;
    const uint32_t looks = __atomic_load_n(&a->looks, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&a->waits, __ATOMIC_RELAXED) == 0 || (looks & LOITER_AGAIN_LOOKED) != 0 ||
        a->woken != object || a->waker != me->tool || a->waking_frame != frame ||
        __atomic_load_n(a->waker_watched, __ATOMIC_RELAXED) != a->waker_seen ||
        __atomic_load_n(a->clock, __ATOMIC_RELAXED) != a->tick) {
        a->waking_frame = frame;
        return 0;
    }
    /* Who looks has all threads pass a barrier between its mark and its look. */
    __atomic_store_n(&a->waits, 0, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&a->looks, __ATOMIC_RELAXED) != looks, 0))
        return 0;
    a->passed++;
    a->last_waker = me->id;
    *a->pressed = a->pressed_as;
    return 1;
}

/* ---- spins ---- */

/* The current task, or others of this thread in turn with it, yielded or tried in vain `n` times
 * since this was called last: yields (`tries` 0), or tries of locks and channels. */
LOITER_WEAK void loiter_task_spins(unsigned n, int tries, const void *caller);

/* ---- blocking calls ---- */

/* The current task hands a call that may block to an OS thread of its own. */
LOITER_WEAK void loiter_blocking_call(const void *caller);
/* That thread begins with it, and is done; in between the task is the thread's current one.
 * `stack_bytes` is what the thread's stack reserves. */
LOITER_WEAK void loiter_blocking_begin(size_t stack_bytes);
LOITER_WEAK void loiter_blocking_end(void);

/* ---- groups of tasks ---- */

/* The current task is the first of the group's members to give an error; so many members run, it
 * included. `cancels`: the group has a context that is cancelled now. */
LOITER_WEAK void loiter_group_failed(const void *group, unsigned running, int error, int cancels);
/* In a group that has failed, a member ends, or another one has begun (`started`), maybe in the
 * place of one that ends; so many run now. */
LOITER_WEAK void loiter_group_changed(const void *group, unsigned running, int started);
/* Somebody has waited for all members of a group that has failed, and knows its error. */
LOITER_WEAK void loiter_group_waited(const void *group);

/* The current task adds to a wait group whose count is zero. */
LOITER_WEAK void loiter_waitgroup_begun(const void *group, const void *caller);
/* The current task need not wait for the group: its count is zero. That it waits, and has waited
 * when it goes on, is told by loiter_task_park. */
LOITER_WEAK void loiter_waitgroup_waited(const void *group, const void *caller);

/* What the current actor is about to do breaks the contract of a call, and the runtime will stop
 * the program. The numbers are those of eventlog/kinds.def; `what` is copied. */
enum loiter_misuse {
    LOITER_MISUSE_OTHER = 0,
    LOITER_MISUSE_GROUP_NEGATIVE = 1,
    LOITER_MISUSE_GROUP_REUSED = 2
};
LOITER_WEAK void loiter_misused(enum loiter_misuse kind, const void *object, const char *what,
                                const void *caller);

/* ---- objects ---- */

/* Made by the current actor; capacity as of a channel or semaphore. */
LOITER_WEAK void loiter_object_created(enum loiter_object kind, const void *object, size_t capacity,
                                       const void *caller);
/* The channel has a buffer of items of that size, and `count` says how many are inside. That word
 * may be read until loiter_object_destroyed. Called right after loiter_object_created. */
LOITER_WEAK void loiter_object_items(const void *object, const size_t *count, size_t item_bytes);
/* The current actor used the context otherwise than by a wait: asked it, made a child of it. */
LOITER_WEAK void loiter_object_used(enum loiter_object kind, const void *object);
/* The program let go of its last handle of a context that was not cancelled and that its timer
 * keeps. */
LOITER_WEAK void loiter_object_dropped(enum loiter_object kind, const void *object,
                                       const void *caller);
/* The channel was closed, the context cancelled. */
LOITER_WEAK void loiter_object_closed(enum loiter_object kind, const void *object,
                                      const void *caller);
/* Released for the last time; `left` items were still inside. */
LOITER_WEAK void loiter_object_destroyed(enum loiter_object kind, const void *object, size_t left);

/* The current actor acquired a lock; `why` is MUTEX, RLOCK or WLOCK, or ONCE when it runs an
 * initialisation, which may wait for the outside. */
LOITER_WEAK void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller);
/* About to be released, by the current actor; `owner` is the task that acquired it where that may
 * be another (LOITER_SOMEBODY: one that is not known), NULL otherwise. */
LOITER_WEAK void loiter_lock_released(const void *lock, struct loiter_task *owner);
#define LOITER_SOMEBODY ((struct loiter_task *)(uintptr_t)1)

/*
 * For locks whose taking is inlined into the program, where no function of the runtime returns to
 * the place. It is told by `pc`, an address behind an instruction of the program's function, by the
 * canonical address of that function's frame, and by its return address. The first is as
 * loiter_lock_acquired, the second as loiter_task_park for one lock, not timed.
 */
LOITER_WEAK void loiter_lock_taken(enum loiter_wait why, const void *lock, const void *pc,
                                   const void *frame, const void *caller);
LOITER_WEAK void loiter_lock_waits(struct loiter_task *t, enum loiter_wait why, const void *lock,
                                   const void *pc, const void *frame, const void *caller);

/*
 * The same without a call. The runtime notes that the thread's current task takes a lock:
 *     in at[0] if that has none, else in at[1] if that has none;
 *     it takes 1 off `left`, and if that is below 0 now, it has to tell by a call;
 *     for at[1] it says in `later` what is left now;
 *     it sets `pc`, `frame` and `caller`, and `lock` last, once it has the lock.
 * If it did not get the lock, it adds 1 to `left` again. That it gives the lock up:
 *     if one of `at` has that `lock`, it sets it to 0, unless it is another by then: by an
 *     instruction that no signal handler can come in the midst of. Then that is told.
 * Otherwise it calls loiter_lock_taken, and loiter_lock_released. Zeroed before the thread has it.
 */
#define LOITER_NOTE_FREE 4096
struct loiter_noted {
    uintptr_t lock; /* its address, plus 0 for MUTEX, 1 for RLOCK, 2 for WLOCK; 0: none; else below
                       LOITER_NOTE_FREE, or above all addresses: none, and nothing is noted here */
    const void *pc, *frame, *caller;
};
#define LOITER_NOTES 2
struct loiter_note {
    int32_t left;  /* so many may be noted until one is told by a call: Loiter sets it anew then */
    int32_t later; /* at[1] was noted after at[0] if as much is left still */
    struct loiter_noted at[LOITER_NOTES];
};

/* The calling OS thread has its note there, until this is called again; NULL: nowhere. Called after
 * loiter_worker_task. Both places, and the records of tasks that it points to, may be read by other
 * threads for as long as the process lives. */
LOITER_WEAK void loiter_worker_note(struct loiter_note *note);

/*
 * What a thread of the runtime need not tell, at the moment. Loiter writes these words, by the
 * thread itself, `young` by any; the runtime takes from `ends`. Zeroed before the thread has it.
 */
struct loiter_adder {
    uint64_t group; /* a wait group's address, 0: of none */
    uint64_t task;  /* a task's number */
};
struct loiter_spared {
    /* A task whose `tool` is `young` may end without loiter_task_exit as long as `ends` is not 0:
     * its `tool` is set to NULL instead, and then 1 is taken off `ends`. */
    void *young;
    uint64_t ends;
    /* That task may add to that group without loiter_waitgroup_begun; NULL: none may to any. */
    const struct loiter_adder *adder;
};

/* The calling OS thread has these words there, until this is called again; NULL: nowhere. Called
 * after loiter_worker_task, and with NULL before another thread is given the same words. They may
 * be read and written by other threads for as long as the process lives. */
LOITER_WEAK void loiter_worker_spared(struct loiter_spared *spared);

/*
 * A task made like the last one need not be told where Loiter says so here: it counts them. A
 * runtime that has such words for each of its threads asks loiter_making_passes before it calls
 * loiter_task_created; if that says 1, the call is left out. Loiter fills them in, but for what is
 * said to be the runtime's; `frame` is as for loiter_wait_passes.
 */
#define LOITER_MAKING_NEAR 3
#define LOITER_NO_TICK     UINT64_MAX
struct loiter_making {
    uint32_t left; /* so many more may pass; nothing else is looked at when it is 0 */
    uint32_t pressed_as;
    const void *caller;
    const void *frame;     /* the runtime's: of the last that was told */
    const uint64_t *clock; /* as long as that is `tick` */
    uint64_t tick;
    uint64_t maker; /* the number of the task that makes them */
    void (*start)(void);
    size_t stack_bytes;

    size_t capture_bytes;
    uint32_t *pressed; /* is `pressed_as` when one of them ended the maker's last wait */
    uint64_t *ends;    /* is 0 when the last one has ended */
    /* What is there if the call comes from where it came last. */
    const uintptr_t *at[LOITER_MAKING_NEAR];
    uintptr_t word[LOITER_MAKING_NEAR];

    /* What one that passes has and leaves behind: */
    void *young;
    uint64_t *now, *made_at;
    uint32_t *made_in;
    const uint32_t *rounds;
};

/* The calling OS thread has these words there, as those of loiter_worker_spared. */
LOITER_WEAK void loiter_worker_makes(struct loiter_making *making);

/* 1: that the current task, `maker`, makes `t` need not be told. */
static inline int loiter_making_passes(struct loiter_making *m, struct loiter_task *t,
                                       const struct loiter_task *maker, void (*start)(void),
                                       size_t stack_bytes, size_t capture_bytes, const void *caller,
                                       const void *frame)
{
    if (m->left == 0 || m->caller != caller || m->frame != frame || m->maker != maker->id ||
        __atomic_load_n(m->clock, __ATOMIC_RELAXED) != m->tick || m->start != start ||
        m->stack_bytes != stack_bytes || m->capture_bytes != capture_bytes ||
        *m->at[0] != m->word[0] || *m->at[1] != m->word[1] || *m->at[2] != m->word[2] ||
        *m->pressed != m->pressed_as || *m->ends != 0) {
        m->frame = frame;
        return 0;
    }
    m->left--;
    *m->pressed = 0;
    *m->ends = 1;
    *m->made_at = ++*m->now;
    *m->made_in = *m->rounds;
    t->tool = m->young;
    return 1;
}

/* Something is in the thread's note, and another task is about to run here, or none, otherwise than
 * by loiter_task_park. */
LOITER_WEAK void loiter_note_moves(void);

/* ---- time ---- */

/* A timer or ticker was made or set again: it fires `first_ns` from now and then each `period_ns`
 * (0: once). `stoppable` is 0 where the program has no handle to stop it. A timer that fires once
 * need not be announced again while it is armed. */
LOITER_WEAK void loiter_timer_armed(enum loiter_object kind, const void *timer, int64_t first_ns,
                                    int64_t period_ns, int stoppable, const void *caller);
/* Stopped by the program. */
LOITER_WEAK void loiter_timer_stopped(const void *timer);
/* Fired; `dropped` when nobody had taken the tick before. */
LOITER_WEAK void loiter_timer_fired(const void *timer, int dropped);
/* Its record is gone. */
LOITER_WEAK void loiter_timer_destroyed(const void *timer);
/* The program let go of its last handle of a timer that is armed: it fires for nobody. */
LOITER_WEAK void loiter_timer_dropped(const void *timer, const void *caller);
/* What a timer of that kind takes of memory, its channel included. Said once, before the first. */
LOITER_WEAK void loiter_timer_bytes(enum loiter_object kind, size_t bytes);

/* ---- for programs ---- */

/* Names what the process does from here on, as a test's name; findings carry it. Copied. */
LOITER_WEAK void loiter_mark(const char *name);

#ifdef __cplusplus
}
#endif
#endif
