/*
 * What Go promises of its scheduler (its proc_test), each in a test of our own. What Weft does not
 * promise, as C cannot be preempted at any instruction: equal time for pairs of which one computes
 * for longer in each turn (TestPingPongHog counts turns of 10 ms).
 *
 *   a task that polls and yields meets one that waits                 yield_progress
 *   the same with its thread locked; it sleeps, and ends locked       yield_progress, yield_locked
 *   a locked task that blocks at each step does not block others      block_locked
 *   as many tasks as workers run at one moment                        parallel
 *   the same after all have been busy, made by each other, with
 *   a descriptor that somebody waits for                              parallel_again
 *   two that are always ready do not keep a timer from being seen     timer_fairness
 *   nor do selects in which the tasks of a channel meet               timer_fairness_both
 *   a pair that hands a value to and fro goes on beside a hog         ping_pong_hog
 *   a task that makes itself anew for ever keeps nobody from running  perpetual
 */
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "runtime/test/check.h"

/* ---- yielding, and locked threads ---- */

struct poller {
    struct weft_chan *asked, *answer;
    bool locked;
};

static void poll_and_yield(void *arg)
{
    struct poller *p = arg;
    if (p->locked)
        CHECK(weft_lock_thread() == 0);
    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(p->asked, NULL), WEFT_DEFAULT};
        if (weft_select(cases, 2, WEFT_FOREVER) == 0)
            break;
        weft_yield();
    }
    CHECK(weft_chan_send(p->answer, NULL) == 0);
}

TASK_TEST(yield_progress)
{
    for (int i = 0; i < 4; i++) {
        struct poller p = {weft_chan_new(0, 0), weft_chan_new(0, 0), i % 2};
        CHECK(weft_go(poll_and_yield, &p) == 0);
        weft_sleep(2 * WEFT_MS);
        CHECK(weft_chan_send(p.asked, NULL) == 0);
        CHECK(weft_chan_recv(p.answer, NULL) == 0);
        await_ends();
        weft_chan_release(p.asked);
        weft_chan_release(p.answer);
    }
}

enum { STEPS = 10, LOCKED = 4 };

static struct {
    pthread_t threads[LOCKED]; /* of those that have one locked */
    bool locked[LOCKED];
    struct weft_mutex mutex;
    _Atomic int ended;
} l;

static bool is_locked_by_another(int me)
{
    bool found = false;
    weft_mutex_lock(&l.mutex);
    for (int i = 0; i < LOCKED; i++)
        found |= i != me && l.locked[i] && pthread_equal(l.threads[i], pthread_self());
    weft_mutex_unlock(&l.mutex);
    return found;
}

static void yield_and_sleep(void *arg)
{
    int me = (int)(intptr_t)arg;
    CHECK(weft_lock_thread() == 0);
    pthread_t thread = pthread_self();
    weft_mutex_lock(&l.mutex);
    l.threads[me] = thread;
    l.locked[me] = true;
    weft_mutex_unlock(&l.mutex);
    for (int i = 0; i < STEPS; i++) {
        weft_yield();
        CHECK(pthread_equal(pthread_self(), thread) && !is_locked_by_another(me));
        weft_sleep(100 * WEFT_US);
        CHECK(pthread_equal(pthread_self(), thread) && !is_locked_by_another(me));
    }
    weft_mutex_lock(&l.mutex);
    l.locked[me] = false; /* its thread ends with it */
    weft_mutex_unlock(&l.mutex);
    l.ended++;
}

TASK_TEST(yield_locked)
{
    l.ended = 0;
    for (int i = 0; i < LOCKED; i++)
        CHECK(weft_go(yield_and_sleep, (void *)(intptr_t)i) == 0);
    while (l.ended < LOCKED) {
        CHECK(!is_locked_by_another(LOCKED));
        weft_yield();
    }
    await_ends();
}

static void send_locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    for (int i = 0; i < STEPS; i++)
        CHECK(weft_chan_send(arg, &i) == 0);
    weft_unlock_thread();
}

TASK_TEST(block_locked)
{
    struct weft_chan *c = weft_chan_new(sizeof(int), 0);
    CHECK(weft_go(send_locked, c) == 0);
    for (int i = 0, v; i < STEPS; i++)
        CHECK(weft_chan_recv(c, &v) == 0 && v == i);
    await_ends();
    weft_chan_release(c);
}

/* ---- at one moment ---- */

static struct {
    struct weft_waitgroup wg;
    _Atomic unsigned turn, here;
    unsigned count;
} g;

/* In turn, three times each; nobody leaves its worker meanwhile. */
static void take_turns(void *arg)
{
    for (unsigned i = 0; i < 3; i++) {
        unsigned mine = g.count * i + (unsigned)(uintptr_t)arg;
        while (g.turn != mine)
            sched_yield();
        g.turn = mine + 1;
    }
}

TASK_TEST(parallel)
{
    for (int round = 0; round < 3; round++) {
        g.turn = 0;
        g.count = weft_workers();
        for (uintptr_t i = 0; i < g.count; i++)
            CHECK(weft_waitgroup_go(&g.wg, take_turns, (void *)i) == 0);
        weft_waitgroup_wait(&g.wg);
        CHECK(g.turn == 3 * g.count);
    }
}

static void await_all(void *arg)
{
    (void)arg;
    g.here++;
    while (g.here != g.count)
        sched_yield();
}

static void make_two(void *arg)
{
    for (uintptr_t i = 0; i < 2; i++)
        CHECK(weft_waitgroup_go(&g.wg, take_turns, (void *)((uintptr_t)arg + i)) == 0);
}

static void await_byte(void *arg)
{
    char byte;
    CHECK(weft_read(*(int *)arg, &byte, 1) == 1);
}

TASK_TEST(parallel_again)
{
    struct weft_waitgroup reader = {0};
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    CHECK(weft_waitgroup_go(&reader, await_byte, &fd[0]) == 0);
    for (int round = 0; round < 3; round++) {
        g.count = weft_workers();
        g.turn = g.here = 0;
        for (unsigned i = 0; i < g.count; i++)
            CHECK(weft_waitgroup_go(&g.wg, await_all, NULL) == 0);
        weft_waitgroup_wait(&g.wg);
        g.count += g.count % 2;
        for (uintptr_t i = 0; i < g.count; i += 2)
            CHECK(weft_waitgroup_go(&g.wg, make_two, (void *)i) == 0);
        weft_waitgroup_wait(&g.wg);
        CHECK(g.turn == 3 * g.count);
    }
    CHECK(weft_write(fd[1], "x", 1) == 1);
    weft_waitgroup_wait(&reader);
    weft_close(fd[0]);
    weft_close(fd[1]);
}

/* ---- nobody is kept from running ---- */

struct crowd {
    struct weft_chan *values, *done;
    struct weft_waitgroup wg;
};

static struct crowd crowd_new(void)
{
    return (struct crowd){.values = weft_chan_new(0, 0), .done = weft_chan_new(0, 0)};
}

static void crowd_end(struct crowd *c)
{
    weft_waitgroup_wait(&c->wg);
    weft_chan_release(c->values);
    weft_chan_release(c->done);
}

static void always_send(void *arg)
{
    struct crowd *c = arg;
    for (;;) {
        struct weft_case cases[] = {WEFT_SEND(c->values, NULL), WEFT_RECV(c->done, NULL)};
        if (weft_select(cases, 2, WEFT_FOREVER) == 1)
            return;
    }
}

TASK_TEST(timer_fairness)
{
    struct crowd c = crowd_new();
    for (int i = 0; i < 2; i++)
        CHECK(weft_waitgroup_go(&c.wg, always_send, &c) == 0);
    struct weft_chan *timer = weft_after(5 * WEFT_MS);
    for (;;) {
        struct weft_case cases[] = {WEFT_RECV(c.values, NULL), WEFT_RECV(timer, NULL)};
        if (weft_select(cases, 2, WEFT_FOREVER) == 1)
            break;
    }
    weft_chan_close(c.done);
    weft_chan_release(timer);
    crowd_end(&c);
}

static void send_or_receive(void *arg)
{
    struct crowd *c = arg;
    struct weft_chan *timer = weft_after(5 * WEFT_MS);
    for (;;) {
        struct weft_case cases[] = {WEFT_SEND(c->values, NULL), WEFT_RECV(c->values, NULL),
                                    WEFT_RECV(timer, NULL)};
        if (weft_select(cases, 3, WEFT_FOREVER) == 2)
            break;
    }
    weft_chan_release(timer);
}

TASK_TEST(timer_fairness_both)
{
    struct crowd c = crowd_new();
    for (int i = 0; i < 2; i++)
        CHECK(weft_waitgroup_go(&c.wg, send_or_receive, &c) == 0);
    crowd_end(&c);
}

static _Atomic bool enough;

static void hog(void *arg)
{
    (void)arg;
    while (!enough) {
    }
}

static void give_back(void *arg)
{
    struct crowd *c = arg;
    while (weft_chan_recv(c->values, NULL) == 0)
        CHECK(weft_chan_send(c->done, NULL) == 0);
}

/* The hog comes before, amid or after the pair's first exchange. */
TASK_TEST(ping_pong_hog)
{
    for (int when = 0; when < 3; when++) {
        struct crowd c = crowd_new();
        enough = false;
        CHECK(weft_waitgroup_go(&c.wg, give_back, &c) == 0);
        for (int i = 0; i < 1000; i++) {
            if (i == when)
                CHECK(weft_waitgroup_go(&c.wg, hog, NULL) == 0);
            CHECK(weft_chan_send(c.values, NULL) == 0);
            CHECK(weft_chan_recv(c.done, NULL) == 0);
        }
        enough = true;
        weft_chan_close(c.values);
        crowd_end(&c);
    }
}

static void make_another(void *arg)
{
    if (weft_chan_try_recv(arg, NULL) == -EAGAIN)
        CHECK(weft_waitgroup_go(&g.wg, make_another, arg) == 0);
}

static void yield_once(void *arg)
{
    (void)arg;
    weft_yield();
}

TASK_TEST(perpetual)
{
    struct weft_chan *stop = weft_chan_new(0, 1);
    struct weft_waitgroup others = {0};
    CHECK(weft_waitgroup_go(&g.wg, make_another, stop) == 0);
    for (int i = 0; i < 100; i++) {
        weft_yield();
        CHECK(weft_waitgroup_go(&others, yield_once, NULL) == 0);
        weft_waitgroup_wait(&others);
    }
    weft_sleep(WEFT_MS);
    CHECK(weft_chan_send(stop, NULL) == 0);
    weft_waitgroup_wait(&g.wg);
    weft_chan_release(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yield_progress),      cmocka_unit_test(yield_locked),
        cmocka_unit_test(block_locked),        cmocka_unit_test(parallel),
        cmocka_unit_test(parallel_again),      cmocka_unit_test(timer_fairness),
        cmocka_unit_test(timer_fairness_both), cmocka_unit_test(ping_pong_hog),
        cmocka_unit_test(perpetual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
