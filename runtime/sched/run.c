/*
 * A run: its threads begin, the caller of weft_run sleeps until the main task returned, the threads
 * end. Nothing here runs tasks.
 *
 * A worker ends when it comes to its scheduler. A task that computes on at the end of the run keeps
 * its worker from that; it is waited for a moment, then left behind with all its run's memory: it
 * stops at its next wait. The memory of a run is used again once all its threads have ended.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/inside.h"
#include "runtime/sched/signals.h"
#include "runtime/time/timers.h"

#define GRACE_NS (INT64_C(50) * WEFT_MS)

static uint32_t taken; /* a run is open or about to be */
static uint32_t epochs;
uint32_t weft__open_epoch;

static uint32_t open_workers;
static struct weft__run *retired; /* which may have stragglers; of who has taken the run */

/* Threads of a run wait here until all of them exist: 0 wait, 1 go, 2 there is no run. */
static uint32_t gate;

static unsigned default_workers(void)
{
    const char *text = getenv("WEFT_WORKERS");
    long n = text ? strtol(text, NULL, 10) : 0;
    if (n <= 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    return n > WEFT_MAX_WORKERS ? WEFT_MAX_WORKERS : (unsigned)n;
}

static bool pass_gate(struct weft__run *run)
{
    uint32_t state;
    while ((state = __atomic_load_n(&gate, __ATOMIC_ACQUIRE)) == 0)
        weft__futex_wait(&gate, 0, -1);
    (void)run;
    return state == 1;
}

static void thread_gone(struct weft__run *run)
{
    __atomic_fetch_sub(&run->threads, 1, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run->threads, 1);
}

static void adopt_stack(struct weft__worker *w)
{
    (void)w;
#ifdef WEFT_ASAN
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    w->scheduler->low = low;
    w->scheduler->size = size;
#endif
#ifdef WEFT_TSAN
    w->scheduler->fiber = __tsan_get_current_fiber();
#endif
}

static void *worker_main(void *arg)
{
    struct weft__worker *w = arg;
    struct weft__context scheduler = {0};
    char name[16];
    snprintf(name, sizeof name, "weft-%u", w->index);
    prctl(PR_SET_NAME, name);
    LOITER_CALL(loiter_worker_begin, ());
    w->scheduler = &scheduler;
    adopt_stack(w);
    struct weft__signal_stack signals;
    weft__signal_stack_set(&signals);
    weft__bind_thread(w);
    if (pass_gate(w->run)) {
        struct weft_task *t;
        while ((t = weft__find_work(w)))
            weft__dispatch(w, t);
    }
    weft__signal_stack_drop(&signals);
    __atomic_store_n(&w->gone, 1, __ATOMIC_RELEASE);
    thread_gone(w->run);
    return NULL;
}

static void *monitor_main(void *arg)
{
    prctl(PR_SET_NAME, "weft-monitor");
    LOITER_CALL(loiter_worker_begin, ());
    if (pass_gate(arg))
        weft__monitor_main(arg);
    thread_gone(arg);
    return NULL;
}

static void reset_worker(struct weft__worker *w, struct weft__run *run, unsigned index)
{
    memset(w, 0, sizeof *w);
    w->run = run;
    w->index = index;
    w->random = (uint64_t)weft_now() * 2654435761u + index * 0x9e3779b97f4a7c15u + 1;
}

/* A run with its workers' records, in its first state. */
static struct weft__run *make_run(unsigned workers)
{
    struct weft__run *run, **p = &retired;
    while ((run = *p) && __atomic_load_n(&run->threads, __ATOMIC_ACQUIRE) != 0)
        p = &run->retired_next;
    if (run) {
        *p = run->retired_next;
        weft__netpoll_close(run);
    } else if (!(run = aligned_alloc(64, sizeof *run))) {
        return NULL;
    } else {
        memset(run, 0, sizeof *run);
    }
    struct weft__worker *worker[WEFT_MAX_WORKERS];
    memcpy(worker, run->worker, sizeof worker);
    memset(run, 0, offsetof(struct weft__run, worker));
    run->epoll_fd = run->event_fd = -1;
    for (unsigned i = 0; i < workers; i++) {
        if (!worker[i] && !(worker[i] = aligned_alloc(64, sizeof *worker[i])))
            break;
        run->worker[i] = worker[i];
        reset_worker(worker[i], run, i);
        run->workers++;
    }
    run->epoch = ++epochs;
    return run;
}

static void retire(struct weft__run *run)
{
    run->retired_next = retired;
    retired = run;
}

static int start_thread(struct weft__run *run, unsigned long *thread, void *(*fn)(void *),
                        void *arg)
{
    pthread_t id;
    int r = pthread_create(&id, NULL, fn, arg);
    if (r != 0)
        return -r;
    *thread = id;
    __atomic_fetch_add(&run->threads, 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* False: the time is over and some still run. */
static bool wait_for_threads(struct weft__run *run, int64_t ns)
{
    int64_t until = weft_now() + ns;
    for (;;) {
        uint32_t alive = __atomic_load_n(&run->threads, __ATOMIC_SEQ_CST);
        int64_t left = until - weft_now();
        if (alive == 0)
            return true;
        if (ns >= 0 && left <= 0)
            return false;
        weft__futex_wait(&run->threads, alive, ns < 0 ? -1 : left);
    }
}

static void join_all(struct weft__run *run, unsigned started, unsigned long *monitor)
{
    for (unsigned i = 0; i < started; i++) {
        if (__atomic_load_n(&run->worker[i]->gone, __ATOMIC_ACQUIRE))
            pthread_join(run->worker[i]->thread, NULL);
        else
            pthread_detach(run->worker[i]->thread);
    }
    if (monitor)
        pthread_join(*monitor, NULL);
}

static void open_gate(uint32_t state)
{
    __atomic_store_n(&gate, state, __ATOMIC_RELEASE);
    weft__futex_wake(&gate, INT32_MAX);
}

/* All threads of the run, waiting at the gate. */
static int start_threads(struct weft__run *run, unsigned *started, unsigned long *monitor)
{
    int r = 0;
    __atomic_store_n(&gate, 0, __ATOMIC_RELEASE);
    for (*started = 0; *started < run->workers && r == 0; ++*started) {
        struct weft__worker *w = run->worker[*started];
        r = start_thread(run, &w->thread, worker_main, w);
        if (r != 0)
            break;
    }
    if (r == 0 && run->workers > 1)
        r = start_thread(run, monitor, monitor_main, run);
    if (r == 0)
        return 0;
    open_gate(2);
    wait_for_threads(run, -1);
    join_all(run, *started, NULL);
    return r;
}

/* The worker's own task was the main task and is over. */
void weft__main_returned(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    LOITER_CALL(loiter_run_end, ());
    __atomic_store_n(&weft__open_run, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&open_workers, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_epoch, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&run->ended, 1, __ATOMIC_SEQ_CST);
    weft__wake_all(run);
    __atomic_store_n(&run->monitor_word, 2, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run->monitor_word, 1);
    weft__futex_wake(&run->ended, 1);
}

static void after_run(struct weft__run *run, unsigned started, unsigned long *monitor)
{
    while (__atomic_load_n(&weft__visitors, __ATOMIC_SEQ_CST) != 0)
        sched_yield();
    bool all = wait_for_threads(run, GRACE_NS);
    join_all(run, started, monitor);
    weft__timers_clear();
    weft__netpoll_abandon();
    if (all)
        weft__netpoll_close(run);
    for (unsigned i = 0; all && i < run->workers; i++) {
        weft__task_drop_cache(run->worker[i]);
        weft__stack_drop_cache(run->worker[i]);
    }
    retire(run);
}

static int run_main(struct weft__run *run, void (*fn)(void *), void *arg, const void *caller)
{
    unsigned started;
    unsigned long monitor = 0;
    int r = weft__netpoll_open(run);
    if (r != 0)
        return r;
    run->main = weft__task_new(NULL);
    if (!run->main) {
        weft__netpoll_close(run);
        return -ENOMEM;
    }
    r = start_threads(run, &started, &monitor);
    if (r != 0) {
        weft__task_recycle(NULL, run->main);
        weft__netpoll_close(run);
        return r;
    }
    weft__signals_take();
    LOITER_CALL(loiter_run_begin, (run->name, run->workers));
    run->main->fn = fn;
    run->main->arg = arg;
    run->main->epoch = run->epoch;
    LOITER_CALL(loiter_task_created,
                (&run->main->loiter, (void (*)(void))fn, run->stack_bytes, 0, caller));
    weft__push_shared(run, run->main);
    __atomic_store_n(&open_workers, run->workers, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_epoch, run->epoch, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_run, run, __ATOMIC_SEQ_CST);
    open_gate(1);
    while (!weft__ended(run))
        weft__futex_wait(&run->ended, 0, -1);
    after_run(run, started, run->workers > 1 ? &monitor : NULL);
    weft__signals_give_back();
    return 0;
}

static int run_with(const struct weft_options *options, void (*fn)(void *), void *arg,
                    const void *caller)
{
    static const struct weft_options defaults;
    const struct weft_options *o = options ? options : &defaults;
    size_t stack = o->stack_bytes ? o->stack_bytes : WEFT_STACK_DEFAULT;
    if (o->workers > WEFT_MAX_WORKERS || stack < WEFT_STACK_MIN || stack > (size_t)1 << 30)
        return -EINVAL;
    uint32_t no = 0;
    if (!__atomic_compare_exchange_n(&taken, &no, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return -EBUSY;
    int r = -ENOMEM;
    unsigned workers = o->workers ? o->workers : default_workers();
    struct weft__run *run = make_run(workers);
    if (run && run->workers == workers) {
        run->stack_bytes = (stack + 4095) & ~(size_t)4095;
        run->name = o->name ? o->name : "weft";
        weft__stack_configure(run->stack_bytes);
        r = run_main(run, fn, arg, caller);
    }
    __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
    return r;
}

int weft_run_with(const struct weft_options *options, void (*fn)(void *), void *arg)
{
    return run_with(options, fn, arg, WEFT_CALLER());
}

int weft_run(void (*fn)(void *), void *arg)
{
    return run_with(NULL, fn, arg, WEFT_CALLER());
}

unsigned weft_workers(void)
{
    return __atomic_load_n(&open_workers, __ATOMIC_RELAXED);
}
