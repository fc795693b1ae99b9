/*
 * What programs see of time: sleep, timers, tickers.
 *
 * A timer's channel has room for one value and is filled with the timer locked. So stop and reset,
 * which empty it under the same lock, leave no value of before behind (the rule of Go 1.23).
 *
 * A timer and its channel are one piece of memory, the channel first: it is counted, and the last
 * release frees all of it.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "runtime/chan/chan.h"
#include "runtime/time/clock.h"
#include "runtime/time/timers.h"

struct weft_timer {
    struct weft__timer base;
    struct weft_chan *chan; /* or */
    void (*fn)(void *);
    void *arg;
    const void *caller;      /* who made it, for the task of `fn` */
    struct weft_timer *next; /* of tickers that nobody can stop */
    enum loiter_object kind;
    bool stoppable;
    bool stopped; /* and not set again: nothing is on its way */
};

struct weft_ticker {
    struct weft_timer timer;
};

/* ---- sleep ---- */

struct sleep {
    struct weft_task *task;
    int64_t until;
};

/* Once nobody runs on its stack, where this lies too. */
static void begin_sleep(void *arg)
{
    struct sleep s = *(struct sleep *)arg;
    if (!weft__sleep_until(s.task, s.until))
        weft__fatal("no memory for a timer");
}

void weft_sleep(int64_t ns)
{
    struct weft_task *t = weft__self();
    if (!t && ns > 0) {
        struct timespec left = {ns / WEFT_S, ns % WEFT_S};
        while (nanosleep(&left, &left) != 0) {
        }
    }
    if (!t || ns <= 0) {
        weft_yield();
        return;
    }
    struct sleep s = {.task = t, .until = weft__after_ns(ns)};
    weft__will_wait(t, WEFT__WAIT_SLEEP, NULL, true, WEFT_CALLER());
    weft__park_call(t, begin_sleep, &s);
}

/* ---- firing: with the timer locked, and its channel ---- */

static void fire_channel(struct weft__timer *base, int64_t now)
{
    struct weft_timer *timer = (struct weft_timer *)base;
    struct weft_task *wake;
    weft__chan_locked(timer->chan);
    enum weft__step step = weft__chan_send_step(timer->chan, &now, &wake);
    weft__unlock(&timer->chan->lock);
    LOITER_CALL(loiter_timer_fired, (timer, step == WEFT__MUST_WAIT));
    if (wake)
        weft__ready(wake, timer->chan);
}

static void fire_function(struct weft__timer *base, int64_t now)
{
    struct weft_timer *timer = (struct weft_timer *)base;
    (void)now;
    LOITER_CALL(loiter_timer_fired, (timer, 0));
    struct weft__spawn spawn = {
        .fn = timer->fn, .start = timer->fn, .arg = timer->arg, .pressed = true};
    if (weft__spawn(&spawn, timer->caller) == -ENOMEM)
        weft__fatal("no memory for the task of a timer");
}

/* ---- memory ----
 *
 * A time limit is a timer that is made, stopped and freed. A worker keeps one of those with a
 * function, and makes the next of it.
 */

static struct weft_timer **spare(void)
{
#if defined(WEFT_ASAN)
    return NULL; /* it tells who uses one that was freed */
#else
    struct weft__worker *w = weft__worker();
    return w && !w->bound ? &w->spare_timer : NULL;
#endif
}

static struct weft_timer *new_memory(void)
{
    struct weft_timer **kept = spare(), *timer;
    if (!kept || !*kept)
        return malloc(sizeof *timer);
    timer = *kept;
    *kept = NULL;
    return timer;
}

static void free_memory(struct weft_timer *timer)
{
    struct weft_timer **kept = spare();
    if (!kept || *kept) {
        free(timer);
        return;
    }
    *kept = timer;
}

void weft__timer_drop_spare(struct weft__worker *w)
{
    free(w->spare_timer);
    w->spare_timer = NULL;
}

static void dispose(struct weft_timer *timer)
{
    LOITER_CALL(loiter_timer_destroyed, (timer));
    if (timer->chan)
        weft_chan_release(timer->chan); /* the timer goes with it */
    else
        free_memory(timer);
}

/* Of weft_after: it goes with its only shot. */
static void fire_and_dispose(struct weft__timer *base, int64_t now)
{
    fire_channel(base, now);
    __atomic_store_n(&((struct weft_timer *)base)->chan->of_after, false, __ATOMIC_RELAXED);
    dispose((struct weft_timer *)base);
}

static void drop(struct weft__timer *base)
{
    dispose((struct weft_timer *)base);
}

/* ---- making, arming, stopping ---- */

void weft__timers_announce_sizes(void)
{
    const size_t bytes = WEFT__TIMED_CHAN_BYTES + sizeof(struct weft_timer);
    LOITER_CALL(loiter_timer_bytes, (LOITER_OBJ_TIMER, bytes));
    LOITER_CALL(loiter_timer_bytes, (LOITER_OBJ_TICKER, bytes));
    LOITER_CALL(loiter_timer_bytes, (LOITER_OBJ_TICK, bytes));
}

static struct weft_timer *make(enum loiter_object kind, bool channel, const void *caller)
{
    size_t before = channel ? WEFT__TIMED_CHAN_BYTES : 0;
    char *memory = channel ? malloc(before + sizeof(struct weft_timer)) : (char *)new_memory();
    if (!memory)
        return NULL;
    struct weft_timer *timer = (struct weft_timer *)(memory + before);
    *timer =
        (struct weft_timer){.caller = caller, .kind = kind, .stoppable = true, .stopped = true};
    weft__timer_init(&timer->base, channel ? fire_channel : fire_function);
    if (channel) {
        timer->chan = (struct weft_chan *)memory;
        weft__chan_init(timer->chan, sizeof(int64_t), 1, LOITER_OBJ_OTHER);
        timer->base.also = &timer->chan->lock;
    }
    return timer;
}

/* With the timer locked: forgets a value that nobody has received. False: the channel is locked,
 * and who has it may wait for ours. */
static bool drain(struct weft_timer *timer, bool *any)
{
    /* Only a timer fills it, with this lock held: an empty one stays so. */
    if (!timer->chan || __atomic_load_n(&timer->chan->count, __ATOMIC_RELAXED) == 0)
        return true;
    if (!weft__chan_try_lock(timer->chan))
        return false;
    *any = timer->chan->count != 0;
    __atomic_store_n(&timer->chan->count, 0, __ATOMIC_RELEASE);
    weft__unlock(&timer->chan->lock);
    return true;
}

/* Locks the timer with nothing in its channel: true if there was something. */
static bool lock_empty(struct weft_timer *timer)
{
    bool any = false;
    for (;;) {
        weft__timer_lock(&timer->base);
        if (__builtin_expect(drain(timer, &any), 1))
            return any;
        weft__timer_unlock(&timer->base, WEFT__NOT_ARMED);
        sched_yield();
    }
}

static bool stop(struct weft_timer *timer)
{
    bool pending = lock_empty(timer);
    bool armed = weft__timer_unset(&timer->base);
    timer->stopped = true;
    weft__timer_unlock(&timer->base, WEFT__NOT_ARMED);
    return armed || pending;
}

/* Whether it was running before; -ENOMEM. Its memory is asked for while the clock is read. */
static int start(struct weft_timer *timer, int64_t ns, int64_t period, const void *caller)
{
    int64_t when;
    __builtin_prefetch(&timer->base, 1);
    __builtin_prefetch(&timer->stopped, 1);
    if (!weft__after_ns_quick(ns, &when))
        when = weft__after_ns(ns);
    bool pending = lock_empty(timer);
    bool was = timer->base.place != 0;
    timer->stopped = false;
    if (!was || period != 0) /* one that fires once and is armed is known to be */
        LOITER_CALL(loiter_timer_armed, (timer->kind, timer, ns, period, timer->stoppable, caller));
    enum weft__armed armed = weft__timer_set(&timer->base, when, period);
    weft__timer_unlock(&timer->base, armed);
    return armed == WEFT__NOT_ARMED ? -ENOMEM : was || pending;
}

/* Out of line: of the two kinds of memory a compiler that sees where the timer is from sees one. */
__attribute__((noinline, cold)) static void dispose_unstarted(struct weft_timer *timer)
{
    dispose(timer);
}

/* One that nobody else knows: nothing of before is in its channel. */
static struct weft_timer *start_new(struct weft_timer *timer, int64_t ns, int64_t period,
                                    const void *caller)
{
    int64_t when;
    if (!timer)
        return NULL;
    if (!weft__after_ns_quick(ns, &when))
        when = weft__after_ns(ns);
    timer->stopped = false;
    LOITER_CALL(loiter_timer_armed, (timer->kind, timer, ns, period, timer->stoppable, caller));
    if (weft__timer_start_new(&timer->base, when, period))
        return timer;
    dispose_unstarted(timer);
    return NULL;
}

static void free_timer(struct weft_timer *timer)
{
    if (!timer->stopped && stop(timer))
        LOITER_CALL(loiter_timer_stopped, (timer));
    dispose(timer);
}

/* ---- timers ---- */

struct weft_timer *weft_timer_new(int64_t ns)
{
    return start_new(make(LOITER_OBJ_TIMER, true, WEFT_CALLER()), ns, 0, WEFT_CALLER());
}

struct weft_timer *weft_timer_func(int64_t ns, void (*fn)(void *), void *arg)
{
    struct weft_timer *timer = make(LOITER_OBJ_TIMER, false, WEFT_CALLER());
    if (timer) {
        timer->fn = fn;
        timer->arg = arg;
    }
    return start_new(timer, ns, 0, WEFT_CALLER());
}

int weft_timer_stop(struct weft_timer *timer)
{
    bool was = stop(timer);
    LOITER_CALL(loiter_timer_stopped, (timer));
    return was;
}

__attribute__((noinline)) static int reset(struct weft_timer *timer, int64_t ns, const void *caller)
{
    int r = start(timer, ns, 0, caller);
    if (r < 0)
        weft__fatal("no memory for a timer");
    return r;
}

/* `also` is the lock of its channel, if it has one, and lies nearer. */
static inline bool channel_empty(const struct weft_timer *timer)
{
    return !timer->base.also || __atomic_load_n(&timer->chan->count, __ATOMIC_RELAXED) == 0;
}

/* An armed timer that is set to later, and whose channel is empty, is what there is most of. Its
 * memory is asked for before the counter is read, and not waited for: reading that would wait too.
 */
int weft_timer_reset(struct weft_timer *timer, int64_t ns)
{
    int64_t when;
    __builtin_prefetch(&timer->base, 1);
    __builtin_prefetch(&timer->base.also, 1);
    if (!weft__after_ns_quick(ns, &when))
        return reset(timer, ns, WEFT_CALLER());
    struct weft__timers *home = __atomic_load_n(&timer->base.home, __ATOMIC_ACQUIRE);
    if (!weft__solo_try_quickly(&home->lock))
        return reset(timer, ns, WEFT_CALLER());
    bool delayed = weft__timer_is_of(&timer->base, home) && channel_empty(timer) &&
                   weft__timer_delay(&timer->base, when);
    weft__unlock(&home->lock);
    return delayed ? true : reset(timer, ns, WEFT_CALLER());
}

struct weft_chan *weft_timer_chan(struct weft_timer *timer)
{
    return timer->chan;
}

void weft_timer_free(struct weft_timer *timer)
{
    struct weft_timer **kept = spare();
    if (!timer)
        return;
    if (__builtin_expect(kept && *kept == timer, 0))
        weft__fatal_object("free of a freed timer", timer, WEFT_CALLER(), "made", timer->caller);
    free_timer(timer);
}

struct weft_chan *weft_after(int64_t ns)
{
    struct weft_timer *timer = make(LOITER_OBJ_TIMER, true, WEFT_CALLER());
    if (!timer)
        return NULL;
    struct weft_chan *chan = weft_chan_retain(timer->chan);
    timer->stoppable = false;
    chan->of_after = true;
    timer->base.fire = fire_and_dispose;
    timer->base.drop = drop;
    if (start_new(timer, ns, 0, WEFT_CALLER()))
        return chan;
    weft_chan_release(chan);
    return NULL;
}

/* ---- tickers ---- */

static void check_interval(int64_t ns, const struct weft_ticker *ticker, const void *caller)
{
    if (ns <= 0)
        weft__fatal_object("non-positive interval for a ticker", ticker, caller, NULL, NULL);
}

struct weft_ticker *weft_ticker_new(int64_t ns)
{
    check_interval(ns, NULL, WEFT_CALLER());
    return (struct weft_ticker *)start_new(make(LOITER_OBJ_TICKER, true, WEFT_CALLER()), ns, ns,
                                           WEFT_CALLER());
}

void weft_ticker_stop(struct weft_ticker *ticker)
{
    stop(&ticker->timer);
    LOITER_CALL(loiter_timer_stopped, (ticker));
}

void weft_ticker_reset(struct weft_ticker *ticker, int64_t ns)
{
    check_interval(ns, ticker, WEFT_CALLER());
    if (start(&ticker->timer, ns, ns, WEFT_CALLER()) < 0)
        weft__fatal("no memory for a timer");
}

struct weft_chan *weft_ticker_chan(struct weft_ticker *ticker)
{
    return ticker->timer.chan;
}

void weft_ticker_free(struct weft_ticker *ticker)
{
    if (ticker)
        free_timer(&ticker->timer);
}

struct weft_chan *weft_tick(int64_t ns)
{
    static struct weft_timer *all; /* for tools that look for lost memory */
    if (ns <= 0)
        return NULL;
    struct weft_timer *timer = make(LOITER_OBJ_TICK, true, WEFT_CALLER());
    if (!timer)
        return NULL;
    timer->stoppable = false;
    if (!start_new(timer, ns, ns, WEFT_CALLER()))
        return NULL;
    timer->next = __atomic_load_n(&all, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&all, &timer->next, timer, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
    return timer->chan;
}
