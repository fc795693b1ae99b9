/* See timers.h: one heap of four children a node, under one lock. */
#include "runtime/time/timers.h"

#include <stdlib.h>
#include <time.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/inside.h"

/* After FIRED_AT_ONCE others get the lock, and the tasks made ready a chance to run. */
enum { CHILDREN = 4, ROOM_FIRST = 64, FIRED_AT_ONCE = 128 };

static struct {
    uint32_t lock; /* of all below */
    struct weft__timer **heap;
    uint32_t count, room;
} timers;

/* timers.heap[0]->when, for reading without the lock. */
static int64_t next_when = INT64_MAX;

int64_t weft_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * WEFT_S + t.tv_nsec;
}

int64_t weft__after_ns(int64_t ns)
{
    int64_t now = weft_now();
    if (ns <= 0)
        return now;
    return ns > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + ns;
}

void weft__timers_lock(void)
{
    weft__lock(&timers.lock);
}

void weft__timers_unlock(void)
{
    weft__unlock(&timers.lock);
}

int64_t weft__timers_next(void)
{
    return __atomic_load_n(&next_when, __ATOMIC_SEQ_CST);
}

static void publish(void)
{
    int64_t when = timers.count ? timers.heap[0]->when : INT64_MAX;
    if (when != next_when)
        __atomic_store_n(&next_when, when, __ATOMIC_SEQ_CST);
}

static void put(struct weft__timer *timer, uint32_t at)
{
    timers.heap[at] = timer;
    timer->place = at + 1;
}

static void sift_up(struct weft__timer *timer, uint32_t at)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (timers.heap[parent]->when <= timer->when)
            break;
        put(timers.heap[parent], at);
        at = parent;
    }
    put(timer, at);
}

static void sift_down(struct weft__timer *timer, uint32_t at)
{
    for (;;) {
        uint32_t first = at * CHILDREN + 1;
        if (first >= timers.count)
            break;
        uint32_t end = first + CHILDREN < timers.count ? first + CHILDREN : timers.count;
        uint32_t least = first;
        for (uint32_t i = first + 1; i < end; i++) {
            if (timers.heap[i]->when < timers.heap[least]->when)
                least = i;
        }
        if (timers.heap[least]->when >= timer->when)
            break;
        put(timers.heap[least], at);
        at = least;
    }
    put(timer, at);
}

bool weft__timer_arm(struct weft__timer *timer, int64_t when, int64_t period)
{
    if (timer->place != 0) {
        bool later = when > timer->when;
        timer->when = when;
        timer->period = period;
        if (later)
            sift_down(timer, timer->place - 1);
        else
            sift_up(timer, timer->place - 1);
        publish();
        return true;
    }
    if (timers.count == timers.room) {
        uint32_t room = timers.room ? timers.room * 2 : ROOM_FIRST;
        void *heap = realloc(timers.heap, room * sizeof(struct weft__timer *));
        if (!heap)
            return false;
        timers.heap = heap;
        timers.room = room;
    }
    timer->when = when;
    timer->period = period;
    sift_up(timer, timers.count++);
    publish();
    return true;
}

bool weft__timer_disarm(struct weft__timer *timer)
{
    if (timer->place == 0)
        return false;
    uint32_t at = timer->place - 1;
    struct weft__timer *last = timers.heap[--timers.count];
    timer->place = 0;
    if (last != timer) {
        if (last->when < timer->when)
            sift_up(last, at);
        else
            sift_down(last, at);
    }
    publish();
    return true;
}

static void shorten_sleep(struct weft__run *run, int64_t when)
{
    if (!run || weft__timers_next() < when)
        return;
    if (__atomic_load_n(&run->poller, __ATOMIC_SEQ_CST) &&
        __atomic_load_n(&run->poller_until, __ATOMIC_SEQ_CST) > when)
        weft__netpoll_kick(run);
}

void weft__timers_armed(int64_t when)
{
    struct weft__worker *w = weft__worker();
    if (w) {
        shorten_sleep(w->run, when);
        return;
    }
    shorten_sleep(weft__visit(), when);
    weft__leave();
}

/* The next tick stays on the beat of the first; ticks that were missed are skipped. */
static void fire_first(int64_t now)
{
    struct weft__timer *timer = timers.heap[0];
    if (timer->period > 0) {
        int64_t late = now - timer->when;
        int64_t step = timer->period * (1 + late / timer->period);
        timer->when = timer->when > INT64_MAX - 1 - step ? INT64_MAX - 1 : timer->when + step;
        sift_down(timer, 0);
        publish();
    } else {
        weft__timer_disarm(timer);
    }
    timer->fire(timer, now);
}

void weft__timers_run(struct weft__run *run)
{
    if (weft__timers_next() == INT64_MAX)
        return;
    int64_t now = weft_now();
    if (weft__timers_next() > now || !weft__try_lock(&timers.lock))
        return; /* who holds it fires them, or armed one that is not due */
    /* As long as we hold the lock, an open run is not cleared. After its end the timers are those
     * of the next, and not for its stragglers. */
    bool mine = !weft__ended(run);
    for (int i = 0; mine && i < FIRED_AT_ONCE && timers.count && timers.heap[0]->when <= now; i++)
        fire_first(now);
    weft__unlock(&timers.lock);
}

void weft__timers_clear(void)
{
    weft__lock(&timers.lock);
    struct weft__timer **heap = timers.heap;
    uint32_t count = timers.count;
    for (uint32_t i = 0; i < count; i++)
        heap[i]->place = 0;
    timers.heap = NULL;
    timers.count = timers.room = 0;
    publish();
    weft__unlock(&timers.lock);
    for (uint32_t i = 0; i < count; i++) {
        if (heap[i]->drop)
            heap[i]->drop(heap[i]);
    }
    free(heap);
}
