/*
 * Calls that block an OS thread: the task parks, a thread of a pool runs the function, the worker
 * goes on. The pool grows with the calls on their way, up to the run's limit; calls beyond it wait
 * in a queue, first come, first served. A thread that has had nothing to do for a while ends. The
 * pool outlives runs: what still blocks for an earlier run counts for that one's limit only, and
 * what had not begun then never does.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "runtime/sched/thread.h"

struct job {
    struct job *next;
    struct weft_task *task;
    void (*fn)(void *);
    void *arg;
    size_t stack_bytes;
    uint32_t epoch;
};

static struct {
    uint32_t lock; /* of all below */
    uint32_t limit, epoch;
    uint32_t threads;  /* of which so many are */
    uint32_t starting; /* about to begin, if the system gives them; and */
    uint32_t busy;
    uint32_t running;  /* the busy ones of the open run */
    uint32_t promised; /* jobs that are about to be queued */
    uint32_t queued;
    uint32_t posted; /* futex of the idle: counts jobs */
    struct job *head, **tail;
} pool = {.tail = &pool.head};

int64_t weft__blocking_linger_ns = 5 * WEFT_S;
uint32_t weft__blocking;
uint32_t weft__pool_threads;

void weft__blocking_configure(const struct weft__run *run, unsigned limit)
{
    weft__lock(&pool.lock);
    pool.limit = limit;
    pool.epoch = run->epoch;
    pool.running = 0;
    weft__unlock(&pool.lock);
}

void weft__blocking_forget(void)
{
    uint32_t limit = pool.limit;
    memset(&pool, 0, sizeof pool);
    pool.limit = limit;
    pool.tail = &pool.head;
    weft__blocking = weft__pool_threads = 0;
}

static struct job *unqueue(void)
{
    struct job *job = pool.head;
    pool.head = job->next;
    if (!pool.head)
        pool.tail = &pool.head;
    pool.queued--;
    return job;
}

/* The job that may begin now. Those of a run that is over are forgotten. */
static struct job *take(void)
{
    while (pool.head && weft__abandoned(pool.head->task)) {
        unqueue();
        __atomic_fetch_sub(&weft__blocking, 1, __ATOMIC_SEQ_CST);
    }
    if (!pool.head || pool.running >= pool.limit)
        return NULL;
    pool.busy++;
    pool.running++;
    return unqueue();
}

/* `epoch` is that of the job's run: the job lies on a stack that is in use again. */
static void job_done(uint32_t epoch)
{
    weft__lock(&pool.lock);
    pool.busy--;
    if (epoch == pool.epoch)
        pool.running--;
    weft__unlock(&pool.lock);
}

/* The next job; NULL when none came for long and the thread is to end. */
static struct job *next_job(void)
{
    bool waited_enough = false;
    weft__lock(&pool.lock);
    for (;;) {
        struct job *job = take();
        if (job || (waited_enough && pool.promised == 0)) {
            if (!job)
                pool.threads--;
            weft__unlock(&pool.lock);
            return job;
        }
        uint32_t posted = __atomic_load_n(&pool.posted, __ATOMIC_SEQ_CST);
        weft__unlock(&pool.lock);
        int64_t linger = __atomic_load_n(&weft__blocking_linger_ns, __ATOMIC_RELAXED);
        waited_enough = !weft__futex_wait(&pool.posted, posted, linger);
        weft__lock(&pool.lock);
    }
}

struct extent {
    void *low;
    size_t size;
};

static struct extent own_stack(void)
{
    struct extent e = {NULL, 0};
    pthread_attr_t attr;
    if (loiter_task_stack && pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &e.low, &e.size);
        pthread_attr_destroy(&attr);
    }
    return e;
}

/* For whoever listens, the task goes on here, on this thread's stack, and then waits for a worker.
 */
static void run_as(struct weft_task *t, const struct job *job, const struct extent *here)
{
    char *stack = t->stack;
    LOITER_CALL(loiter_task_stack, (&t->loiter, here->low, (char *)here->low + here->size));
    LOITER_CALL(loiter_task_switch, (&t->loiter));
    LOITER_CALL(loiter_blocking_begin, (here->size));
    job->fn(job->arg);
    LOITER_CALL(loiter_blocking_end, ());
    LOITER_CALL(loiter_task_switch, (NULL));
    LOITER_CALL(loiter_task_stack, (&t->loiter, stack, stack + job->stack_bytes));
}

static void *thread_main(void *arg)
{
    (void)arg;
    prctl(PR_SET_NAME, "weft-blocking");
    LOITER_CALL(loiter_worker_begin, ());
    struct extent here = own_stack();
    for (struct job *job; (job = next_job());) {
        struct weft_task *t = job->task;
        uint32_t epoch = job->epoch;
        run_as(t, job, &here);
        job_done(epoch);
        /* In this order: a task is in a queue before its call is no longer on its way. */
        weft__ready(t, NULL);
        __atomic_fetch_sub(&weft__blocking, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_fetch_sub(&weft__pool_threads, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static bool start_thread(void)
{
    pthread_t id;
    pthread_attr_t attr;
    if (pthread_attr_init(&attr) != 0)
        return false;
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    __atomic_fetch_add(&weft__pool_threads, 1, __ATOMIC_SEQ_CST);
    bool ok = pthread_create(&id, &attr, thread_main, NULL) == 0;
    pthread_attr_destroy(&attr);
    if (!ok)
        __atomic_fetch_sub(&weft__pool_threads, 1, __ATOMIC_SEQ_CST);
    return ok;
}

/* With the lock, which it gives up meanwhile. */
static void start_one(void)
{
    pool.threads++;
    pool.starting++;
    weft__unlock(&pool.lock);
    bool begun = start_thread();
    weft__lock(&pool.lock);
    pool.starting--;
    pool.threads -= !begun;
}

/* Sees to it that a thread is free for one more job, or will be, and promises the job: no thread
 * ends before it came. One that is starting counts, but not as the only one: it may not come.
 * False: no thread at all could be had. */
static bool provide_thread(void)
{
    bool tried = false, any;
    weft__lock(&pool.lock);
    pool.promised++;
    for (;;) {
        uint32_t free = pool.threads - pool.busy;
        bool enough = pool.promised + pool.queued <= free || pool.running + free >= pool.limit;
        any = pool.threads > pool.starting;
        if (!enough && !tried) {
            tried = true;
            start_one();
        } else if (any || pool.starting == 0) {
            break;
        } else {
            weft__unlock(&pool.lock);
            sched_yield();
            weft__lock(&pool.lock);
        }
    }
    if (!any)
        pool.promised--;
    weft__unlock(&pool.lock);
    return any;
}

int weft_blocking(void (*fn)(void *), void *arg)
{
    struct weft_task *t = weft__self();
    if (!t || t->worker->bound) { /* it has the thread for itself */
        fn(arg);
        return 0;
    }
    if (!provide_thread())
        return -EAGAIN;
    LOITER_CALL(loiter_blocking_call, (WEFT_CALLER()));
    struct job job = {.task = t,
                      .fn = fn,
                      .arg = arg,
                      .stack_bytes = t->worker->run->stack_bytes,
                      .epoch = t->epoch};
    __atomic_fetch_add(&weft__blocking, 1, __ATOMIC_SEQ_CST);
    weft__lock(&pool.lock);
    pool.promised--;
    pool.queued++;
    *pool.tail = &job;
    pool.tail = &job.next;
    weft__set_wait(t, WEFT__WAIT_BLOCKING, NULL); /* not announced: it runs the function */
    __atomic_fetch_add(&pool.posted, 1, __ATOMIC_SEQ_CST);
    weft__futex_wake(&pool.posted, 1);
    weft__park(t, &pool.lock);
    return 0;
}
