/* What the rest of the runtime asks of the scheduler: who runs, park, ready, spawn. */
#ifndef WEFT_SCHED_SCHED_H
#define WEFT_SCHED_SCHED_H

#include <weft.h>

#include "runtime/sched/fatal.h"
#include "runtime/sched/lock.h"
#include "runtime/sched/task.h"

#define WEFT_CALLER() __builtin_return_address(0)

/* The number of the open run, 0 without one. Tasks of other runs never run again. */
extern uint32_t weft__open_epoch;

static inline uint32_t weft__epoch_of(const struct weft_task *t)
{
    return __atomic_load_n(&t->epoch, __ATOMIC_RELAXED) & ~WEFT__BOUND;
}

static inline bool weft__abandoned(const struct weft_task *t)
{
    uint32_t open = __atomic_load_n(&weft__open_epoch, __ATOMIC_RELAXED);
    return t->epoch != open && weft__epoch_of(t) != open && t->epoch != WEFT__BOUND;
}

extern __thread struct weft__worker *weft__current_worker
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The worker of the calling OS thread; NULL on others. Stale after any switch, so the compiler must
 * not keep it. */
static inline struct weft__worker *weft__worker(void)
{
    return (struct weft__worker *)WEFT_ARCH_THREAD_LOCAL(weft__current_worker);
}

/* Where weft_inline.h finds the worker's note; one without room where nobody looks at it. */
extern __thread struct loiter_note *weft__my_note
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* The running task holds a lock that is noted. */
static inline bool weft__holds_noted(const struct weft__worker *w)
{
    return (w->note.at[0].lock | w->note.at[1].lock) >= LOITER_NOTE_FREE;
}

/* The task is about to leave the worker otherwise than by a wait. */
static inline void weft__note_moves(const struct weft__worker *w)
{
    if (__builtin_expect(weft__holds_noted(w), 0))
        LOITER_CALL(loiter_note_moves, ());
}

/* Where the program locks: where a function of the library returns to, or, if `frame` is not NULL,
 * where weft_inline.h has that function's part. */
struct weft__place {
    const void *pc, *frame, *caller;
};

struct weft_task *weft__bound_self(void); /* see bound.h */

/* The running task; NULL outside one. */
static inline struct weft_task *weft__self(void)
{
    struct weft__worker *w = weft__worker();
    return __builtin_expect(w != NULL, 1) ? w->current : weft__bound_self();
}

/* What the caller waits with: the running task; outside one, a record that stands for the thread.
 * Without memory for that it is the end of the program. */
struct weft_task *weft__self_or_die(void);

/* Milliseconds, as they were when the monitor or a worker that woke up looked last. */
extern uint32_t weft__coarse_ms;

/* Relaxed: weft_dump reads it at any time. */
static inline void weft__set_wait(struct weft_task *t, enum weft__wait why, const void *object)
{
    __atomic_store_n(&t->wait, (uint8_t)why, __ATOMIC_RELAXED);
    __atomic_store_n(&t->object, object, __ATOMIC_RELAXED);
    __atomic_store_n(&t->since, __atomic_load_n(&weft__coarse_ms, __ATOMIC_RELAXED),
                     __ATOMIC_RELAXED);
}

/* As what a wait is announced. */
static inline enum loiter_wait weft__kind_of(enum weft__wait why)
{
    switch (why) {
#define X(name, text, kind)                                                                        \
    case WEFT__WAIT_##name:                                                                        \
        return kind;
        WEFT_WAITS(X)
#undef X
    }
    return LOITER_WAIT_OTHER;
}

/* Tells whoever listens of a wait, and of a waking; see announce.c. */
void weft__tell_wait(struct weft_task *t, enum loiter_wait why, const void *object, bool timed,
                     const void *caller);
void weft__tell_select(struct weft_task *t, enum loiter_wait why, const void *const *objects,
                       unsigned n, bool timed, const void *caller);
void weft__tell_ready(struct weft_task *t, const void *object, const struct weft__worker *w);

/* Says what the task is going to wait for. Under the lock that keeps it from being made ready. */
static inline void weft__will_wait(struct weft_task *t, enum weft__wait why, const void *object,
                                   bool timed, const void *caller)
{
    weft__set_wait(t, why, object);
    if (__builtin_expect(loiter_task_park != NULL, 0))
        weft__tell_wait(t, weft__kind_of(why), object, timed, caller);
}

/* The same for a lock. */
void weft__will_lock(struct weft_task *t, enum weft__wait why, const void *lock,
                     const struct weft__place *at);

/* The same for any number of objects. */
static inline void weft__will_wait_all(struct weft_task *t, enum weft__wait why,
                                       const void *const *objects, unsigned n, bool timed,
                                       const void *caller)
{
    weft__set_wait(t, why, n == 1 ? objects[0] : NULL);
    if (__builtin_expect(loiter_task_park != NULL, 0))
        weft__tell_select(t, weft__kind_of(why), objects, n, timed, caller);
}

/* The current task, of that worker (NULL: none), yields, or tried in vain. Told by the block: the
 * place is looked at then, and the clocks are read, and one of them costs two instructions, whether
 * somebody listens or not. */
enum { WEFT__SPIN_BLOCK = 512 };
void weft__spun(bool tried, const void *caller);
static inline void weft__spins(struct weft__worker *w, bool tried, const void *caller)
{
    if (__builtin_expect(w != NULL, 1) && __builtin_expect(++w->spins % WEFT__SPIN_BLOCK == 0, 0))
        weft__spun(tried, caller);
}

/* Stops running the task; returns when it was made ready and runs again. The lock, if not NULL, is
 * given up once nobody runs on its stack. A task with a thread of its own blocks that. */
void weft__park(struct weft_task *t, uint32_t *lock);

/* The same, with a function called then (on another stack; it must not wait). */
void weft__park_call(struct weft_task *t, void (*fn)(void *), void *arg);

/* Lets a parked task run, as the next one. Once for each park. From any thread. */
void weft__ready(struct weft_task *t, const void *object);

/* Each of a list, by `next`; the object may be gone as soon as the last one is ready. */
static inline void weft__ready_all(struct weft_task *list, const void *object)
{
    while (list) {
        struct weft_task *t = list;
        list = t->next;
        weft__ready(t, object);
    }
}

/* The same, behind those that can run already, where other workers look first. */
void weft__ready_tail(struct weft_task *t, const void *object);
static inline void weft__ready_all_tail(struct weft_task *list, const void *object)
{
    while (list) {
        struct weft_task *t = list;
        list = t->next;
        weft__ready_tail(t, object);
    }
}

/* One of those that may wake it: true for the one that shall. */
static inline bool weft__win(struct weft_task *t, uint32_t who)
{
    uint32_t open = 0;
    return __atomic_compare_exchange_n(&t->won, &open, who, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* A task that is to be. */
struct weft__spawn {
    void (*fn)(void *);
    void (*start)(void *); /* what is announced as its function */
    void *arg;
    size_t size; /* not 0: that many bytes at `arg` are copied */
    const char *name;
    bool small;   /* on a small stack; see stack.c */
    bool pressed; /* the caller cannot take -ENOMEM: also while tasks wait for stacks */
};

/* 0, -ENOMEM, -ESRCH. */
int weft__spawn(const struct weft__spawn *spawn, const void *caller);

/* Ends the running task as if its function had returned, however deep in its stack it stands. For
 * the main task too: the run goes on without it. */
_Noreturn void weft__task_end(void);

/* For whoever listens: the task was made so, by `maker` or NULL. See announce.c. */
void weft__tell_created(struct weft_task *t, const struct weft__spawn *spawn,
                        const struct weft_task *maker, size_t stack_bytes, const void *caller);

/* For whoever listens: the name and the labels of the task, which is the running one or does not
 * run yet. See labels.c. */
void weft__tell_names(struct weft_task *t);

/* Numbers that are hard to foresee, for fairness. */
uint32_t weft__random(void);

#endif
