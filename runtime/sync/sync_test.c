/* Locks, wait groups, conditions, once: as Go's package sync says. */
#include "runtime/test/check.h"

enum { TASKS = 20, ROUNDS = 500 };
#if defined(__SANITIZE_THREAD__)
enum { GROUPS = 500 };
#else
enum { GROUPS = 3000 };
#endif

static struct {
    struct weft_mutex mutex;
    struct weft_rwmutex rw;
    struct weft_cond cond;
    struct weft_once once;
    long count, copy;
    _Atomic int readers, inits;
    int queue;
} g;

static void spawn_and_wait(void (*fn)(void *), int n)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < n; i++)
        CHECK(weft_waitgroup_go(&wg, fn, (void *)(intptr_t)i) == 0);
    weft_waitgroup_wait(&wg);
}

/* Not atomic, and with a switch in the middle now and then. */
static void add_under_mutex(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        weft_mutex_lock(&g.mutex);
        long before = g.count;
        if ((i + (intptr_t)arg) % 16 == 0)
            weft_yield();
        g.count = before + 1;
        weft_mutex_unlock(&g.mutex);
    }
}

TASK_TEST(mutex_excludes)
{
    g.count = 0;
    spawn_and_wait(add_under_mutex, TASKS);
    CHECK(g.count == (long)TASKS * ROUNDS);
    CHECK(weft_mutex_try_lock(&g.mutex) == 0);
    CHECK(weft_mutex_try_lock(&g.mutex) == -EBUSY);
    weft_mutex_unlock(&g.mutex);
}

static _Atomic int hog_stop;

static void hog(void *arg)
{
    (void)arg;
    for (int i = 1; !hog_stop; i++) {
        weft_mutex_lock(&g.mutex);
        int64_t until = weft_now() + 200 * WEFT_US;
        while (weft_now() < until) {
        }
        weft_mutex_unlock(&g.mutex);
        if (i % 10 == 0)
            weft_yield(); /* or one worker would never run another task */
    }
}

/* Who waits gets it, though another takes it again and again without a pause. */
TASK_TEST(mutex_does_not_starve)
{
    struct weft_waitgroup wg = {0};
    hog_stop = 0;
    weft_waitgroup_go(&wg, hog, NULL);
    weft_waitgroup_go(&wg, hog, NULL);
    for (int i = 0; i < 10; i++) {
        weft_mutex_lock(&g.mutex);
        weft_mutex_unlock(&g.mutex);
        weft_yield();
    }
    hog_stop = 1;
    weft_waitgroup_wait(&wg);
}

static void read_or_write(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        if ((i + (intptr_t)arg) % 5 == 0) {
            weft_rwmutex_lock(&g.rw);
            CHECK(g.readers == 0);
            g.count++;
            weft_yield();
            g.copy++;
            weft_rwmutex_unlock(&g.rw);
        } else {
            weft_rwmutex_rlock(&g.rw);
            g.readers++;
            CHECK(g.count == g.copy);
            if (i % 7 == 0)
                weft_yield();
            g.readers--;
            weft_rwmutex_runlock(&g.rw);
        }
    }
}

TASK_TEST(rwmutex_excludes)
{
    g.count = g.copy = 0;
    spawn_and_wait(read_or_write, TASKS);
    CHECK(g.count == (long)TASKS * ROUNDS / 5);
    weft_rwmutex_rlock(&g.rw);
    CHECK(weft_rwmutex_try_rlock(&g.rw) == 0);
    CHECK(weft_rwmutex_try_lock(&g.rw) == -EBUSY);
    weft_rwmutex_runlock(&g.rw);
    weft_rwmutex_runlock(&g.rw);
    CHECK(weft_rwmutex_try_lock(&g.rw) == 0);
    CHECK(weft_rwmutex_try_rlock(&g.rw) == -EBUSY);
    weft_rwmutex_unlock(&g.rw);
}

static void hog_rw(void *writes)
{
    for (int i = 1; !hog_stop; i++) {
        writes ? weft_rwmutex_lock(&g.rw) : weft_rwmutex_rlock(&g.rw);
        int64_t until = weft_now() + 200 * WEFT_US;
        while (weft_now() < until) {
        }
        writes ? weft_rwmutex_unlock(&g.rw) : weft_rwmutex_runlock(&g.rw);
        if (i % 10 == 0)
            weft_yield();
    }
}

/* A reader gets in though writers come again and again, and so does a writer among readers, or
 * among other writers. */
TASK_TEST(rwmutex_does_not_starve)
{
    for (int way = 0; way < 3; way++) {
        struct weft_waitgroup wg = {0};
        hog_stop = 0;
        weft_waitgroup_go(&wg, hog_rw, way == 1 ? NULL : &g);
        weft_waitgroup_go(&wg, hog_rw, way == 1 ? NULL : &g);
        for (int i = 0; i < 5; i++) {
            way == 0 ? weft_rwmutex_rlock(&g.rw) : weft_rwmutex_lock(&g.rw);
            way == 0 ? weft_rwmutex_runlock(&g.rw) : weft_rwmutex_unlock(&g.rw);
            weft_yield();
        }
        hog_stop = 1;
        weft_waitgroup_wait(&wg);
    }
}

static void write_once(void *arg)
{
    (void)arg;
    weft_rwmutex_lock(&g.rw);
    g.count++;
    weft_rwmutex_unlock(&g.rw);
}

/* A waiting writer keeps later readers out. */
TASK_TEST(rwmutex_prefers_the_writer)
{
    struct weft_waitgroup wg = {0};
    g.count = 0;
    weft_rwmutex_rlock(&g.rw);
    weft_waitgroup_go(&wg, write_once, NULL);
    while (weft_rwmutex_try_rlock(&g.rw) == 0) { /* until it waits */
        weft_rwmutex_runlock(&g.rw);
        weft_yield();
    }
    CHECK(g.count == 0);
    weft_rwmutex_runlock(&g.rw);
    weft_rwmutex_rlock(&g.rw);
    CHECK(g.count == 1);
    weft_rwmutex_runlock(&g.rw);
    weft_waitgroup_wait(&wg);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* On the stack of who waits, again and again: nobody touches it once wait returned. */
TASK_TEST(waitgroup_may_go_at_once)
{
    for (int i = 0; i < GROUPS; i++) {
        struct weft_waitgroup *wg = calloc(1, sizeof *wg);
        weft_waitgroup_wait(wg);
        for (int k = 0; k < 3; k++)
            weft_waitgroup_go(wg, nothing, NULL);
        weft_waitgroup_wait(wg);
        memset(wg, 0xff, sizeof *wg);
        free(wg);
    }
}

static void waiter(void *arg)
{
    weft_waitgroup_wait(arg);
}

TASK_TEST(waitgroup_wakes_all_waiters)
{
    struct weft_waitgroup gate = {0}, wg = {0};
    weft_waitgroup_add(&gate, 2);
    for (int i = 0; i < 50; i++)
        weft_waitgroup_go(&wg, waiter, &gate);
    weft_yield();
    weft_waitgroup_add(&gate, -2);
    weft_waitgroup_wait(&wg);
    weft_waitgroup_wait(&gate);
}

static void consume(void *arg)
{
    (void)arg;
    weft_mutex_lock(&g.mutex);
    while (g.queue == 0)
        weft_cond_wait(&g.cond, &g.mutex);
    g.queue--;
    weft_mutex_unlock(&g.mutex);
}

TASK_TEST(cond_wakes_one_for_each_signal)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < TASKS; i++)
        weft_waitgroup_go(&wg, consume, NULL);
    weft_cond_signal(&g.cond); /* without effect on the predicate */
    for (int i = 0; i < TASKS; i++) {
        weft_mutex_lock(&g.mutex);
        g.queue++;
        weft_mutex_unlock(&g.mutex);
        weft_cond_signal(&g.cond);
        weft_yield();
    }
    weft_waitgroup_wait(&wg);
    CHECK(g.queue == 0);
}

TASK_TEST(cond_broadcast_wakes_all)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < TASKS; i++)
        weft_waitgroup_go(&wg, consume, NULL);
    weft_yield();
    weft_mutex_lock(&g.mutex);
    g.queue = TASKS;
    weft_cond_broadcast(&g.cond);
    weft_mutex_unlock(&g.mutex);
    weft_waitgroup_wait(&wg);
    CHECK(g.queue == 0);
}

static void init(void *arg)
{
    weft_yield();
    g.inits++;
    *(int *)arg = 42;
}

static int initialised;

static void use_once(void *arg)
{
    (void)arg;
    weft_once_do(&g.once, init, &initialised);
    CHECK(initialised == 42);
}

TASK_TEST(once_runs_once)
{
    memset(&g.once, 0, sizeof g.once);
    g.inits = initialised = 0;
    spawn_and_wait(use_once, TASKS);
    CHECK(g.inits == 1);
}

static struct weft_mutex kept;

static void lock_kept(void *arg)
{
    weft_mutex_lock(&kept);
    weft_mutex_unlock(&kept);
    if (arg)
        weft_waitgroup_done(arg);
}

static void leave_one_woken(void *arg)
{
    (void)arg;
    weft_mutex_lock(&kept);
    weft_go(lock_kept, NULL);
    await_waiting(1);
    weft_mutex_unlock(&kept);
}

static void wait_for_kept(void *arg)
{
    struct weft_waitgroup wg = {0};
    (void)arg;
    weft_waitgroup_add(&wg, 2);
    weft_mutex_lock(&kept);
    weft_go(lock_kept, &wg);
    weft_go(lock_kept, &wg);
    await_waiting(2);
    weft_mutex_unlock(&kept);
    weft_waitgroup_wait(&wg);
}

/* The one that was woken never came: its run was over. Others are woken all the same. */
static void a_mutex_outlives_a_run(void **state)
{
    (void)state;
    struct weft_options one = {.workers = 1};
    for (int i = 0; i < 3; i++) {
        CHECK(weft_run_with(&one, leave_one_woken, NULL) == 0);
        CHECK(weft_run_with(&one, wait_for_kept, NULL) == 0);
    }
}

static struct weft_rwmutex kept_rw;

static void read_kept(void *arg)
{
    (void)arg;
    weft_rwmutex_rlock(&kept_rw);
    weft_rwmutex_runlock(&kept_rw);
}

static void write_kept(void *arg)
{
    (void)arg;
    weft_rwmutex_lock(&kept_rw);
    weft_rwmutex_unlock(&kept_rw);
}

static void leave_readers(void *arg)
{
    (void)arg;
    weft_rwmutex_lock(&kept_rw);
    weft_go(read_kept, NULL);
    weft_go(read_kept, NULL);
    await_waiting(2);
}

static void leave_writers(void *arg)
{
    weft_rwmutex_unlock(&kept_rw);
    CHECK(weft_rwmutex_try_lock(&kept_rw) == 0);
    weft_rwmutex_unlock(&kept_rw);
    read_kept(arg);
    weft_rwmutex_rlock(&kept_rw);
    weft_go(write_kept, NULL);
    weft_go(write_kept, NULL);
    await_waiting(2);
}

static void find_it_free(void *arg)
{
    weft_rwmutex_runlock(&kept_rw);
    read_kept(arg);
    CHECK(weft_rwmutex_try_lock(&kept_rw) == 0);
    weft_rwmutex_unlock(&kept_rw);
}

/* Who waited in a run that is over holds up nobody of the next. */
static void a_rwmutex_outlives_a_run(void **state)
{
    (void)state;
    struct weft_options one = {.workers = 1};
    for (int i = 0; i < 3; i++) {
        CHECK(weft_run_with(&one, leave_readers, NULL) == 0);
        CHECK(weft_run_with(&one, leave_writers, NULL) == 0);
        CHECK(weft_run_with(&one, find_it_free, NULL) == 0);
    }
}

static void count_and_exit(void *arg)
{
    ++*(int *)arg;
    weft_exit();
}

static struct weft_once exited_once;

static void once_and_exit(void *arg)
{
    weft_once_do(&exited_once, count_and_exit, arg);
}

/* A task that ends in the function of a group or of a once has done it. */
TASK_TEST(done_when_the_task_ends_early)
{
    struct weft_waitgroup wg = {0};
    int count = 0;
    memset(&exited_once, 0, sizeof exited_once);
    CHECK(weft_waitgroup_go(&wg, once_and_exit, &count) == 0);
    weft_waitgroup_wait(&wg);
    weft_once_do(&exited_once, count_and_exit, &count);
    CHECK(count == 1);
}

/* Of a lock that was noted; a signal handler may have taken it from there meanwhile. */
static void a_noted_lock_is_cleared_once(void **state)
{
    (void)state;
    uintptr_t word = 4096;
    CHECK(WEFT__CLEAR(word, (uintptr_t)4096) && word == 0);
    CHECK(!WEFT__CLEAR(word, (uintptr_t)4096) && word == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_noted_lock_is_cleared_once),
        cmocka_unit_test(done_when_the_task_ends_early),
        cmocka_unit_test(a_mutex_outlives_a_run),
        cmocka_unit_test(a_rwmutex_outlives_a_run),
        cmocka_unit_test(mutex_excludes),
        cmocka_unit_test(mutex_does_not_starve),
        cmocka_unit_test(rwmutex_excludes),
        cmocka_unit_test(rwmutex_does_not_starve),
        cmocka_unit_test(rwmutex_prefers_the_writer),
        cmocka_unit_test(waitgroup_may_go_at_once),
        cmocka_unit_test(waitgroup_wakes_all_waiters),
        cmocka_unit_test(cond_wakes_one_for_each_signal),
        cmocka_unit_test(cond_broadcast_wakes_all),
        cmocka_unit_test(once_runs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
