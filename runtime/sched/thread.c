/*
 * See thread.h; and tasks that lock their thread.
 *
 * Design notes
 *
 * A worker is what tasks are queued at; a thread drives it. A task that locks its thread takes the
 * thread away from the worker, which is handed to another one at once: a spare thread, or a fresh
 * one. From then on the task is bound (see bound.h): it runs beside the workers, nothing else runs
 * on its thread, and it parks by blocking it. So a locked task that is made ready needs no worker,
 * and two of them hand work to each other without a third thread.
 *
 * When the task unlocks, it goes back to a queue and its thread becomes spare. When it ends locked,
 * its thread ends: whatever it did to the thread is gone with it. Spare threads end after a while.
 *
 * `threads_lock` of the run protects its lists of threads, and `locked` of each. It nests inside
 * nothing and takes nothing.
 */
#include "runtime/sched/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/bound.h"
#include "runtime/sched/overtime.h"
#include "runtime/sched/signals.h"

#define LINGER_NS (INT64_C(5) * WEFT_S)

struct weft__thread {
    struct weft__context scheduler;   /* its own stack */
    struct weft__thread *next, *prev; /* all of the run */
    struct weft__thread *spare_next;
    struct weft__run *run;
    struct weft__worker *worker; /* that it drives; NULL: none */
    struct weft__worker *locked; /* the stand-in, while a task has it locked */
    struct weft_task *leaving;   /* unlocked it; to be queued once nobody runs on its stack */
    void (*serve)(struct weft__run *run);
    uint32_t wake; /* of a spare one */
    bool spare, gone, orphan;
    bool forked; /* in the child of a fork */
    pthread_t id;
};

static uint32_t gate;

static __thread struct weft__thread *this_thread __attribute__((tls_model("initial-exec")));

/* Not inlined: a task may ask again on another thread. */
static __attribute__((noinline)) struct weft__thread *my_thread(void)
{
    struct weft__thread *th = this_thread;
    __asm__ volatile("" : "+r"(th)::"memory");
    return th;
}

/* ---- what threads must not do, and what becomes of a fork's child ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* set as long as a thread is the run's */
static bool has_key;

static void ended_from_inside(void *arg)
{
    (void)arg;
    weft__fatal("a thread of the runtime was ended: pthread_exit or pthread_cancel in a task");
}

/* The child has this thread alone, which goes on in the task's function. It is a plain thread
 * there, and no run is open. */
static void in_child(void)
{
    struct weft__thread *th = this_thread;
    struct weft_task *t = weft__self();
    weft__run_forget();
    weft__netpoll_forget();
    weft__blocking_forget();
    weft__bind_thread(NULL);
    weft__bound_set_self(NULL);
    if (!th)
        return;
    th->forked = true;
    /* Where its function returns to: see drive(). */
    if (t && !th->locked) {
        struct weft__worker *stand_in = weft__bound_new(th->run, t);
        if (!stand_in)
            return;
        stand_in->scheduler = &th->scheduler;
        t->worker = stand_in;
    }
}

static void prepare_once(void)
{
    has_key = pthread_key_create(&key, ended_from_inside) == 0;
    pthread_atfork(NULL, NULL, in_child);
}

/* ---- the gate ---- */

void weft__gate_open(enum weft__gate state)
{
    __atomic_store_n(&gate, state, __ATOMIC_RELEASE);
    if (state != WEFT__GATE_WAIT)
        weft__futex_wake(&gate, INT32_MAX);
}

static bool pass_gate(void)
{
    uint32_t state;
    while ((state = __atomic_load_n(&gate, __ATOMIC_ACQUIRE)) == WEFT__GATE_WAIT)
        weft__futex_wait(&gate, WEFT__GATE_WAIT, -1);
    return state == WEFT__GATE_GO;
}

/* ---- the life of a thread ---- */

static void adopt_stack(struct weft__thread *th)
{
    (void)th;
#ifdef WEFT_ASAN
    pthread_attr_t attr;
    void *low = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &low, &size);
        pthread_attr_destroy(&attr);
    }
    th->scheduler.low = low;
    th->scheduler.size = size;
#endif
#ifdef WEFT_TSAN
    th->scheduler.fiber = __tsan_get_current_fiber();
#endif
}

static void list_add(struct weft__run *run, struct weft__thread *th)
{
    th->prev = NULL;
    th->next = run->all_threads;
    if (th->next)
        th->next->prev = th;
    run->all_threads = th;
}

static void list_remove(struct weft__run *run, struct weft__thread *th)
{
    if (th->prev)
        th->prev->next = th->next;
    else
        run->all_threads = th->next;
    if (th->next)
        th->next->prev = th->prev;
}

/* One that ends before its run is joined by nobody. */
static void end_thread(struct weft__thread *th)
{
    struct weft__run *run = th->run;
    weft__lock(&run->threads_lock);
    bool alone = th->orphan;
    if (!weft__ended(run) && !alone) {
        list_remove(run, th);
        alone = true;
    }
    th->gone = true;
    weft__unlock(&run->threads_lock);
    if (alone) {
        pthread_detach(pthread_self());
        free(th);
    }
    __atomic_fetch_sub(&run->threads, 1, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run->threads, 1);
}

/* Until it is given a worker; false: nothing came for long, or the run is over. */
static bool wait_for_worker(struct weft__thread *th)
{
    struct weft__run *run = th->run;
    weft__lock(&run->threads_lock);
    th->wake = 0;
    th->spare = !weft__ended(run);
    if (th->spare) {
        th->spare_next = run->spare_threads;
        run->spare_threads = th;
    }
    bool waits = th->spare;
    weft__unlock(&run->threads_lock);
    while (waits && __atomic_load_n(&th->wake, __ATOMIC_ACQUIRE) == 0) {
        if (weft__futex_wait(&th->wake, 0, LINGER_NS))
            continue;
        weft__lock(&run->threads_lock);
        if (th->spare) { /* else somebody has just taken it */
            struct weft__thread **p = &run->spare_threads;
            while (*p != th)
                p = &(*p)->spare_next;
            *p = th->spare_next;
            th->spare = waits = false;
        }
        weft__unlock(&run->threads_lock);
    }
    return th->worker != NULL;
}

static void name_thread(const char *format, unsigned number)
{
    char name[16];
    snprintf(name, sizeof name, format, number);
    prctl(PR_SET_NAME, name);
}

/* Runs the worker's tasks until the run ends, the worker is extra and needed no longer, or one of
 * them locks the thread. */
static void drive(struct weft__thread *th)
{
    struct weft__worker *w = th->worker;
    struct weft_task *t;
    name_thread("weft-%u", w->index);
    w->scheduler = &th->scheduler;
    weft__bind_thread(w);
    while (weft__worker() == w && !(w->extra && weft__overtime_is_over(w)) &&
           (t = weft__find_work(w)))
        weft__dispatch(w, t);
    if (th->forked)
        exit(EXIT_SUCCESS); /* as the last thread of a program does */
    /* Before the worker may be another thread's. */
    LOITER_CALL(loiter_worker_spared, (NULL));
    LOITER_CALL(loiter_worker_makes, (NULL));
    if (w->extra && weft__worker() == w)
        weft__overtime_retire(w);
    th->worker = NULL;
    weft__bind_thread(NULL);
}

static void set_bound(struct weft_task *t, bool bound)
{
    uint32_t epoch = weft__epoch_of(t) | (bound ? WEFT__BOUND : 0);
    __atomic_store_n(&t->epoch, epoch, __ATOMIC_RELAXED);
}

/* What the task that had the thread locked has left to do. False: the thread ends. */
static bool after_lock(struct weft__thread *th)
{
    struct weft__run *run = th->run;
    struct weft__worker *stand_in = th->locked;
    struct weft_task *t = th->leaving;
    if (!stand_in)
        return true;
    weft__run_after(stand_in); /* the stack, if the task ended */
    weft__stack_drop_cache(stand_in);
    weft__task_drop_cache(stand_in);
    weft__lock(&run->threads_lock);
    th->locked = NULL;
    weft__unlock(&run->threads_lock);
    weft__bound_set_self(NULL);
    th->leaving = NULL;
    if (t) {
        set_bound(t, false);
        weft__push_shared(run, t);
    }
    weft__bound_drop(stand_in);
    weft__bound_rests(run);
    return t != NULL;
}

static void *thread_main(void *arg)
{
    struct weft__thread *th = arg;
    struct weft__signal_stack signals;
    LOITER_CALL(loiter_worker_begin, ());
    adopt_stack(th);
    weft__signal_stack_set(&signals);
    th->id = pthread_self();
    this_thread = th;
    if (has_key)
        pthread_setspecific(key, th);
    bool go = pass_gate();
    if (go && th->serve) {
        prctl(PR_SET_NAME, "weft-monitor");
        th->serve(th->run);
    }
    while (go && th->worker) {
        drive(th);
        go = after_lock(th) && !weft__ended(th->run) && wait_for_worker(th);
    }
    weft__signal_stack_drop(&signals);
    if (has_key)
        pthread_setspecific(key, NULL);
    end_thread(th);
    return NULL;
}

static int start_thread(struct weft__run *run, struct weft__worker *w,
                        void (*serve)(struct weft__run *run))
{
    struct weft__thread *th = calloc(1, sizeof *th);
    if (!th)
        return -ENOMEM;
    pthread_once(&once, prepare_once);
    th->run = run;
    th->worker = w;
    th->serve = serve;
    __atomic_fetch_add(&run->threads, 1, __ATOMIC_SEQ_CST);
    weft__lock(&run->threads_lock);
    list_add(run, th);
    weft__unlock(&run->threads_lock);
    pthread_t id; /* not in the record: the thread may have ended, and its record be gone */
    int r = pthread_create(&id, NULL, thread_main, th);
    if (r == 0)
        return 0;
    weft__lock(&run->threads_lock);
    list_remove(run, th);
    weft__unlock(&run->threads_lock);
    __atomic_fetch_sub(&run->threads, 1, __ATOMIC_SEQ_CST);
    free(th);
    return -r;
}

int weft__thread_drive(struct weft__run *run, struct weft__worker *w)
{
    weft__lock(&run->threads_lock);
    struct weft__thread *th = run->spare_threads;
    if (th) {
        run->spare_threads = th->spare_next;
        th->spare = false;
        th->worker = w;
    }
    weft__unlock(&run->threads_lock);
    if (!th)
        return start_thread(run, w, NULL);
    __atomic_store_n(&th->wake, 1, __ATOMIC_RELEASE);
    weft__futex_wake(&th->wake, 1);
    return 0;
}

int weft__thread_serve(struct weft__run *run, void (*fn)(struct weft__run *run))
{
    return start_thread(run, NULL, fn);
}

/* ---- the end of a run ---- */

void weft__threads_wake(struct weft__run *run)
{
    weft__lock(&run->threads_lock);
    for (struct weft__thread *th = run->all_threads; th; th = th->next) {
        if (th->spare) {
            th->spare = false;
            __atomic_store_n(&th->wake, 1, __ATOMIC_RELEASE);
            weft__futex_wake(&th->wake, 1);
        }
        if (th->locked)
            weft__bound_abandon(th->locked);
    }
    run->spare_threads = NULL;
    weft__unlock(&run->threads_lock);
}

bool weft__threads_wait(struct weft__run *run, int64_t ns)
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

void weft__threads_reap(struct weft__run *run)
{
    for (;;) {
        weft__lock(&run->threads_lock);
        struct weft__thread *th = run->all_threads;
        bool gone = th && th->gone;
        if (th)
            list_remove(run, th);
        if (th && !gone)
            th->orphan = true;
        weft__unlock(&run->threads_lock);
        if (!th)
            return;
        if (gone) {
            pthread_join(th->id, NULL);
            free(th);
        }
    }
}

/* ---- tasks that lock their thread ---- */

void weft__bound_rests(struct weft__run *run)
{
    /* The last one that could have made a task ready: somebody must look whether all is over. */
    if (__atomic_sub_fetch(&run->bound_awake, 1, __ATOMIC_SEQ_CST) == 0 &&
        __atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) == run->workers)
        weft__wake_one(run);
}

_Noreturn void weft__thread_abandon(struct weft_task *t)
{
    struct weft__thread *th = my_thread();
    LOITER_CALL(loiter_task_switch, (NULL));
    weft__bound_set_self(NULL);
    /* Its stack is kept as it is, and nobody comes back to it. */
    weft__jump(&t->context, &th->scheduler, false);
    __builtin_unreachable();
}

static void take_thread(struct weft__thread *th, struct weft__worker *stand_in, struct weft_task *t)
{
    weft__note_moves(weft__worker());
    stand_in->scheduler = &th->scheduler;
    stand_in->locks = 1;
    weft__lock(&th->run->threads_lock);
    th->locked = stand_in;
    weft__unlock(&th->run->threads_lock);
    __atomic_fetch_add(&th->run->bound_awake, 1, __ATOMIC_SEQ_CST);
    set_bound(t, true);
    __atomic_store_n(&t->worker, stand_in, __ATOMIC_RELAXED);
    weft__bind_thread(NULL);
    weft__bound_set_self(t);
    if (loiter_worker_task != NULL)
        LOITER_CALL(loiter_task_switch, (&t->loiter));
}

static void give_thread_back(struct weft__thread *th, struct weft__worker *w, struct weft_task *t)
{
    weft__bound_set_self(NULL);
    weft__bind_thread(w);
    __atomic_store_n(&t->worker, w, __ATOMIC_RELAXED);
    set_bound(t, false);
    __atomic_store_n(&w->current, t, __ATOMIC_RELAXED);
    __atomic_fetch_sub(&th->run->bound_awake, 1, __ATOMIC_SEQ_CST);
    struct weft__worker *stand_in = th->locked;
    weft__lock(&th->run->threads_lock);
    th->locked = NULL;
    weft__unlock(&th->run->threads_lock);
    weft__bound_drop(stand_in);
}

int weft_lock_thread(void)
{
    struct weft_task *t = weft__self();
    struct weft__worker *w = weft__worker();
    struct weft__thread *th = my_thread();
    if (!t)
        return 0;
    if (!w) {
        t->worker->locks++;
        return 0;
    }
    struct weft__worker *stand_in = weft__bound_new(th->run, t);
    if (!stand_in)
        return -ENOMEM;
    take_thread(th, stand_in, t);
    __atomic_store_n(&w->current, NULL, __ATOMIC_RELAXED);
    th->worker = NULL;
    int r = weft__ended(th->run) ? 0 : weft__thread_drive(th->run, w);
    if (r != 0) {
        th->worker = w;
        give_thread_back(th, w, t);
        return r;
    }
    name_thread("weft-locked", 0);
    return 0;
}

void weft_unlock_thread(void)
{
    struct weft_task *t = weft__bound_self();
    if (!t || --t->worker->locks > 0)
        return;
    struct weft__thread *th = my_thread();
    if (weft__ended(th->run))
        weft__thread_abandon(t);
    weft__bound_set_self(NULL);
    th->leaving = t;
    LOITER_CALL(loiter_task_switch, (NULL));
    weft__jump(&t->context, &th->scheduler, false);
    weft__run_after(t->worker);
}
