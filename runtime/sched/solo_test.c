/* A worker that takes locks without atomics, and the plain thread that comes to share them. */
#include "runtime/sched/solo.h"

#include <pthread.h>
#include <sched.h>

#include "runtime/test/check.h"

enum { ROUNDS = 20, ITEMS = 3000, CAPACITY = 16, TRIES_MAX = 100 * ROUNDS };

static struct weft_chan *items;
static struct weft_timer *timer;

static int threads_at_first;

static void *nothing(void *arg)
{
    return arg;
}

/* A sanitizer has a thread of its own from the first one on; that one may be seen for a while. */
static void count_threads(void)
{
    pthread_t first;
    CHECK(pthread_create(&first, NULL, nothing, NULL) == 0 && pthread_join(first, NULL) == 0);
    threads_at_first = threads_seen();
    for (int i = 0; i < 100; i++) {
        int now = threads_seen();
        threads_at_first = now < threads_at_first ? now : threads_at_first;
        sched_yield();
    }
}

/* Those of a run may end long after it, and come for a lock then. Not for ever: some may be
 * nobody's that we know. */
static void forget_the_others(void)
{
    for (int64_t until = weft_now() + WEFT_S;
         threads_seen() > threads_at_first && weft_now() < until;)
        sched_yield();
    weft__solo.who = WEFT__SOLO_NOBODY;
}

static void send_all(void)
{
    for (long i = 1; i <= ITEMS; i++)
        CHECK(weft_chan_send(items, &i) == 0);
}

static void produce(void *arg)
{
    (void)arg;
    send_all();
}

static void *come(void *arg)
{
    (void)arg;
    for (int i = 0; i < ITEMS / 10; i++)
        CHECK(weft_timer_reset(timer, WEFT_S * 1000 + i) == 1);
    send_all();
    return NULL;
}

/* The thread comes after so many items, in the midst of the worker's sends and receives. */
static void comes_after(void *arg)
{
    pthread_t thread;
    long sum = 0, after = (long)arg;
    CHECK(weft__solo.who == (uintptr_t)weft__worker());
    items = weft_chan_new(sizeof(long), CAPACITY);
    timer = weft_timer_new(1000 * WEFT_S);
    weft_go(produce, NULL);
    for (long n = 0, v; n < 2L * ITEMS; n++) {
        if (n == after)
            CHECK(pthread_create(&thread, NULL, come, NULL) == 0);
        CHECK(weft_chan_recv(items, &v) == 0);
        CHECK(weft_timer_reset(timer, 1000 * WEFT_S + n) == 1);
        sum += v;
    }
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sum == (long)ITEMS * (ITEMS + 1) && weft_chan_len(items) == 0);
    CHECK(weft__solo.who == WEFT__SOLO_SHARED);
    weft_chan_release(items);
    weft_timer_free(timer);
}

static void a_thread_comes(void **state)
{
    struct weft_options one = {.workers = 1};
    (void)state;
    for (long i = 0; i < ROUNDS; i++) {
        forget_the_others();
        CHECK(weft_run_with(&one, comes_after, (void *)(i * ITEMS / ROUNDS)) == 0);
    }
}

/* A task with a thread of its own, and what the worker does meanwhile on another one. */
static void locks_its_thread(void *arg)
{
    long sum = 0;
    (void)arg;
    items = weft_chan_new(sizeof(long), CAPACITY);
    weft_go(produce, NULL);
    weft_yield();
    weft_lock_thread();
    for (long n = 0, v; n < ITEMS; n++) {
        CHECK(weft_chan_recv(items, &v) == 0);
        sum += v;
    }
    weft_unlock_thread();
    CHECK(sum == (long)ITEMS * (ITEMS + 1) / 2);
    weft_chan_release(items);
}

static void a_task_locks_its_thread(void **state)
{
    struct weft_options one = {.workers = 1};
    (void)state;
    for (long i = 0; i < ROUNDS; i++) {
        forget_the_others();
        CHECK(weft_run_with(&one, locks_its_thread, NULL) == 0);
    }
}

/* No other thread comes for a lock: each run of one worker has them for itself. */
static void alone(void *arg)
{
    (void)arg;
    CHECK(weft__solo.who == (uintptr_t)weft__worker());
    items = weft_chan_new(sizeof(long), CAPACITY);
    for (long i = 0; i < CAPACITY; i++)
        CHECK(weft_chan_send(items, &i) == 0);
    weft_timer_free(weft_timer_new(WEFT_S));
    weft_chan_release(weft_after(1000 * WEFT_S)); /* armed until the end */
    CHECK(weft__solo.who == (uintptr_t)weft__worker());
    weft_chan_release(items);
}

static void run_after_run(void **state)
{
    struct weft_options one = {.workers = 1};
    (void)state;
    forget_the_others();
    for (int good = 0, tries = 0; good < ROUNDS; tries++) {
        CHECK(tries < TRIES_MAX);
        CHECK(weft_run_with(&one, alone, NULL) == 0);
        if (weft__solo.who == WEFT__SOLO_NOBODY)
            good++;
        else /* a thread of the run was late */
            forget_the_others();
    }
}

static void with_two_workers(void *arg)
{
    (void)arg;
    CHECK(weft__solo.who == WEFT__SOLO_NOBODY);
    items = weft_chan_new(sizeof(long), 1);
    CHECK(weft_chan_send(items, &(long){1}) == 0);
    CHECK(weft__solo.who == WEFT__SOLO_SHARED);
    weft_chan_release(items);
}

static void two_workers_share(void **state)
{
    struct weft_options two = {.workers = 2};
    (void)state;
    forget_the_others();
    CHECK(weft_run_with(&two, with_two_workers, NULL) == 0);
}

int main(void)
{
    count_threads();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_comes),
        cmocka_unit_test(a_task_locks_its_thread),
        cmocka_unit_test(run_after_run),
        cmocka_unit_test(two_workers_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
