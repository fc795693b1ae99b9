/*
 * Tasks change places here: spawn, park, ready, yield, the end of a task. Who finds work for a
 * worker that has none is idle.c.
 *
 * Design notes
 *
 * A task that parks goes straight to the next one in its worker's queue. It cannot give up the lock
 * of what it waits for before that: a waker would run it on another thread while this one still
 * stands on its stack. So the lock is left in `after`, and the first thing any context does on its
 * arrival is to finish that for the one before.
 *
 * A stack is bound at the first dispatch: a million tasks that were spawned and run one after the
 * other share one stack. A fresh task that follows one that ended takes over its stack on the spot.
 * Where the worker has no stack in stock, the kernel is asked for some, and who waits for the lock
 * in `after` would wait for that too: the task is left in `fresh`, and begun from the scheduler.
 *
 * Every 61st switch goes by way of the scheduler's own stack, where timers, descriptors and the
 * shared queue are looked at, so that two tasks that hand work to each other starve nobody.
 *
 * The current worker is thread-local, and a task may return from a switch on another thread. So it
 * is read in a way that the compiler cannot see through, or from the task's record.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/bound.h"
#include "runtime/sched/inside.h"
#include "runtime/sync/local.h"

enum { TURNS_TO_SCHEDULER = 61, NEXT_HITS_MAX = 3 };

struct weft__run *weft__open_run;
uint32_t weft__visitors;

__thread struct weft__worker *weft__current_worker;
__thread struct weft_deferred **weft__scopes;
static struct loiter_note nobodys = {.at = {{.lock = 1}, {.lock = 1}}}; /* it has no room */
__thread struct loiter_note *weft__my_note = &nobodys;

void weft__bind_thread(struct weft__worker *w)
{
    weft__current_worker = w;
    weft__scopes = NULL;
    if (w)
        w->tells_switches = loiter_task_switch != NULL && loiter_worker_task == NULL;
    LOITER_CALL(loiter_worker_task, (w ? (const void *const volatile *)&w->current : NULL,
                                     offsetof(struct weft_task, loiter)));
    if (loiter_worker_note != NULL) {
        weft__my_note = w ? &w->note : &nobodys;
        LOITER_CALL(loiter_worker_note, (w ? &w->note : NULL));
    }
    if (w) {
        LOITER_CALL(loiter_worker_spared, (&w->spared));
        LOITER_CALL(loiter_worker_makes, (&w->making));
    }
}

struct weft_task *weft__self_or_die(void)
{
    struct weft_task *t = weft__self();
    return t ? t : weft__outside_self();
}

uint32_t weft__random(void)
{
    struct weft__worker *w = weft__worker();
    if (!w)
        return (uint32_t)weft_now();
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (uint32_t)(w->random >> 16);
}

/* ---- switching ---- */

static void run_rare_after(struct weft__worker *w, enum weft__after after, void *arg)
{
    if (after == WEFT__AFTER_CALL) {
        w->after_call(arg);
        return;
    }
#ifdef WEFT_TSAN
    __tsan_destroy_fiber(w->dead_fiber);
#endif
    weft__stack_put(w, arg, after == WEFT__AFTER_FREE_SMALL_STACK);
}

static inline __attribute__((always_inline)) void run_after(struct weft__worker *w)
{
    enum weft__after after = w->after;
    void *arg = w->after_arg;
    if (after == WEFT__AFTER_NOTHING)
        return;
    w->after = WEFT__AFTER_NOTHING;
    if (after == WEFT__AFTER_UNLOCK)
        weft__unlock(arg);
    else if (after == WEFT__AFTER_REQUEUE)
        weft__push_tail(w, arg);
    else
        run_rare_after(w, after, arg);
}

void weft__run_after(struct weft__worker *w)
{
    run_after(w);
}

/* With many tasks in turn, their records and stacks have left the caches: those that come soon are
 * asked for. Slots that are empty again hold old records, which are never unmapped; what is read
 * need not be right. */
__attribute__((no_sanitize("thread"))) static inline void
prefetch_ahead(const struct weft__worker *w)
{
    enum { RECORD_AHEAD = 8, STACK_AHEAD = 4 };
    uint32_t head = __atomic_load_n(&w->head, __ATOMIC_RELAXED);
    if (w->tail - head <= RECORD_AHEAD)
        return;
    weft__prefetch_task(
        __atomic_load_n(&w->ring[(head + RECORD_AHEAD) % WEFT_RING_SIZE], __ATOMIC_RELAXED));
    const struct weft_task *t =
        __atomic_load_n(&w->ring[(head + STACK_AHEAD) % WEFT_RING_SIZE], __ATOMIC_RELAXED);
    uintptr_t frame = (uintptr_t)__atomic_load_n(&t->context.frame, __ATOMIC_RELAXED);
    if (!frame) /* a fresh one: it has no stack yet */
        return;
    for (uintptr_t at = frame; at < frame + 6 * 64; at += 64)
        __builtin_prefetch((const void *)at);
}

/* The next task for a direct switch; NULL: by way of the scheduler. */
static inline struct weft_task *pick(struct weft__worker *w)
{
    uint32_t tick = w->tick + 1;
    __atomic_store_n(&w->tick, tick, __ATOMIC_RELAXED);
    if (tick % TURNS_TO_SCHEDULER == 0 || weft__ended(w->run))
        return NULL;
    if (w->hits < NEXT_HITS_MAX || weft__ring_is_empty(w)) {
        struct weft_task *t = weft__next_take(w);
        if (t) {
            w->hits++;
            return t;
        }
    }
    w->hits = 0;
    prefetch_ahead(w);
    return weft__ring_pop(w);
}

static void announce_stack(struct weft__worker *w, struct weft_task *t)
{
    if (loiter_task_looks(&t->loiter))
        return;
    LOITER_CALL(loiter_task_stack,
                (&t->loiter, t->stack, t->stack + weft__stack_bytes(w->run, t->small)));
}

/* False: no memory; the task waits for that. */
static __attribute__((noinline)) bool bind_stack(struct weft__worker *w, struct weft_task *t)
{
    char *stack = weft__stack_get(w, t->small);
    if (!stack) {
        weft__starve(w->run, t);
        return false;
    }
    t->stack = stack;
    weft__context_prepare(&t->context, stack,
                          weft__stack_top(stack, weft__stack_bytes(w->run, t->small)));
    announce_stack(w, t);
    return true;
}

/* False: it cannot run now. */
static inline bool make_current(struct weft__worker *w, struct weft_task *t)
{
    if (__builtin_expect(!t->context.frame, 0) && !bind_stack(w, t))
        return false;
    __atomic_store_n(&t->worker, w, __ATOMIC_RELAXED);
    __atomic_store_n(&w->current, t, __ATOMIC_RELAXED);
    weft__count(&w->switches);
    if (__builtin_expect(w->tells_switches, 0))
        loiter_task_switch(&t->loiter);
    return true;
}

/* Before another task runs: the list of open scopes is that of the one that did. A task that takes
 * over a stack has it in the same place. */
static inline void forget_scopes(void)
{
    WEFT_ARCH_CLEAR_THREAD_LOCAL(weft__scopes);
}

static void make_scheduler_current(struct weft__worker *w)
{
    __atomic_store_n(&w->current, NULL, __ATOMIC_RELAXED);
    if (__builtin_expect(w->tells_switches, 0))
        loiter_task_switch(NULL);
}

/* From the scheduler's stack. */
void weft__dispatch(struct weft__worker *w, struct weft_task *t)
{
    __atomic_store_n(&w->tick, w->tick + 1, __ATOMIC_RELAXED);
    while (t && make_current(w, t)) {
        weft__jump(w->scheduler, &t->context, false);
        w = weft__worker(); /* another thread may drive it now */
        if (!w)
            return;
        run_after(w);
        t = w->fresh;
        w->fresh = NULL;
    }
}

/* No stack is in stock for the task, which has none yet. */
static inline bool needs_memory(const struct weft__worker *w, const struct weft_task *t)
{
    return __builtin_expect(!t->context.frame, 0) && w->free_stack_count[t->small] == 0;
}

/* From a task's stack; `after` is set. Inlined, so that few returns lie above the switch: the
 * processor foresees them from the calls of the task that was left. */
static inline __attribute__((always_inline)) void leave(struct weft__worker *w, struct weft_task *t)
{
    struct weft_task *to = pick(w);
    struct weft__context *context = w->scheduler;
    if (to && needs_memory(w, to)) {
        w->fresh = to;
        to = NULL;
    }
    if (to && make_current(w, to))
        context = &to->context;
    else
        make_scheduler_current(w);
    forget_scopes();
    weft__jump(&t->context, context, false);
    run_after(t->worker);
}

/* ---- park and ready ---- */

void weft__will_lock(struct weft_task *t, enum weft__wait why, const void *lock,
                     const struct weft__place *at)
{
    if (!at->frame || !loiter_lock_waits) {
        weft__will_wait(t, why, lock, false, at->pc);
        return;
    }
    weft__set_wait(t, why, lock);
    LOITER_CALL(loiter_lock_waits,
                (&t->loiter, weft__kind_of(why), lock, at->pc, at->frame, at->caller));
}

void weft__park(struct weft_task *t, uint32_t *lock)
{
    struct weft__worker *w = t->worker;
    if (__builtin_expect(w->bound, 0)) {
        weft__bound_park(t, lock, NULL, NULL);
        return;
    }
    w->after = lock ? WEFT__AFTER_UNLOCK : WEFT__AFTER_NOTHING;
    w->after_arg = lock;
    weft__count(&w->parks);
    leave(w, t);
}

void weft__park_call(struct weft_task *t, void (*fn)(void *), void *arg)
{
    struct weft__worker *w = t->worker;
    if (__builtin_expect(w->bound, 0)) {
        weft__bound_park(t, NULL, fn, arg);
        return;
    }
    w->after = WEFT__AFTER_CALL;
    w->after_call = fn;
    w->after_arg = arg;
    weft__count(&w->parks);
    leave(w, t);
}

/* From a thread that is not a worker, or of a task that has a thread of its own. */
static __attribute__((noinline)) void ready_by_visitor(struct weft_task *t, const void *object)
{
    if (t->epoch & WEFT__BOUND) {
        weft__bound_ready(t, object);
        return;
    }
    struct weft__run *run = weft__visit();
    if (run && t->epoch == run->epoch) {
        LOITER_CALL(loiter_task_ready, (&t->loiter, object));
        __atomic_store_n(&t->wait, WEFT__WAIT_NONE, __ATOMIC_RELAXED);
        weft__push_shared(run, t);
    }
    weft__leave();
}

/* The worker in whose queue the task is to go now; NULL: that has been seen to. */
static inline struct weft__worker *make_ready(struct weft_task *t, const void *object)
{
    struct weft__worker *w = weft__worker();
    /* A straggler is a visitor to the run that is open now. */
    if (__builtin_expect(!w || t->epoch != w->run->epoch, 0)) {
        ready_by_visitor(t, object);
        return NULL;
    }
    if (__builtin_expect(weft__ended(w->run), 0))
        return NULL; /* it never runs again */
    if (__builtin_expect(loiter_task_ready != NULL, 0))
        weft__tell_ready(t, object, w);
    __atomic_store_n(&t->wait, WEFT__WAIT_NONE, __ATOMIC_RELAXED);
    return w;
}

void weft__ready(struct weft_task *t, const void *object)
{
    struct weft__worker *w = make_ready(t, object);
    if (w)
        weft__push_next(w, t);
}

void weft__ready_tail(struct weft_task *t, const void *object)
{
    struct weft__worker *w = make_ready(t, object);
    if (w)
        weft__push_tail(w, t);
}

__attribute__((noinline)) void weft__spun(bool tried, const void *caller)
{
    LOITER_CALL(loiter_task_spins, (WEFT__SPIN_BLOCK, tried, caller));
}

void weft_yield(void)
{
    struct weft__worker *w = weft__worker();
    weft__spins(w, false, WEFT_CALLER());
    if (!w) {
        sched_yield();
        return;
    }
    struct weft_task *t = w->current;
    weft__note_moves(w);
    w->after = WEFT__AFTER_REQUEUE;
    w->after_arg = t;
    leave(w, t);
}

/* ---- the life of a task ---- */

static bool capture_copy(struct weft_task *t, const void *capture, size_t size)
{
    void *copy = t->capture;
    t->capture_kind = WEFT__CAPTURE_HERE;
    if (size > sizeof t->capture) {
        copy = malloc(size);
        if (!copy)
            return false;
        t->arg = copy;
        t->capture_kind = WEFT__CAPTURE_HEAP;
    }
    memcpy(copy, capture, size);
    return true;
}

/* By a worker, or by a visitor with `w` NULL. */
static inline int spawn_in(struct weft__run *run, struct weft__worker *w,
                           const struct weft__spawn *spawn, const void *caller)
{
    if (!run || weft__ended(run))
        return -ESRCH;
    if (__builtin_expect(__atomic_load_n(&run->starved, __ATOMIC_RELAXED) != 0, 0) &&
        !spawn->pressed)
        return -ENOMEM;
    struct weft_task *t = weft__task_new(w);
    if (!t)
        return -ENOMEM;
    if (!spawn->size) {
        t->arg = spawn->arg;
    } else if (!capture_copy(t, spawn->arg, spawn->size)) {
        weft__task_recycle(w, t);
        return -ENOMEM;
    }
    t->fn = spawn->fn;
    struct weft_task *maker = w ? w->current : NULL;
    t->labels = maker ? maker->labels : NULL;
    if (__builtin_expect(t->labels != NULL, 0))
        weft__labels_retain(t->labels);
    t->epoch = run->epoch;
    t->small = spawn->small;
    __atomic_store_n(&t->name, spawn->name, __ATOMIC_RELAXED);
    if (__builtin_expect(loiter_task_created != NULL, 0))
        weft__tell_created(t, spawn, maker, weft__stack_bytes(run, spawn->small), caller);
    if (__builtin_expect(t->labels || t->name, 0))
        weft__tell_names(t);
    if (w) {
        weft__push_fresh(w, t, (uintptr_t)caller ^ (uintptr_t)spawn->start);
    } else {
        weft__push_shared(run, t);
    }
    return 0;
}

int weft__spawn(const struct weft__spawn *spawn, const void *caller)
{
    struct weft__worker *w = weft__worker();
    if (w)
        return spawn_in(w->run, w, spawn, caller);
    struct weft_task *bound = weft__bound_self();
    if (bound && weft__abandoned(bound))
        return -ESRCH;
    int r = spawn_in(weft__visit(), NULL, spawn, caller);
    weft__leave();
    return r;
}

int weft_go(void (*fn)(void *), void *arg)
{
    struct weft__spawn spawn = {.fn = fn, .start = fn, .arg = arg};
    return weft__spawn(&spawn, WEFT_CALLER());
}

int weft_go_copy(void (*fn)(void *), const void *capture, size_t size)
{
    struct weft__spawn spawn = {
        .fn = fn, .start = fn, .arg = (void *)(uintptr_t)capture, .size = size};
    return weft__spawn(&spawn, WEFT_CALLER());
}

static inline void tell_end(struct weft__worker *w, struct weft_task *t)
{
    if (__builtin_expect(loiter_task_exit == NULL, 1))
        return;
    if (t->loiter.tool == __atomic_load_n(&w->spared.young, __ATOMIC_RELAXED) &&
        w->spared.ends != 0) {
        t->loiter.tool = NULL;
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* for a handler that asks who runs here */
        w->spared.ends--;
    } else {
        loiter_task_exit(&t->loiter);
    }
}

/* Ends the task. Returns, if it may (`top`: the caller's frame is the first of the stack), when a
 * fresh one is current that shall run on this very stack. Inlined for the reason of `leave`. */
static inline __attribute__((always_inline)) void finish(struct weft__worker *w,
                                                         struct weft_task *t, bool top)
{
    char *stack = t->stack;
    bool is_main = t == w->run->main, small = t->small;
    if (t->capture_kind == WEFT__CAPTURE_HEAP)
        free(t->arg);
    if (__builtin_expect(t->labels != NULL, 0))
        weft__labels_drop(t);
    weft__note_moves(w);
    tell_end(w, t);
    if (is_main)
        weft__main_returned(w);
    struct weft__context gone = t->context;
#ifdef WEFT_TSAN
    w->dead_fiber = gone.fiber;
#endif
    weft__task_recycle(w, t);
    struct weft_task *to = is_main || w->bound ? NULL : pick(w);
#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
    top = false;
#endif
    if (top && to && !to->context.frame && to->small == small) {
        to->stack = stack;
        to->context.frame = gone.frame; /* not NULL; nobody goes on there */
        announce_stack(w, to);
        make_current(w, to);
        return;
    }
    struct weft__context *next = w->scheduler;
    if (to && make_current(w, to))
        next = &to->context;
    else
        make_scheduler_current(w);
    w->after = small ? WEFT__AFTER_FREE_SMALL_STACK : WEFT__AFTER_FREE_STACK;
    w->after_arg = stack;
    forget_scopes();
    weft__jump(&gone, next, true);
    __builtin_unreachable();
}

_Noreturn void weft__task_end(void)
{
    struct weft_task *t = weft__self();
    struct weft__worker *w = t->worker;
    if (t == w->run->main)
        w->run->main = NULL;
    finish(w, t, false);
    __builtin_unreachable();
}

void weft__task_main(void);
void weft__task_main(void)
{
    weft__arrived();
    struct weft__worker *w = weft__worker();
    run_after(w);
    for (;;) {
        struct weft_task *t = w->current;
        t->fn(t->capture_kind == WEFT__CAPTURE_HERE ? t->capture : t->arg);
        w = t->worker;
        finish(w, t, true);
    }
}

/* ---- who am I ---- */

struct weft_task *weft_self(void)
{
    return weft__self();
}

uint64_t weft_id(void)
{
    struct weft_task *t = weft__self();
    return t ? t->loiter.id : 0;
}

void weft_set_name(const char *name)
{
    struct weft_task *t = weft__self();
    if (!t)
        return;
    __atomic_store_n(&t->name, name, __ATOMIC_RELAXED);
    weft__tell_names(t);
}

const char *weft_name(void)
{
    struct weft_task *t = weft__self();
    return t ? t->name : NULL;
}
