/* What the files of the scheduler share among themselves. */
#ifndef WEFT_SCHED_INSIDE_H
#define WEFT_SCHED_INSIDE_H

#include "runtime/sched/ring.h"
#include "runtime/sched/sched.h"

/* The open run; NULL when none is. A thread that is not a worker uses it only as a visitor, between
 * visit and leave: the end of a run takes it away and then waits until no visitor is left. */
extern struct weft__run *weft__open_run;
extern uint32_t weft__visitors;

static inline struct weft__run *weft__visit(void)
{
    __atomic_fetch_add(&weft__visitors, 1, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&weft__open_run, __ATOMIC_SEQ_CST);
}

static inline void weft__leave(void)
{
    __atomic_fetch_sub(&weft__visitors, 1, __ATOMIC_SEQ_CST);
}

/* Threads for blocking calls. */
extern uint32_t weft__pool_threads;
extern int64_t weft__blocking_linger_ns; /* how long one stays without work */

/* At the begin of a run: how many of its calls may block at once. */
void weft__blocking_configure(const struct weft__run *run, unsigned limit);

static inline bool weft__ended(const struct weft__run *run)
{
    return __atomic_load_n(&run->ended, __ATOMIC_ACQUIRE);
}

/* Calls of weft_blocking on their way, also those of tasks that were abandoned. */
extern uint32_t weft__blocking;

/* Counts in a word that only one thread writes. */
static inline void weft__count(uint64_t *word)
{
    __atomic_store_n(word, *word + 1, __ATOMIC_RELAXED);
}

/* deadlock.c */
const char *weft__wait_name(unsigned wait);

/* sched.c */
void weft__bind_thread(struct weft__worker *w);
void weft__dispatch(struct weft__worker *w, struct weft_task *t);
void weft__run_after(struct weft__worker *w);

/* task.c: records. `w` may be NULL. */
struct weft_task *weft__task_new(struct weft__worker *w);
void weft__task_recycle(struct weft__worker *w, struct weft_task *t);
void weft__task_drop_cache(struct weft__worker *w);
void weft__task_each(void (*fn)(struct weft_task *t, void *arg), void *arg);

/* stack.c: stacks of the open run's size, or small ones. NULL: no memory. */
char *weft__stack_get(struct weft__worker *w, bool small);
void weft__stack_put(struct weft__worker *w, char *stack, bool small);
void weft__stack_drop_cache(struct weft__worker *w);
void weft__stack_configure(size_t bytes);
size_t weft__stack_page(void); /* of the guard at its low end */
size_t weft__small_stack_bytes(void);

/* hunger.c: tasks that no stack could be had for. */
extern bool weft__stacks_short; /* there was no memory once */
void weft__starve(struct weft__run *run, struct weft_task *t);
/* The first of them if there is a stack for it now, which is in the worker's cache; NULL. */
struct weft_task *weft__feed(struct weft__worker *w);

/* A word at the high end that no frame touches, zero at first. The one above is stack.c's. */
static inline void *weft__stack_word(char *stack, size_t bytes)
{
    return stack + bytes - 16;
}

static inline size_t weft__stack_bytes(const struct weft__run *run, bool small)
{
    return __builtin_expect(small, 0) ? weft__small_stack_bytes() : run->stack_bytes;
}

/* Where the task keeps what weft_exit has to run; NULL for one that stands for a thread. What is
 * there is NULL when a task begins, and has to be when it ends. */
static inline struct weft_deferred **weft__deferred_of(struct weft_task *t)
{
    if (!t->stack)
        return NULL;
    return weft__stack_word(t->stack, weft__stack_bytes(t->worker->run, t->small));
}

/* Where its frames begin: not at the same place of a page in all, see stack.c. */
static inline char *weft__stack_top(char *stack, size_t bytes)
{
    uintptr_t number = (uintptr_t)stack >> 16 ^ (uintptr_t)stack >> 12;
    return stack + bytes - 16 - number % 16 * 64;
}

/* The two cache lines of a record. Any address may be given. */
static inline void weft__prefetch_task(const void *t)
{
    __builtin_prefetch(t);
    __builtin_prefetch((const void *)((uintptr_t)t + 64));
}

/* queue.c */
void weft__push_tail(struct weft__worker *w, struct weft_task *t);
void weft__push_shared(struct weft__run *run, struct weft_task *t);
/* One for now; the others of `most`, if the worker's fair share is as many, into its ring. */
struct weft_task *weft__take_shared(struct weft__worker *w, uint32_t most);
/* Also the `next` of workers whose tick is still that of `ticks`, if that is not NULL. */
struct weft_task *weft__steal(struct weft__worker *w, const uint32_t *ticks);
bool weft__work_in_sight(struct weft__run *run);
/* A task in some `next`, which its worker comes to mostly at once. */
bool weft__next_in_sight(struct weft__run *run);
/* Others may steal from a worker that was alone, if this is true; else it has to be asked again. */
bool weft__share_queue(struct weft__worker *w);
/* The caller knows that nobody steals any more, nor will before the next weft__share_queue. */
void weft__unshare_queue(struct weft__worker *w);

static inline void weft__push_next(struct weft__worker *w, struct weft_task *t)
{
    struct weft_task *before = weft__next_put(w, t);
    if (before)
        weft__push_tail(w, before);
}

/* idle.c */
struct weft_task *weft__find_work(struct weft__worker *w);
void weft__wake_one(struct weft__run *run);
void weft__wake_for(struct weft__run *run, uintptr_t kind);
void weft__wake_all(struct weft__run *run);

static inline void weft__wake_if_idle(struct weft__run *run)
{
    if (__builtin_expect(__atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) != 0, 0))
        weft__wake_one(run);
}

/* A fresh task: its maker may compute on, so another worker comes and looks, also if nothing else
 * is queued; see idle.c. `kind`, not 0: makers of one kind are taken to do alike. */
static inline void weft__push_fresh(struct weft__worker *w, struct weft_task *t, uintptr_t kind)
{
    struct weft__run *run = w->run;
    struct weft_task *before = weft__next_put(w, t);
    if (before)
        weft__push_tail(w, before);
    else if (__builtin_expect(__atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) != 0, 0))
        weft__wake_for(run, kind);
}

/* overtime.c: moves weft__coarse_ms on. */
void weft__coarse_update(void);

/* monitor.c */
void weft__monitor_main(struct weft__run *run);
void weft__monitor_kick(struct weft__run *run);

/* run.c */
void weft__worker_reset(struct weft__worker *w, struct weft__run *run, unsigned index);
void weft__main_returned(struct weft__worker *w);

/* deadlock.c: reports and exits if no task can ever run again. False: a thread that is not ours
 * may still make one ready. */
bool weft__check_deadlock(struct weft__run *run);
/* Nothing outside the workers will make a task ready, but perhaps a thread that is not ours. */
bool weft__nothing_pending(struct weft__run *run);

#endif
