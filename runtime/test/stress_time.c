/* The stress of timers: stopped and reset while they fire, by one task and by many. */
#include "runtime/test/stress.h"

/* ---- timers that are stopped while they fire ---- */

struct shot {
    _Atomic int fired;
};

static void fire(void *arg)
{
    ((struct shot *)arg)->fired++;
}

void stress_timers(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    for (int i = 0; i < 100; i++) {
        struct shot *shot = calloc(1, sizeof *shot);
        struct weft_timer *t = weft_timer_func(next_random(&random) % 100000, fire, shot);
        weft_sleep(next_random(&random) % 100000);
        int stopped = weft_timer_stop(t);
        while (!stopped && shot->fired == 0)
            weft_yield();
        CHECK(shot->fired == !stopped);
        weft_timer_reset(t, 1000);
        while (shot->fired == !stopped)
            weft_yield();
        CHECK(weft_timer_stop(t) == 0 && shot->fired == 1 + !stopped);
        weft_timer_free(t);
        free(shot);
    }
}

void stress_timer_channels(void *arg)
{
    uint32_t random = *(uint32_t *)arg + 1;
    struct weft_timer *t = weft_timer_new(WEFT_S);
    for (int i = 0; i < 300; i++) {
        int64_t at, before = weft_now(), ns = next_random(&random) % 30000;
        weft_timer_reset(t, ns);
        if (i % 3 == 0)
            weft_sleep(next_random(&random) % 30000);
        if (i % 3 != 2) {
            CHECK(weft_chan_recv(weft_timer_chan(t), &at) == 0);
            CHECK(at >= before + ns); /* no value of before the reset */
        }
    }
    weft_timer_free(t);
}

/* ---- timers that many tasks stop and reset: each arming ends once, by a stop or by firing ---- */

enum { TIMERS = 5, HANDLERS = 6, MOVES = 150 };

struct shared_timer {
    struct weft_timer *timer;
    _Atomic int64_t armed, stopped, fired;
};

struct shared {
    struct shared_timer timers[TIMERS];
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
};

static void count_shot(void *arg)
{
    ((struct shared_timer *)arg)->fired++;
}

static void move_about(void *arg)
{
    struct shared *s = arg;
    uint32_t random = s->seed + s->next++;
    for (int i = 0; i < MOVES; i++) {
        struct shared_timer *t = &s->timers[next_random(&random) % TIMERS];
        uint32_t how = next_random(&random) % 4;
        if (how == 0) {
            t->stopped += weft_timer_stop(t->timer);
        } else if (how == 1) {
            weft_sleep(next_random(&random) % 20000);
        } else {
            t->armed++;
            t->stopped += weft_timer_reset(t->timer, next_random(&random) % 20000);
        }
    }
}

void stress_shared_timers(void *arg)
{
    struct shared *s = calloc(1, sizeof *s);
    s->seed = *(uint32_t *)arg;
    for (int i = 0; i < TIMERS; i++) {
        struct shared_timer *t = &s->timers[i];
        t->armed = 1;
        t->timer = weft_timer_func(i * 5000, count_shot, t);
    }
    for (int i = 0; i < HANDLERS; i++)
        CHECK(weft_waitgroup_go(&s->wg, move_about, s) == 0);
    weft_waitgroup_wait(&s->wg);
    for (int i = 0; i < TIMERS; i++) {
        struct shared_timer *t = &s->timers[i];
        t->stopped += weft_timer_stop(t->timer);
        while (t->fired + t->stopped < t->armed) /* a task of its may still be on its way */
            weft_yield();
        weft_yield();
        CHECK(t->fired + t->stopped == t->armed);
        weft_timer_free(t->timer);
    }
    free(s);
}
