/* Tasks that lock their thread: which thread runs them, and that nobody else runs there. */
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/test/check.h"

enum { TASKS = 6, ROUNDS = 200 };

static __thread long mark;

static long here(void)
{
    return syscall(SYS_gettid);
}

/* ---- it stays, and is alone there ---- */

static struct weft_mutex mutex;
static _Atomic int done;

static void wait_in_every_way(struct weft_chan *c, int i)
{
    struct weft_case cases[] = {WEFT_RECV(c, NULL), WEFT_RECV(NULL, NULL)};
    weft_yield();
    weft_mutex_lock(&mutex);
    if (i % 8 == 0)
        weft_sleep(20 * WEFT_US);
    weft_mutex_unlock(&mutex);
    if (i % 2)
        CHECK(weft_chan_recv(c, NULL) == 0);
    else
        CHECK(weft_select(cases, 2, 100 * WEFT_S) == 0);
}

static void count_call(void *arg)
{
    CHECK(here() == *(long *)arg);
}

static void stay(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    long thread = here();
    struct weft_task *self = weft_self();
    mark = thread;
    for (int i = 0; i < ROUNDS; i++) {
        wait_in_every_way(arg, i);
        CHECK(here() == thread && mark == thread && weft_self() == self);
    }
    CHECK(weft_blocking(count_call, &thread) == 0);
    mark = 0;
    done++;
    weft_unlock_thread();
}

/* Others never see the mark of a thread that is locked. */
static void wander(void *arg)
{
    while (done < TASKS) {
        CHECK(mark == 0);
        weft_chan_send(arg, NULL);
        CHECK(mark == 0);
        weft_yield();
    }
}

static void drain(void *arg)
{
    struct weft_chan *c = arg;
    while (weft_chan_recv(c, NULL) == 0) {
    }
}

TASK_TEST(stays_alone)
{
    struct weft_chan *c = weft_chan_new(0, 1);
    struct weft_waitgroup wg = {0}, rest = {0};
    done = 0;
    for (int i = 0; i < TASKS; i++)
        weft_waitgroup_go(&wg, stay, c);
    for (int i = 0; i < 4; i++)
        weft_waitgroup_go(&wg, wander, c);
    while (done < TASKS)
        weft_yield();
    weft_waitgroup_go(&rest, drain, c); /* for senders that wait still */
    weft_waitgroup_wait(&wg);
    weft_chan_close(c);
    weft_waitgroup_wait(&rest);
    weft_chan_release(c);
}

/* ---- nesting, children, unlocking ---- */

static long parent;

static void child(void *arg)
{
    CHECK(here() != parent && mark == 0);
    weft_chan_send(arg, NULL);
    CHECK(here() != parent);
}

TASK_TEST(children_are_not_locked)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    CHECK(weft_lock_thread() == 0);
    mark = parent = here();
    for (int i = 0; i < 50; i++) {
        weft_go(child, c);
        CHECK(weft_chan_recv(c, NULL) == 0);
        CHECK(here() == parent);
    }
    mark = 0;
    weft_unlock_thread();
    weft_chan_release(c);
}

TASK_TEST(locks_count)
{
    CHECK(weft_lock_thread() == 0);
    CHECK(weft_lock_thread() == 0);
    long thread = here();
    weft_unlock_thread();
    for (int i = 0; i < 20; i++) {
        weft_sleep(10 * WEFT_US);
        CHECK(here() == thread);
    }
    weft_unlock_thread();
    weft_unlock_thread(); /* one too many: nothing, as in Go */
    CHECK(weft_lock_thread() == 0);
    weft_unlock_thread();
}

static void lock_and_unlock(void *arg)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        CHECK(weft_lock_thread() == 0);
        mark = 1;
        if (i % 3)
            weft_yield();
        else
            weft_mutex_lock(arg), weft_mutex_unlock(arg);
        mark = 0;
        weft_unlock_thread();
        CHECK(mark == 0);
    }
}

TASK_TEST(locks_again_and_again)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < TASKS; i++)
        weft_waitgroup_go(&wg, lock_and_unlock, &mutex);
    weft_waitgroup_wait(&wg);
}

/* ---- the end of the task, and of the run ---- */

static _Atomic int keys_dropped;
static pthread_key_t key;

static void drop_key(void *arg)
{
    (void)arg;
    keys_dropped++;
}

static void end_locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    mark = 1;
    CHECK(pthread_setspecific(key, arg) == 0);
    weft_yield();
}

static void end_unlocked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    CHECK(pthread_setspecific(key, arg) == 0);
    weft_yield();
    CHECK(pthread_setspecific(key, NULL) == 0);
    weft_unlock_thread();
    done++;
}

/* Its thread ends with it, and so do the thread's own variables. */
TASK_TEST(thread_ends_with_the_task)
{
    CHECK(pthread_key_create(&key, drop_key) == 0);
    keys_dropped = done = 0;
    for (int i = 0; i < TASKS; i++) {
        weft_go(end_locked, &key);
        weft_go(end_unlocked, &key);
    }
    while (keys_dropped < TASKS || done < TASKS) {
        CHECK(mark == 0);
        weft_yield();
    }
    pthread_key_delete(key);
}

static _Atomic int never;

static void wait_for_ever(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    weft_chan_recv(arg, NULL);
    never = 1;
}

static void turn_for_ever(void *arg)
{
    (void)arg;
    CHECK(weft_lock_thread() == 0);
    for (;;)
        weft_sleep(50 * WEFT_US);
}

/* A run ends with tasks that are locked, the main task among them. */
static void leave_locked(void *arg)
{
    for (int i = 0; i < TASKS; i++) {
        weft_go(wait_for_ever, arg);
        weft_go(turn_for_ever, arg);
    }
    weft_sleep(WEFT_MS);
    CHECK(weft_lock_thread() == 0);
}

static void send_to_nobody(void *arg)
{
    CHECK(weft_chan_try_send(arg, NULL) == -EAGAIN);
}

static void runs_end(void **state)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    int before = threads_seen();
    (void)state;
    for (int i = 0; i < 3; i++) {
        run_all(leave_locked, c);
        run_all(send_to_nobody, c);
    }
    assert_int_equal(never, 0);
    while (threads_seen() > before) /* none sleeps on for ever */
        sched_yield();
    weft_chan_release(c);
}

/* ---- hand over between two locked ones, and by plain threads ---- */

static void pong(void *arg)
{
    struct weft_chan **c = arg;
    CHECK(weft_lock_thread() == 0);
    for (long v; weft_chan_recv(c[0], &v) == 0;)
        CHECK(weft_chan_send(c[1], &v) == 0);
}

TASK_TEST(ping_pong)
{
    struct weft_chan *c[] = {weft_chan_new(sizeof(long), 0), weft_chan_new(sizeof(long), 0)};
    struct weft_waitgroup wg = {0};
    weft_waitgroup_go(&wg, pong, c);
    CHECK(weft_lock_thread() == 0);
    for (long i = 0, v; i < 5000; i++) {
        CHECK(weft_chan_send(c[0], &i) == 0);
        CHECK(weft_chan_recv(c[1], &v) == 0 && v == i);
    }
    weft_unlock_thread();
    weft_chan_close(c[0]);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c[0]);
    weft_chan_release(c[1]);
}

static void *wake_it(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        weft_chan_send(arg, NULL);
    CHECK(weft_lock_thread() == 0); /* outside a task: nothing */
    weft_unlock_thread();
    return NULL;
}

TASK_TEST(plain_threads_wake_it)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    pthread_t id;
    CHECK(weft_lock_thread() == 0);
    CHECK(pthread_create(&id, NULL, wake_it, c) == 0);
    for (int i = 0; i < ROUNDS; i++)
        CHECK(weft_chan_recv(c, NULL) == 0);
    pthread_join(id, NULL);
    weft_unlock_thread();
    weft_chan_release(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_alone),
        cmocka_unit_test(children_are_not_locked),
        cmocka_unit_test(locks_count),
        cmocka_unit_test(locks_again_and_again),
        cmocka_unit_test(thread_ends_with_the_task),
        cmocka_unit_test(runs_end),
        cmocka_unit_test(ping_pong),
        cmocka_unit_test(plain_threads_wake_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
