/*
 * The nouns of the scheduler.
 *
 *   task     what weft_go made: a record, and a stack from its first dispatch on
 *   worker   an OS thread that runs tasks, with its own queue
 *   run      what weft_run opened: workers, and the queue they share
 *   park     a task stops running until somebody makes it ready
 *   waiter   one entry of a parked task in the queue of an object; select has one for each case
 */
#ifndef WEFT_SCHED_TASK_H
#define WEFT_SCHED_TASK_H

#include <loiter.h>
#include <stdalign.h>
#include <stdint.h>

#include "runtime/arch/context.h"

enum {
    WEFT_RING_SIZE = 256,
    WEFT_BATCH = WEFT_RING_SIZE / 2, /* tasks moved between queues at once */
    WEFT_MAX_WORKERS = 256,
    WEFT_INLINE_CAPTURE = 32,
    WEFT_STACK_DEFAULT = 64 * 1024,
    WEFT_STACK_MIN = 16 * 1024,
    WEFT_STACK_CACHE = 64,
    WEFT_TASK_CHAIN = 64,
    WEFT_TASK_HOP = 8,
    WEFT_VAIN_KINDS = 8,
};

/* In a task's epoch: it has an OS thread of its own; see bound.h. */
#define WEFT__BOUND (UINT32_C(1) << 31)

/* Why a task is parked: a name for the report, and the kind for the announcement. */
#define WEFT_WAITS(X)                                                                              \
    X(NONE, "running", LOITER_WAIT_OTHER)                                                          \
    X(SEND, "chan send", LOITER_WAIT_SEND)                                                         \
    X(RECV, "chan receive", LOITER_WAIT_RECV)                                                      \
    X(SEND_NIL, "chan send (nil chan)", LOITER_WAIT_SEND)                                          \
    X(RECV_NIL, "chan receive (nil chan)", LOITER_WAIT_RECV)                                       \
    X(SELECT, "select", LOITER_WAIT_SELECT)                                                        \
    X(SELECT_NONE, "select (no cases)", LOITER_WAIT_SELECT)                                        \
    X(SLEEP, "sleep", LOITER_WAIT_SLEEP)                                                           \
    X(MUTEX, "mutex lock", LOITER_WAIT_MUTEX)                                                      \
    X(RLOCK, "rwmutex read lock", LOITER_WAIT_RLOCK)                                               \
    X(WLOCK, "rwmutex lock", LOITER_WAIT_WLOCK)                                                    \
    X(COND, "cond wait", LOITER_WAIT_COND)                                                         \
    X(GROUP, "waitgroup wait", LOITER_WAIT_GROUP)                                                  \
    X(SEM, "semaphore acquire", LOITER_WAIT_SEM)                                                   \
    X(READ, "IO read", LOITER_WAIT_READ)                                                           \
    X(WRITE, "IO write", LOITER_WAIT_WRITE)                                                        \
    X(ACCEPT, "IO accept", LOITER_WAIT_ACCEPT)                                                     \
    X(CONNECT, "IO connect", LOITER_WAIT_CONNECT)                                                  \
    X(POLL, "IO poll", LOITER_WAIT_POLL)                                                           \
    X(BLOCKING, "blocking call", LOITER_WAIT_BLOCKING)

enum weft__wait {
#define X(name, text, kind) WEFT__WAIT_##name,
    WEFT_WAITS(X)
#undef X
};

enum weft__state {
    WEFT__FREE = 0, /* a record in a cache */
    WEFT__LIVE = 1, /* queued, running or parked */
};

enum weft__capture {
    WEFT__NO_CAPTURE = 0,
    WEFT__CAPTURE_HEAP = 1, /* `arg` is to be freed */
    WEFT__CAPTURE_HERE = 2,
};

/* Classes of stacks; see stack.c. */
enum { WEFT__STACK_NORMAL = 0, WEFT__STACK_SMALL = 1, WEFT__STACK_CLASSES = 2 };

struct weft__worker;

/* Records lie in chunks that are never unmapped, so a stale pointer is a record still. The first
 * cache line is what a park and a ready touch. */
struct weft_task {
    struct weft__context context;
    struct weft_task *next;      /* in the queue or cache it is in */
    struct weft__worker *worker; /* which runs it, or ran it last */
    const void *object;  /* what it waits for; see queue.c. This, name, worker, wait: dump.c */
    uint32_t epoch;      /* of its run; 0 for a plain thread. With WEFT__BOUND */
    uint32_t won;        /* several may wake it: whoever changes this from 0 does */
    uint8_t state, wait; /* enum weft__state, weft__wait */
    uint8_t capture_kind;
    bool small;     /* its stack is of the small class */
    uint32_t since; /* when it parked */
    char *stack;    /* its low end, that of the guard; NULL before the first dispatch */
    void (*fn)(void *);
    struct loiter_task loiter;
    const char *name;
    struct weft__labels *labels; /* shared with the tasks that inherited them; NULL: none */
    union {
        void *arg;
        alignas(16) unsigned char capture[WEFT_INLINE_CAPTURE]; /* then fn gets its address */
    };
};

#if !defined(WEFT_ASAN) && !defined(WEFT_TSAN)
_Static_assert(sizeof(struct weft_task) == 128, "a record is two cache lines");
#endif

/* What the next context does for the one that was left, once nobody runs on that stack. */
enum weft__after {
    WEFT__AFTER_NOTHING = 0,
    WEFT__AFTER_UNLOCK,     /* a spin lock */
    WEFT__AFTER_CALL,       /* a function */
    WEFT__AFTER_REQUEUE,    /* the task, at the tail of the worker's ring */
    WEFT__AFTER_FREE_STACK, /* of a task that ended */
    WEFT__AFTER_FREE_SMALL_STACK,
};

struct weft__worker {
    /* Of its own thread alone; a line of what each switch needs comes first. */
    alignas(64) struct weft_task *current; /* NULL in the scheduler */
    enum weft__after after;
    unsigned hits; /* dispatches from `next` in a row */
    void *after_arg;
    struct weft__run *run;
    uint32_t tick;       /* read by the monitor: it moves with each dispatch */
    bool bound;          /* no worker, but the stand-in for one; see bound.h */
    bool tells_switches; /* somebody listens, who does not look by himself for what it runs */
    bool alone;          /* nobody steals from it; see ring.h */
    bool popping;
    uint64_t switches, parks;        /* so far; others read them */
    struct weft__context *scheduler; /* of the OS thread that drives it */
    struct loiter_note note;
    struct loiter_spared spared;
    struct loiter_making making;
    void (*after_call)(void *);
    struct weft_task *fresh;      /* which the scheduler is to begin; see sched.c */
    struct weft_task *free_tasks; /* see task.c */
    struct weft_task *full_chain;
    struct weft_task *freed[WEFT_TASK_HOP]; /* the last ones */
    unsigned free_task_count, free_stack_count[WEFT__STACK_CLASSES];
    struct weft_timer *spare_timer; /* see time/timer.c */
    uint64_t random;
    uint64_t next_id, last_id; /* task numbers in stock */
    char *free_stacks[WEFT__STACK_CLASSES][WEFT_STACK_CACHE];
    uint64_t steals;
    unsigned index;
    bool spinning;
    bool extra;     /* it helps out; see overtime.c */
    uint32_t spins; /* yields and vain tries of its tasks, until they are told of */
    uint32_t locks; /* of a stand-in: weft_lock_thread less weft_unlock_thread */
#ifdef WEFT_TSAN
    void *dead_fiber;
#endif
    /* The queue; see ring.h. */
    alignas(64) struct weft_task *next;
    alignas(64) uint32_t head;
    alignas(64) uint32_t tail;
    struct weft_task *ring[WEFT_RING_SIZE];
    /* Of idle.c. */
    alignas(64) uint32_t wake;
    struct weft__worker *idle_next;
    uintptr_t woken_for; /* a kind of spawns; 0: for another reason */
    unsigned respins;
    bool idle;   /* under the run's idle lock: it is in the list */
    bool rested; /* it woke by itself, and has not found anything yet */
    /* Of overtime.c: what the monitor saw last. */
    bool active, seen_late;
    uint32_t seen_tick, seen_ms;
};

struct weft__run {
    uint32_t epoch;
    uint32_t ended;   /* the main task returned */
    uint32_t threads; /* which have not ended; see thread.c */
    uint32_t threads_lock;
    struct weft__thread *all_threads, *spare_threads;
    uint32_t bound_awake; /* tasks with a thread of their own, less those asleep */
    unsigned workers;
    unsigned slots;   /* of `worker`: those and the extra ones made so far; see overtime.c */
    uint32_t extras;  /* extra workers that are at work */
    uint32_t handing; /* the monitor has tasks in its hands */
    uint32_t late;    /* workers whose task has run for long */
    uint32_t starved; /* tasks that wait for a stack, see hunger.c; with the queue's lock */
    struct weft_task *starved_head, *starved_tail;
    uint64_t long_runs; /* so far */
    size_t stack_bytes;
    const char *name;
    int epoll_fd, event_fd; /* of netpoll.c; stragglers may still sleep in them */
    struct weft__run *retired_next;
    struct weft_task *main;
    /* The queue that all share, under its lock; `queued` may be read without. */
    alignas(64) uint32_t queue_lock;
    uint32_t queued;
    struct weft_task *queue_head, *queue_tail;
    /* Who sleeps; see idle.c. */
    alignas(64) uint32_t idle_lock;
    uint32_t idle_count, spinning;
    uintptr_t in_vain[WEFT_VAIN_KINDS]; /* kinds of spawns; see idle.c. Until the monitor looks */
    struct weft__worker *idle;
    struct weft__worker *poller; /* which sleeps in epoll, NULL: none */
    int64_t poller_until;
    uint32_t monitor_word;
    struct weft__worker *worker[WEFT_MAX_WORKERS];
};

#endif
