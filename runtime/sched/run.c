/*
 * A run: its threads begin, the caller of weft_run sleeps until the main task returned, the threads
 * end. Nothing here runs tasks.
 *
 * A worker ends when it comes to its scheduler. A task that computes on at the end of the run keeps
 * its worker from that; it is waited for a moment, then left behind with all its run's memory: it
 * stops at its next wait. The memory of a run is used again once all its threads have ended.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/signals.h"
#include "runtime/sched/solo.h"
#include "runtime/sched/thread.h"
#include "runtime/time/timers.h"

enum { BLOCKING_DEFAULT = 10000 };
#define GRACE_NS (INT64_C(50) * WEFT_MS)

static uint32_t taken; /* a run is open or about to be */
static uint32_t epochs;
uint32_t weft__open_epoch;

static uint32_t open_workers;
static struct weft__run *retired; /* which may have stragglers; of who has taken the run */

/* A positive number in the environment; 0 without one. */
static long setting(const char *name)
{
    const char *text = getenv(name);
    long n = text ? strtol(text, NULL, 10) : 0;
    return n < 0 ? 0 : n;
}

static unsigned default_blocking(void)
{
    long n = setting("WEFT_BLOCKING");
    return n == 0 ? BLOCKING_DEFAULT : n > INT32_MAX ? INT32_MAX : (unsigned)n;
}

static unsigned default_workers(void)
{
    long n = setting("WEFT_WORKERS");
    if (n == 0) {
        cpu_set_t set;
        n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    }
    return n > WEFT_MAX_WORKERS ? WEFT_MAX_WORKERS : (unsigned)n;
}

void weft__worker_reset(struct weft__worker *w, struct weft__run *run, unsigned index)
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
        if (worker[i])
            weft__timer_drop_spare(worker[i]); /* of a straggler */
        else if (!(worker[i] = aligned_alloc(64, sizeof *worker[i])))
            break;
        run->worker[i] = worker[i];
        weft__worker_reset(worker[i], run, i);
        run->workers++;
    }
    run->slots = run->workers;
    run->epoch = ++epochs;
    if (run->workers == 1)
        run->worker[0]->alone = true;
    return run;
}

static void retire(struct weft__run *run)
{
    run->retired_next = retired;
    retired = run;
}

/* All threads of the run, waiting at the gate. */
static int start_threads(struct weft__run *run)
{
    int r = 0;
    weft__gate_open(WEFT__GATE_WAIT);
    for (unsigned i = 0; i < run->workers && r == 0; i++)
        r = weft__thread_drive(run, run->worker[i]);
    if (r == 0)
        r = weft__thread_serve(run, weft__monitor_main);
    if (r == 0)
        return 0;
    __atomic_store_n(&run->ended, 1, __ATOMIC_SEQ_CST);
    weft__gate_open(WEFT__GATE_NO_RUN);
    weft__threads_wait(run, -1);
    weft__threads_reap(run);
    return r;
}

void weft__run_forget(void)
{
    weft__open_run = NULL;
    open_workers = 0;
    weft__open_epoch = 0;
    weft__visitors = 0;
    weft__solo_forget();
    retired = NULL; /* their threads never end here */
    taken = 0;
}

/* The worker's own task was the main task and is over. */
void weft__main_returned(struct weft__worker *w)
{
    struct weft__run *run = w->run;
    LOITER_CALL(loiter_run_end, ());
    weft__solo_end(run->worker[0]);
    __atomic_store_n(&weft__open_run, NULL, __ATOMIC_SEQ_CST);
    __atomic_store_n(&open_workers, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_epoch, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&run->ended, 1, __ATOMIC_SEQ_CST);
    weft__wake_all(run);
    weft__threads_wake(run);
    __atomic_store_n(&run->monitor_word, 2, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run->monitor_word, 1);
    weft__futex_wake(&run->ended, 1);
}

/* All threads of the run have ended. This one stands in for its only worker, so that it does not
 * come as another one, with whom locks would have to be shared from now on (solo.h). */
static void clear_alone(struct weft__run *run)
{
    weft__current_worker = run->worker[0];
    weft__solo_begin(run->worker[0]);
    weft__timers_clear();
    weft__solo_end(run->worker[0]);
    weft__current_worker = NULL;
}

static void after_run(struct weft__run *run)
{
    while (__atomic_load_n(&weft__visitors, __ATOMIC_SEQ_CST) != 0)
        sched_yield();
    bool all = weft__threads_wait(run, GRACE_NS);
    weft__threads_reap(run);
    if (all && run->workers == 1)
        clear_alone(run);
    else
        weft__timers_clear();
    weft__netpoll_abandon();
    if (all)
        weft__netpoll_close(run);
    for (unsigned i = 0; all && i < run->slots; i++) {
        weft__task_drop_cache(run->worker[i]);
        weft__stack_drop_cache(run->worker[i]);
        weft__timer_drop_spare(run->worker[i]);
    }
    retire(run);
}

/* The pool has one, for whichever worker begins the main task. */
static bool stack_for_main(struct weft__run *run)
{
    struct weft__worker *w = run->worker[0];
    char *stack = weft__stack_get(w, false);
    if (stack)
        weft__stack_put(w, stack, false);
    weft__stack_drop_cache(w);
    return stack;
}

struct listener {
    void (*on)(const struct loiter_task *t, void *ctx);
    void *ctx;
};

static void list_task(struct weft_task *t, void *arg)
{
    const struct listener *listener = arg;
    listener->on(&t->loiter, listener->ctx);
}

/* For Loiter. Those of runs before have no actor any more. */
static void list_tasks(void (*on)(const struct loiter_task *t, void *ctx), void *ctx)
{
    struct listener listener = {on, ctx};
    weft__task_each(list_task, &listener);
}

static int run_main(struct weft__run *run, unsigned blocking, void (*fn)(void *), void *arg,
                    const void *caller)
{
    int r = weft__netpoll_open(run);
    if (r != 0)
        return r;
    run->main = weft__task_new(NULL);
    if (!run->main) {
        weft__netpoll_close(run);
        return -ENOMEM;
    }
    r = stack_for_main(run) ? start_threads(run) : -ENOMEM;
    if (r != 0) {
        weft__task_recycle(NULL, run->main);
        weft__netpoll_close(run);
        return r;
    }
    weft__blocking_configure(run, blocking);
    weft__coarse_update();
    weft__signals_take();
    LOITER_CALL(loiter_run_begin, (run->name, run->workers));
    LOITER_CALL(loiter_task_stacks, ((ptrdiff_t)offsetof(struct weft_task, stack) -
                                     (ptrdiff_t)offsetof(struct weft_task, loiter)));
    LOITER_CALL(loiter_task_list, (list_tasks));
    LOITER_CALL(loiter_waits_pass, ());
    LOITER_CALL(loiter_tick, ()); /* the monitor's first one comes when much has been done */
    weft__timers_announce_sizes();
    run->main->fn = fn;
    run->main->arg = arg;
    run->main->epoch = run->epoch;
    LOITER_CALL(loiter_task_created,
                (&run->main->loiter, (void (*)(void))fn, run->stack_bytes, 0, caller, arg));
    weft__push_shared(run, run->main);
    if (run->workers == 1)
        weft__solo_begin(run->worker[0]);
    __atomic_store_n(&open_workers, run->workers, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_epoch, run->epoch, __ATOMIC_RELAXED);
    __atomic_store_n(&weft__open_run, run, __ATOMIC_SEQ_CST);
    weft__gate_open(WEFT__GATE_GO);
    while (!weft__ended(run))
        weft__futex_wait(&run->ended, 0, -1);
    after_run(run);
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
        weft__fences_begin();
        unsigned blocking = o->blocking_threads ? o->blocking_threads : default_blocking();
        r = run_main(run, blocking, fn, arg, caller);
    }
    if (run && r != 0)
        retire(run); /* its memory is used again */
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

int weft_go_with(const struct weft_task_options *options, void (*fn)(void *), void *arg)
{
    static const struct weft_task_options defaults;
    const struct weft_task_options *o = options ? options : &defaults;
    struct weft__spawn spawn = {.fn = fn,
                                .start = fn,
                                .arg = arg,
                                .size = o->capture_size,
                                .name = o->name,
                                .small = o->small_stack != 0};
    return weft__spawn(&spawn, WEFT_CALLER());
}

unsigned weft_workers(void)
{
    return __atomic_load_n(&open_workers, __ATOMIC_RELAXED);
}
