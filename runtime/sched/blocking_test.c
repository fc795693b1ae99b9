/* Calls that block a thread: how many at once, in which order, and what happens without threads. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "runtime/sched/inside.h"
#include "runtime/test/check.h"

enum { CALLS = 200, LIMIT = 7 };

/* The linker puts this in the place of pthread_create; see CMakeLists.txt. */
static _Atomic int no_threads;
int __real_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
static _Atomic int together; /* so many requests for a thread wait for each other */

/* Not for ever: another may have no need to come. */
static void meet(void)
{
    together--;
    for (int64_t until = weft_now() + WEFT_S; together > 0 && weft_now() < until;)
        sched_yield();
}

int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    if (together > 0)
        meet();
    return no_threads ? EAGAIN : __real_pthread_create(id, attr, fn, arg);
}

static struct {
    pthread_mutex_t lock;
    pthread_cond_t change;
    int inside, peak, begun, order[CALLS];
    bool open;
} g = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};

static void reset(void)
{
    g.inside = g.peak = g.begun = 0;
    g.open = false;
    no_threads = 0;
}

/* Stays inside until the gate is open. */
static void stay(void *arg)
{
    pthread_mutex_lock(&g.lock);
    g.order[g.begun++] = (int)(intptr_t)arg;
    if (++g.inside > g.peak)
        g.peak = g.inside;
    pthread_cond_broadcast(&g.change);
    while (!g.open)
        pthread_cond_wait(&g.change, &g.lock);
    g.inside--;
    pthread_mutex_unlock(&g.lock);
}

static void set_linger(int64_t ns)
{
    __atomic_store_n(&weft__blocking_linger_ns, ns, __ATOMIC_RELAXED);
}

static void set_open(bool open)
{
    pthread_mutex_lock(&g.lock);
    g.open = open;
    pthread_cond_broadcast(&g.change);
    pthread_mutex_unlock(&g.lock);
}

static int now_inside(void)
{
    pthread_mutex_lock(&g.lock);
    int n = g.inside;
    pthread_mutex_unlock(&g.lock);
    return n;
}

static struct weft_sem *sem;

static void call(void *arg)
{
    if (sem)
        CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
    CHECK(weft_blocking(stay, arg) == 0);
    if (sem)
        weft_sem_release(sem, 1);
}

/* CALLS of them, of which `expected` get inside at once; then all come through. */
static void call_many(int expected)
{
    struct weft_waitgroup wg = {0};
    struct weft_stats stats;
    reset();
    for (int i = 0; i < CALLS; i++) {
        CHECK(weft_waitgroup_go(&wg, call, (void *)(intptr_t)i) == 0);
        /* In this order into the queue, whatever the workers do. */
        do {
            weft_yield();
            CHECK(weft_stats(&stats) == 0);
        } while (stats.tasks_waiting < (uint64_t)i + 1);
    }
    while (now_inside() < expected)
        weft_yield();
    CHECK(stats.blocking_threads >= (unsigned)expected);
    set_open(true);
    weft_waitgroup_wait(&wg);
    CHECK(g.peak == expected && g.begun == CALLS);
}

TASK_TEST(without_a_limit)
{
    call_many(CALLS);
}

TASK_TEST(with_a_semaphore)
{
    sem = weft_sem_new(LIMIT);
    call_many(LIMIT);
    weft_sem_free(sem);
    sem = NULL;
}

static void limited(void *arg)
{
    (void)arg;
    call_many(LIMIT);
}

static void one_at_a_time(void *arg)
{
    (void)arg;
    call_many(1);
    for (int i = 0; i < CALLS; i++)
        CHECK(g.order[i] == i);
}

static void first_come_first_served(void **state)
{
    struct weft_options options = {.workers = 2, .blocking_threads = 1};
    (void)state;
    assert_int_equal(weft_run_with(&options, one_at_a_time, NULL), 0);
}

static void with_a_limit(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        struct weft_options options = {.workers = workers, .blocking_threads = LIMIT};
        assert_int_equal(weft_run_with(&options, limited, NULL), 0);
    }
}

static void limit_from_the_environment(void **state)
{
    (void)state;
    setenv("WEFT_BLOCKING", "7", 1);
    assert_int_equal(weft_run(limited, NULL), 0);
    unsetenv("WEFT_BLOCKING");
}

/* ---- what a run that is over leaves ---- */

static void leave_calls(void *arg)
{
    for (int i = 0; i < 3 * LIMIT; i++)
        CHECK(weft_go(call, arg) == 0);
    while (now_inside() < LIMIT)
        weft_yield();
}

static void count_one(void *arg)
{
    ++*(int *)arg;
}

static void call_once(void *arg)
{
    CHECK(weft_blocking(count_one, arg) == 0);
}

/* Calls of the run before return meanwhile. */
static void let_them_return(void *arg)
{
    set_open(true);
    while (now_inside() > 0)
        weft_yield();
    for (int i = 0; i < CALLS; i++)
        call_once(arg);
}

/* Calls of the run before block still: they do not use up the limit, and none begins anew. */
static void limits_are_of_a_run(void **state)
{
    struct weft_options options = {.workers = 2, .blocking_threads = LIMIT};
    int calls = 0;
    (void)state;
    reset();
    assert_int_equal(weft_run_with(&options, leave_calls, NULL), 0);
    assert_int_equal(weft_run_with(&options, call_once, &calls), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(now_inside(), LIMIT);
    assert_int_equal(weft_run_with(&options, let_them_return, &calls), 0);
    assert_int_equal(g.begun, LIMIT);
    assert_int_equal(calls, 1 + CALLS);
}

/* ---- threads ---- */

/* One after the other, on one thread. */
static void note_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
}

TASK_TEST(threads_are_used_again)
{
    pthread_t first, next;
    struct weft_stats stats;
    CHECK(weft_blocking(note_thread, &first) == 0);
    CHECK(weft_stats(&stats) == 0);
    unsigned threads = stats.blocking_threads;
    for (int i = 0; i < 50; i++)
        CHECK(weft_blocking(note_thread, &next) == 0);
    CHECK(weft_stats(&stats) == 0);
    CHECK(stats.blocking_threads <= threads + 1); /* the one before may not be idle yet */
}

TASK_TEST(threads_end_when_idle)
{
    struct weft_stats stats;
    set_linger(WEFT_MS);
    call_many(CALLS);
    do {
        weft_yield();
        CHECK(weft_stats(&stats) == 0);
    } while (stats.blocking_threads > 0);
    set_linger(5 * WEFT_S);
}

/* Those of the tests before end. */
static void end_threads(void)
{
    struct weft_stats stats;
    int calls = 0;
    set_linger(0);
    do {
        CHECK(weft_blocking(count_one, &calls) == 0);
        CHECK(weft_stats(&stats) == 0);
    } while (stats.blocking_threads > 1);
    while (weft_stats(&stats) == 0 && stats.blocking_threads > 0)
        weft_yield();
    set_linger(5 * WEFT_S);
}

/* No thread at all is an error; where there are some, calls wait for them. */
static void threads_run_out_body(void *arg)
{
    struct weft_waitgroup wg = {0};
    struct weft_stats stats;
    int calls = 0;
    (void)arg;
    reset();
    end_threads();
    no_threads = 1;
    CHECK(weft_blocking(count_one, &calls) == -EAGAIN && calls == 0);
    CHECK(weft_lock_thread() == -EAGAIN);
    weft_unlock_thread();
    no_threads = 0;
    CHECK(weft_waitgroup_go(&wg, call, NULL) == 0);
    while (now_inside() < 1)
        weft_yield();
    no_threads = 1;
    for (int i = 1; i < 10; i++)
        CHECK(weft_waitgroup_go(&wg, call, NULL) == 0);
    while (weft_stats(&stats) == 0 && stats.tasks_waiting < 10)
        weft_yield();
    set_open(true);
    weft_waitgroup_wait(&wg);
    CHECK(g.peak == 1 && g.begun == 10);
    no_threads = 0;
}

static void threads_run_out(void **state)
{
    (void)state;
    run_all(threads_run_out_body, NULL);
}

static void call_in_vain(void *arg)
{
    int calls = 0;
    (void)arg;
    CHECK(weft_blocking(count_one, &calls) == -EAGAIN && calls == 0);
}

/* Nobody counts on the thread that another call asks for just then. */
static void no_thread_for_two_body(void *arg)
{
    struct weft_waitgroup wg = {0};
    (void)arg;
    reset();
    end_threads();
    no_threads = 1;
    together = 2;
    for (int i = 0; i < 2; i++)
        CHECK(weft_waitgroup_go(&wg, call_in_vain, NULL) == 0);
    weft_waitgroup_wait(&wg);
    no_threads = 0;
}

static void no_thread_for_two(void **state)
{
    struct weft_options options = {.workers = 2};
    (void)state;
    assert_int_equal(weft_run_with(&options, no_thread_for_two_body, NULL), 0);
}

static void no_run_without_threads(void **state)
{
    int calls = 0;
    (void)state;
    no_threads = 1;
    assert_int_equal(weft_run(count_one, &calls), -EAGAIN);
    no_threads = 0;
    assert_int_equal(calls, 0);
    assert_int_equal(weft_run(count_one, &calls), 0);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_limit),
        cmocka_unit_test(with_a_semaphore),
        cmocka_unit_test(with_a_limit),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(limit_from_the_environment),
        cmocka_unit_test(limits_are_of_a_run),
        cmocka_unit_test(threads_are_used_again),
        cmocka_unit_test(threads_end_when_idle),
        cmocka_unit_test(threads_run_out),
        cmocka_unit_test(no_thread_for_two),
        cmocka_unit_test(no_run_without_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
