/*
 * See bound.h.
 *
 * Design notes
 *
 * `wake` of the stand-in says how things are: RUNNING, READY (made ready, and not gone on yet),
 * ASLEEP, or DOZING when time will end the sleep. Who parks has set it to RUNNING before it gives
 * up the lock that keeps others from making it ready; it spins first, then changes RUNNING to one
 * of those and sleeps on the word. Who makes it ready writes READY and looks at what was there
 * before. After that the thread may go on and end, and the stand-in serve another: it is never
 * freed, and what is still written to it is a hint.
 *
 * Who looks for a deadlock counts the threads that sleep here. One is counted only after it is
 * ASLEEP, and is counted out by its waker, which is itself running: so a thread that is about to
 * run is never taken for a sleeping one.
 */
#include "runtime/sched/bound.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/thread.h"
#include "runtime/time/timers.h"

enum { RUNNING = 0, READY = 1, ASLEEP = 2, DOZING = 3, ENDED = 4 };
enum { LOOKS_FIRST = 50, LOOKS_BETWEEN = 10, VAIN_MAX = 10, VAIN_FORGET = 100 };
#define SOON_NS     (INT64_C(200) * WEFT_US)
#define SPIN_MAX_NS (INT64_C(80) * WEFT_US)
#define SPIN_MIN_NS (INT64_C(1) * WEFT_US)

struct stand_in {
    struct weft__worker worker;
    struct weft__timer *timer; /* which ends the wait of a plain thread; NULL: none */
    int64_t spin_ns;           /* how long it looks before it sleeps */
    unsigned in_vain;          /* how often in a row it has looked for nothing */
    struct stand_in *next;     /* of the spare ones */
    /* When it was woken; about, as it may have gone on meanwhile and serve another. */
    int64_t ready_at;
};

/* Never freed: a dump may be looking at one. */
static struct {
    uint32_t lock;
    struct stand_in *spare;
} pool;

int32_t weft__outside_asleep;

static __thread struct weft_task *locked_here __attribute__((tls_model("initial-exec")));
static __thread struct weft_task *outside_here __attribute__((tls_model("initial-exec")));

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

/* Neither is inlined: a task may ask again on another thread. */
__attribute__((noinline)) struct weft_task *weft__bound_self(void)
{
    struct weft_task *t = locked_here;
    __asm__ volatile("" : "+r"(t)::"memory");
    return t;
}

__attribute__((noinline)) void weft__bound_set_self(struct weft_task *t)
{
    locked_here = t;
    __asm__ volatile("" ::: "memory");
}

static struct stand_in *of_worker(struct weft__worker *w)
{
    return (struct stand_in *)(void *)w;
}

struct weft__worker *weft__bound_new(struct weft__run *run, struct weft_task *t)
{
    weft__lock(&pool.lock);
    struct stand_in *s = pool.spare;
    if (s)
        pool.spare = s->next;
    weft__unlock(&pool.lock);
    if (!s && !(s = aligned_alloc(alignof(struct stand_in), sizeof *s)))
        return NULL;
    memset(s, 0, offsetof(struct stand_in, ready_at));
    __atomic_store_n(&s->ready_at, 0, __ATOMIC_RELAXED);
    s->worker.run = run;
    s->worker.bound = true;
    s->worker.tells_switches = loiter_task_switch != NULL;
    s->worker.current = t;
    s->spin_ns = SPIN_MAX_NS;
    return &s->worker;
}

void weft__bound_drop(struct weft__worker *w)
{
    struct stand_in *s = of_worker(w);
    __atomic_store_n(&w->current, NULL, __ATOMIC_RELAXED);
    weft__lock(&pool.lock);
    s->next = pool.spare;
    pool.spare = s;
    weft__unlock(&pool.lock);
}

void weft__bound_abandon(struct weft__worker *w)
{
    uint32_t asleep = ASLEEP;
    if (__atomic_compare_exchange_n(&w->wake, &asleep, ENDED, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        weft__futex_wake(&w->wake, 1);
}

/* ---- plain threads ---- */

static void thread_ends(void *arg)
{
    struct weft_task *t = arg;
    outside_here = NULL;
    weft__bound_drop(t->worker);
    weft__task_recycle(NULL, t);
}

static void make_key(void)
{
    has_key = pthread_key_create(&key, thread_ends) == 0;
}

static struct weft_task *make_outside(void)
{
    pthread_once(&once, make_key);
    struct weft_task *t = weft__task_new(NULL);
    struct weft__worker *w = weft__bound_new(NULL, t);
    if (!w || !t || !has_key || pthread_setspecific(key, t) != 0)
        weft__fatal("no memory to wait outside a task");
    t->worker = w;
    t->epoch = WEFT__BOUND;
    return t;
}

struct weft_task *weft__outside_self(void)
{
    struct weft_task *t = outside_here;
    if (!t)
        outside_here = t = make_outside();
    LOITER_CALL(loiter_thread_waits, (&t->loiter));
    return t;
}

/* NULL: it has a run. */
static struct stand_in *outside_of(const struct weft_task *t)
{
    return t->epoch == WEFT__BOUND ? of_worker(t->worker) : NULL;
}

/* The program may have no run whose workers look at timers. */
bool weft__wait_arm(struct weft_task *t, struct weft__timer *timer, int64_t when)
{
    struct stand_in *o = outside_of(t);
    if (o) {
        timer->when = when;
        o->timer = timer;
        return true;
    }
    weft__timer_init(timer, timer->fire);
    return weft__timer_start(timer, when);
}

void weft__wait_disarm(struct weft_task *t, struct weft__timer *timer)
{
    if (!outside_of(t))
        weft__timer_cancel(timer);
}

/* ---- waiting ---- */

static bool look(struct weft__worker *w, int times)
{
    for (int i = 0; i < times; i++) {
        if (__atomic_load_n(&w->wake, __ATOMIC_ACQUIRE) == READY)
            return true;
        weft__relax();
    }
    return false;
}

/* True if it is made ready while we look. *began: when that began, if it is not. */
static bool spin(struct weft__worker *w, int64_t *began)
{
    if (look(w, LOOKS_FIRST))
        return true;
    *began = weft_now();
    int64_t until = *began + of_worker(w)->spin_ns;
    do {
        if (look(w, LOOKS_BETWEEN))
            return true;
    } while (weft_now() < until);
    return false;
}

static int64_t limit_of(const struct stand_in *o)
{
    if (!o || !o->timer)
        return -1;
    int64_t left = o->timer->when - weft_now();
    return left < 0 ? 0 : left;
}

static void sleep_until_ready(struct weft_task *t, struct weft__worker *w)
{
    struct stand_in *o = outside_of(t);
    uint32_t running = RUNNING, asleep = o && o->timer ? DOZING : ASLEEP;
    if (!__atomic_compare_exchange_n(&w->wake, &running, asleep, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    if (!o)
        weft__bound_rests(w->run);
    else if (!o->timer)
        __atomic_fetch_add(&weft__outside_asleep, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&w->wake, __ATOMIC_SEQ_CST) == asleep && (o || !weft__ended(w->run))) {
        bool in_time = weft__futex_wait(&w->wake, asleep, limit_of(o));
        if (!in_time && o && o->timer && limit_of(o) == 0) {
            struct weft__timer *timer = o->timer;
            o->timer = NULL;
            timer->fire(timer, weft_now());
        }
    }
}

/* After a look in vain. It pays to look as long as the other side's thread needs to wake up, if it
 * answers soon once it is awake: then neither sleeps any more. If that does not come about a few
 * times in a row, the other side is slow, and it is tried again only after a number of waits. */
static void learn(struct stand_in *s, int64_t began)
{
    s->in_vain = s->in_vain == VAIN_FORGET ? 0 : s->in_vain + 1;
    if (__atomic_load_n(&s->ready_at, __ATOMIC_RELAXED) - began > SOON_NS)
        s->spin_ns = s->spin_ns / 2 < SPIN_MIN_NS ? SPIN_MIN_NS : s->spin_ns / 2;
    else
        s->spin_ns = s->in_vain <= VAIN_MAX ? SPIN_MAX_NS : SPIN_MIN_NS;
}

void weft__bound_park(struct weft_task *t, uint32_t *lock, void (*fn)(void *), void *arg)
{
    struct weft__worker *w = t->worker;
    struct stand_in *s = of_worker(w);
    struct weft__run *run = w->run;
    __atomic_store_n(&w->wake, RUNNING, __ATOMIC_RELAXED);
    s->timer = NULL;
    if (run)
        LOITER_CALL(loiter_task_switch, (NULL));
    if (lock)
        weft__unlock(lock);
    if (fn)
        fn(arg);
    weft__count(&w->parks);
    int64_t began;
    if (spin(w, &began)) {
        s->spin_ns = SPIN_MAX_NS;
        s->in_vain = 0;
    } else {
        sleep_until_ready(t, w);
        learn(s, began);
    }
    if (run && weft__ended(run))
        weft__thread_abandon(t);
    LOITER_CALL(loiter_task_switch, (&t->loiter));
}

static void count_awake(struct weft__run *run, bool outside, int32_t change)
{
    if (outside)
        __atomic_fetch_sub(&weft__outside_asleep, change, __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_add(&run->bound_awake, (uint32_t)change, __ATOMIC_SEQ_CST);
}

static void wake(struct weft_task *t, const void *object)
{
    bool outside = outside_of(t);
    struct weft__worker *w = t->worker;
    struct weft__run *run = w->run;
    LOITER_CALL(loiter_task_ready, (&t->loiter, object));
    __atomic_store_n(&t->wait, WEFT__WAIT_NONE, __ATOMIC_RELAXED);
    /* One that still looks is counted as awake, and the count lies in a line that all share. */
    uint32_t running = RUNNING;
    if (__atomic_compare_exchange_n(&w->wake, &running, READY, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        return;
    /* Counted as awake before it can run and sleep again: while this thread is on its way here,
     * nobody may take all for asleep. */
    count_awake(run, outside, 1);
    uint32_t before = __atomic_exchange_n(&w->wake, READY, __ATOMIC_SEQ_CST);
    if (outside ? before != ASLEEP : before == RUNNING)
        count_awake(run, outside, -1); /* it was counted as awake all the time */
    if (before == RUNNING)
        return;
    __atomic_store_n(&of_worker(w)->ready_at, weft_now(), __ATOMIC_RELAXED);
    weft__futex_wake(&w->wake, 1);
}

/* The run of the calling thread, which stays while it calls. */
static struct weft__run *own_run(void)
{
    struct weft__worker *w = weft__worker();
    struct weft_task *t = w ? NULL : weft__bound_self();
    return w ? w->run : t ? t->worker->run : NULL;
}

void weft__bound_ready(struct weft_task *t, const void *object)
{
    struct weft__run *run = own_run();
    uint32_t epoch = weft__epoch_of(t);
    if (epoch == 0) {
        wake(t, object);
    } else if (run && run->epoch == epoch) {
        if (!weft__ended(run))
            wake(t, object);
    } else {
        run = weft__visit();
        if (run && run->epoch == epoch)
            wake(t, object);
        weft__leave();
    }
}
