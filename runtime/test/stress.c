/*
 * Many tasks of all kinds at once, with invariants that hold however they interleave.
 *
 *     weft_stress [SECONDS [WORKERS...]]
 *
 * Rounds follow each other until the time is over: each is a run of the scheduler with other
 * numbers and a seed that is printed when it fails. A round that does not end within its time limit
 * has lost a wake-up.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

enum { ROUND_LIMIT_SECONDS = 150, PRODUCERS_MAX = 8, CONSUMERS_MAX = 8, RING_SIZE = 40 };

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

static uint32_t seed;
static unsigned workers;

static void fail(int line, const char *text)
{
    fprintf(stderr, "stress: line %d: %s: seed=%u workers=%u\n", line, text, seed, workers);
    abort();
}

static void too_late(int signal)
{
    (void)signal;
    static const char text[] = "stress: a round does not end: a wake-up is lost\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(3);
    abort();
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* ---- values through one channel: each arrives once, and in the order of its producer ---- */

struct value {
    uint32_t producer, number;
};

struct flow {
    struct weft_chan *chan, *quit;
    struct weft_waitgroup producing, consuming;
    uint32_t producers, consumers, items;
    uint8_t *seen; /* producers x items */
    _Atomic uint32_t received, next_producer;
};

static void produce(void *arg)
{
    struct flow *f = arg;
    struct value v = {.producer = f->next_producer++};
    uint32_t random = seed + v.producer;
    for (; v.number < f->items; v.number++) {
        uint32_t how = next_random(&random) % 8;
        struct weft_case cases[] = {WEFT_SEND(f->chan, &v), WEFT_RECV(f->quit, NULL)};
        if (how < 3) {
            CHECK(weft_chan_send(f->chan, &v) == 0);
        } else if (how < 6) {
            CHECK(weft_select(cases, 2, WEFT_FOREVER) == 0);
        } else if (how == 6) {
            while (weft_select(cases, 2, 50 * WEFT_US) == -ETIMEDOUT) {
            }
        } else {
            while (weft_chan_try_send(f->chan, &v) == -EAGAIN)
                weft_yield();
        }
    }
}

static int receive(struct flow *f, struct value *v, uint32_t how)
{
    struct weft_case cases[] = {WEFT_RECV(f->quit, NULL), WEFT_RECV(f->chan, v)};
    if (how < 4)
        return weft_chan_recv(f->chan, v);
    if (how < 7) {
        int r;
        while ((r = weft_select(cases, 2, how == 6 ? 70 * WEFT_US : WEFT_FOREVER)) == -ETIMEDOUT) {
        }
        CHECK(r == 1);
        return cases[1].ok ? 0 : -EPIPE;
    }
    for (int i = 0; i < 20; i++) { /* not for ever: a sender may be trying too */
        int r = weft_chan_try_recv(f->chan, v);
        if (r != -EAGAIN)
            return r;
        weft_yield();
    }
    return weft_chan_recv(f->chan, v);
}

static void consume(void *arg)
{
    struct flow *f = arg;
    int64_t last[PRODUCERS_MAX];
    memset(last, -1, sizeof last);
    uint32_t random = seed * 7 + (uint32_t)weft_id();
    struct value v;
    while (receive(f, &v, next_random(&random) % 8) == 0) {
        CHECK(v.producer < f->producers && v.number < f->items);
        CHECK(last[v.producer] < (int64_t)v.number); /* first in, first out */
        last[v.producer] = v.number;
        uint8_t *seen = &f->seen[v.producer * f->items + v.number];
        CHECK(__atomic_exchange_n(seen, 1, __ATOMIC_RELAXED) == 0);
        f->received++;
    }
}

static void flow(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    static const size_t capacities[] = {0, 0, 1, 2, 16, 128};
    struct flow *f = calloc(1, sizeof *f);
    f->producers = 1 + next_random(&random) % PRODUCERS_MAX;
    f->consumers = 1 + next_random(&random) % CONSUMERS_MAX;
    f->items = 200 + next_random(&random) % 1000;
    f->seen = calloc(f->producers, f->items);
    f->chan = weft_chan_new(sizeof(struct value), capacities[next_random(&random) % 6]);
    f->quit = weft_chan_new(0, 0);
    for (uint32_t i = 0; i < f->consumers; i++)
        CHECK(weft_waitgroup_go(&f->consuming, consume, f) == 0);
    for (uint32_t i = 0; i < f->producers; i++)
        CHECK(weft_waitgroup_go(&f->producing, produce, f) == 0);
    weft_waitgroup_wait(&f->producing);
    weft_chan_close(f->chan);
    weft_waitgroup_wait(&f->consuming);
    CHECK(f->received == f->producers * f->items);
    weft_chan_release(f->chan);
    weft_chan_release(f->quit);
    free(f->seen);
    free(f);
}

/* ---- a token that goes round a ring: a lost wake-up stops it ---- */

struct ring {
    struct weft_chan *chan[RING_SIZE];
    struct weft_waitgroup wg;
    _Atomic int next;
};

static void pass(void *arg)
{
    struct ring *ring = arg;
    int me = ring->next++;
    int64_t hops;
    while (weft_chan_recv(ring->chan[me], &hops) == 0) {
        if (hops-- == 0)
            break;
        CHECK(weft_chan_send(ring->chan[(me + 1) % RING_SIZE], &hops) == 0);
    }
    for (int i = 0; hops < 0 && i < RING_SIZE; i++) {
        if (i != me)
            weft_chan_close(ring->chan[i]);
    }
}

static void token_ring(void *arg)
{
    (void)arg;
    struct ring *ring = calloc(1, sizeof *ring);
    int64_t hops = 3000;
    for (int i = 0; i < RING_SIZE; i++)
        ring->chan[i] = weft_chan_new(sizeof hops, 0);
    for (int i = 0; i < RING_SIZE; i++)
        weft_waitgroup_go(&ring->wg, pass, ring);
    weft_chan_send(ring->chan[0], &hops);
    weft_waitgroup_wait(&ring->wg);
    for (int i = 0; i < RING_SIZE; i++)
        weft_chan_release(ring->chan[i]);
    free(ring);
}

/* ---- locks: a count that is not atomic, and readers that see whole pairs ---- */

struct locks {
    struct weft_mutex mutex;
    struct weft_rwmutex rw;
    struct weft_cond cond;
    struct weft_waitgroup wg;
    long count, a, b;
    int tokens;
};

enum { LOCKERS = 16, LOCKS = 400 };

static void lock_all_kinds(void *arg)
{
    struct locks *l = arg;
    uint32_t random = seed + (uint32_t)weft_id();
    for (int i = 0; i < LOCKS; i++) {
        uint32_t how = next_random(&random) % 16;
        if (how < 8) {
            weft_mutex_lock(&l->mutex);
            long before = l->count;
            if (how == 0)
                weft_yield();
            if (how == 1)
                weft_sleep(10 * WEFT_US);
            l->count = before + 1;
            weft_mutex_unlock(&l->mutex);
        } else if (how < 10) {
            weft_rwmutex_lock(&l->rw);
            l->a++;
            if (how == 9)
                weft_yield();
            l->b++;
            weft_rwmutex_unlock(&l->rw);
            weft_mutex_lock(&l->mutex);
            l->count++;
            weft_mutex_unlock(&l->mutex);
        } else {
            weft_rwmutex_rlock(&l->rw);
            CHECK(l->a == l->b);
            weft_rwmutex_runlock(&l->rw);
            weft_mutex_lock(&l->mutex);
            l->count++;
            weft_mutex_unlock(&l->mutex);
        }
    }
}

static void take_token(void *arg)
{
    struct locks *l = arg;
    for (int i = 0; i < LOCKS; i++) {
        weft_mutex_lock(&l->mutex);
        while (l->tokens == 0)
            weft_cond_wait(&l->cond, &l->mutex);
        l->tokens--;
        weft_mutex_unlock(&l->mutex);
    }
}

static void give_token(void *arg)
{
    struct locks *l = arg;
    for (int i = 0; i < LOCKS; i++) {
        weft_mutex_lock(&l->mutex);
        l->tokens++;
        weft_mutex_unlock(&l->mutex);
        weft_cond_signal(&l->cond);
    }
}

static void locks(void *arg)
{
    (void)arg;
    struct locks *l = calloc(1, sizeof *l);
    for (int i = 0; i < LOCKERS; i++) {
        weft_waitgroup_go(&l->wg, lock_all_kinds, l);
        weft_waitgroup_go(&l->wg, i % 2 ? take_token : give_token, l);
    }
    weft_waitgroup_wait(&l->wg);
    CHECK(l->count == (long)LOCKERS * LOCKS && l->a == l->b && l->tokens == 0);
    free(l);
}

/* ---- timers that are stopped while they fire ---- */

struct shot {
    _Atomic int fired;
};

static void fire(void *arg)
{
    ((struct shot *)arg)->fired++;
}

static void timers(void *arg)
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

static void timer_channels(void *arg)
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

/* ---- descriptors ---- */

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[256];
    ssize_t n;
    while ((n = weft_read(fd, buffer, sizeof buffer)) > 0)
        CHECK(weft_write(fd, buffer, (size_t)n) == n);
    weft_close(fd);
}

static void talk(void *arg)
{
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    weft_waitgroup_go(arg, echo, (void *)(intptr_t)fds[1]);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t in;
        CHECK(weft_write(fds[0], &i, sizeof i) == sizeof i);
        CHECK(weft_read(fds[0], &in, sizeof in) == sizeof in && in == i);
    }
    weft_close(fds[0]);
}

static void descriptors(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < 6; i++)
        weft_waitgroup_go(&wg, talk, &wg);
    weft_waitgroup_wait(&wg);
}

/* ---- the rounds ---- */

static void call(void *arg)
{
    ++*(int *)arg;
}

static void blocking(void *arg)
{
    (void)arg;
    for (int i = 0; i < 30; i++) {
        int calls = 0;
        CHECK(weft_blocking(call, &calls) == 0 && calls == 1);
    }
}

static void one_round(void *arg)
{
    struct weft_waitgroup wg = {0};
    uint32_t *state = arg, seeds[8];
    void (*const parts[])(void *) = {flow,   flow,           flow,        token_ring, locks,
                                     timers, timer_channels, descriptors, blocking};
    for (size_t i = 0; i < 8; i++)
        seeds[i] = next_random(state);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        weft_waitgroup_go(&wg, parts[i], &seeds[i % 8]);
    weft_waitgroup_wait(&wg);
}

int main(int argc, char **argv)
{
    static const unsigned defaults[] = {1, 2, 4};
    double seconds = argc > 1 ? atof(argv[1]) : 3;
    unsigned counts = argc > 2 ? (unsigned)argc - 2 : 3, rounds = 0;
    int64_t until = weft_now() + (int64_t)(seconds * 1e9);
    seed = (uint32_t)weft_now();
    signal(SIGALRM, too_late);
    do {
        workers = argc > 2 ? (unsigned)atoi(argv[2 + rounds % counts]) : defaults[rounds % 3];
        struct weft_options options = {.workers = workers};
        uint32_t state = ++seed;
        alarm(ROUND_LIMIT_SECONDS);
        CHECK(weft_run_with(&options, one_round, &state) == 0);
        rounds++;
    } while (weft_now() < until || rounds < counts);
    printf("%u rounds\n", rounds);
    return 0;
}
