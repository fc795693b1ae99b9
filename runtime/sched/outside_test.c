/* Plain threads that wait: on channels, in select, for locks and wait groups, with a run and
 * without one. */
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "runtime/test/check.h"

enum { THREADS = 4, ROUNDS = 300 };

static void begin(pthread_t *ids, int n, void *(*fn)(void *), void *arg)
{
    for (int i = 0; i < n; i++)
        CHECK(pthread_create(&ids[i], NULL, fn, arg) == 0);
}

static void end(pthread_t *ids, int n)
{
    for (int i = 0; i < n; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
}

/* ---- channels ---- */

struct pair {
    struct weft_chan *in, *out;
};

static void *double_each(void *arg)
{
    struct pair *p = arg;
    CHECK(weft_self() == NULL && weft_id() == 0);
    for (long v; weft_chan_recv(p->in, &v) == 0;) {
        v *= 2;
        CHECK(weft_chan_send(p->out, &v) == 0);
    }
    return NULL;
}

static void channels_between(size_t capacity)
{
    struct pair p = {weft_chan_new(sizeof(long), capacity), weft_chan_new(sizeof(long), 0)};
    pthread_t id;
    begin(&id, 1, double_each, &p);
    for (long i = 0, v; i < ROUNDS; i++) {
        CHECK(weft_chan_send(p.in, &i) == 0);
        CHECK(weft_chan_recv(p.out, &v) == 0 && v == 2 * i);
    }
    weft_chan_close(p.in);
    end(&id, 1);
    weft_chan_release(p.in);
    weft_chan_release(p.out);
}

TASK_TEST(channels)
{
    channels_between(0);
    channels_between(3);
}

/* Between plain threads alone. */
static void channels_without_a_run(void **state)
{
    (void)state;
    channels_between(0);
}

static void *wait_for_close(void *arg)
{
    CHECK(weft_chan_recv(arg, NULL) == -EPIPE);
    return NULL;
}

TASK_TEST(close_wakes_all)
{
    pthread_t ids[THREADS];
    struct weft_chan *c = weft_chan_new(0, 0);
    begin(ids, THREADS, wait_for_close, c);
    weft_sleep(WEFT_MS);
    weft_chan_close(c);
    end(ids, THREADS);
    weft_chan_release(c);
}

/* ---- select ---- */

static void *select_some(void *arg)
{
    struct pair *p = arg;
    long v = 0, sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct weft_case cases[] = {WEFT_RECV(p->in, &v), WEFT_SEND(p->out, &sum)};
        int chosen = weft_select(cases, 2, WEFT_FOREVER);
        CHECK(chosen == 0 || chosen == 1);
        sum += chosen == 0 ? v : 0;
    }
    return (void *)sum;
}

TASK_TEST(selects)
{
    struct pair p = {weft_chan_new(sizeof(long), 0), weft_chan_new(sizeof(long), 0)};
    pthread_t id;
    long sum = 0, v, one = 1;
    void *result;
    begin(&id, 1, select_some, &p);
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3) {
            CHECK(weft_chan_send(p.in, &one) == 0);
            sum++;
        } else {
            CHECK(weft_chan_recv(p.out, &v) == 0 && v == sum);
        }
    }
    CHECK(pthread_join(id, &result) == 0 && (long)result == sum);
    weft_chan_release(p.in);
    weft_chan_release(p.out);
}

static void *time_out(void *arg)
{
    struct weft_case cases[] = {WEFT_RECV(arg, NULL)};
    int64_t before = weft_now();
    CHECK(weft_select(cases, 1, 3 * WEFT_MS) == -ETIMEDOUT);
    CHECK(weft_now() - before >= 3 * WEFT_MS);
    CHECK(weft_select(cases, 0, WEFT_MS) == -ETIMEDOUT);
    return NULL;
}

static void timed_selects(void **state)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    pthread_t ids[THREADS];
    (void)state;
    begin(ids, THREADS, time_out, c);
    end(ids, THREADS);
    CHECK(weft_chan_try_send(c, NULL) == -EAGAIN); /* nobody is left in its queue */
    weft_chan_release(c);
}

static void *race_with_time(void *arg)
{
    long got = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct weft_case cases[] = {WEFT_RECV(arg, NULL)};
        int r = weft_select(cases, 1, (1 + i % 20) * 5 * WEFT_US);
        CHECK(r == 0 || r == -ETIMEDOUT);
        got += r == 0;
    }
    return (void *)got;
}

/* No value is lost between the sender and the end of the time. */
TASK_TEST(selects_race_with_time)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    pthread_t id;
    long sent = 0;
    void *got;
    begin(&id, 1, race_with_time, c);
    for (int i = 0; i < ROUNDS; i++) {
        struct weft_case cases[] = {WEFT_SEND(c, NULL)};
        sent += weft_select(cases, 1, (1 + i % 7) * 5 * WEFT_US) == 0;
    }
    CHECK(pthread_join(id, &got) == 0 && (long)got == sent);
    weft_chan_release(c);
}

/* ---- locks and meeting points ---- */

static struct {
    struct weft_mutex mutex;
    struct weft_rwmutex rw;
    struct weft_cond cond;
    struct weft_waitgroup group, go;
    struct weft_sem *sem;
    long count, turn;
} g;

static void use_locks(int i)
{
    weft_mutex_lock(&g.mutex);
    g.count++;
    if (i % 16 == 0)
        weft_yield();
    weft_mutex_unlock(&g.mutex);
    weft_rwmutex_rlock(&g.rw);
    weft_rwmutex_runlock(&g.rw);
    weft_rwmutex_lock(&g.rw);
    g.turn++;
    weft_rwmutex_unlock(&g.rw);
    CHECK(weft_sem_acquire(g.sem, NULL, 1 + i % 2) == 0);
    weft_sem_release(g.sem, 1 + i % 2);
}

static void *thread_uses_locks(void *arg)
{
    weft_waitgroup_wait(arg);
    for (int i = 0; i < ROUNDS; i++)
        use_locks(i);
    weft_waitgroup_done(&g.group);
    return NULL;
}

static void task_uses_locks(void *arg)
{
    thread_uses_locks(arg);
}

TASK_TEST(locks)
{
    pthread_t ids[THREADS];
    g.count = g.turn = 0;
    g.sem = weft_sem_new(2);
    weft_waitgroup_add(&g.go, 1);
    weft_waitgroup_add(&g.group, 2 * THREADS);
    begin(ids, THREADS, thread_uses_locks, &g.go);
    for (int i = 0; i < THREADS; i++)
        CHECK(weft_go(task_uses_locks, &g.go) == 0);
    weft_waitgroup_done(&g.go);
    weft_waitgroup_wait(&g.group);
    CHECK(g.count == 2L * THREADS * ROUNDS && g.turn == g.count);
    end(ids, THREADS);
    weft_sem_free(g.sem);
}

static void *take_turns(void *arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        weft_mutex_lock(&g.mutex);
        while (g.turn != (long)(intptr_t)arg)
            weft_cond_wait(&g.cond, &g.mutex);
        g.turn = !g.turn;
        g.count++;
        weft_cond_broadcast(&g.cond);
        weft_mutex_unlock(&g.mutex);
    }
    return NULL;
}

TASK_TEST(conditions)
{
    pthread_t id;
    g.turn = g.count = 0;
    begin(&id, 1, take_turns, (void *)1);
    take_turns((void *)0);
    end(&id, 1);
    CHECK(g.count == 2 * ROUNDS);
}

static void spawned(void *arg)
{
    weft_waitgroup_done(arg);
}

static void *spawn_and_wait(void *arg)
{
    struct weft_waitgroup wg = {0};
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        weft_waitgroup_add(&wg, 1);
        CHECK(weft_go(spawned, &wg) == 0);
        weft_waitgroup_wait(&wg);
    }
    weft_waitgroup_done(&g.group);
    return NULL;
}

/* A plain thread starts tasks and waits until they have ended. */
TASK_TEST(tasks_of_a_thread)
{
    pthread_t ids[2];
    weft_waitgroup_add(&g.group, 2);
    begin(ids, 2, spawn_and_wait, NULL);
    weft_waitgroup_wait(&g.group);
    end(ids, 2);
}

/* ---- tasks with options ---- */

static void tell_and_wait(void *arg)
{
    struct pair *p = arg;
    long name = strcmp(weft_name(), "small and named");
    CHECK(weft_chan_send(p->out, &name) == 0);
    weft_chan_recv(p->in, NULL);
}

/* A small stack, a name, and a copy of what arg points to. */
TASK_TEST(options)
{
    struct pair p = {weft_chan_new(0, 0), weft_chan_new(sizeof(long), 0)}, gone = p;
    struct weft_task_options o = {
        .name = "small and named", .capture_size = sizeof gone, .small_stack = 1};
    long name;
    for (int i = 0; i < ROUNDS; i++) {
        gone = p;
        CHECK(weft_go_with(&o, tell_and_wait, &gone) == 0);
        memset(&gone, 0, sizeof gone);
        CHECK(weft_chan_recv(p.out, &name) == 0 && name == 0);
    }
    for (int i = 0; i < ROUNDS; i++)
        CHECK(weft_chan_send(p.in, NULL) == 0);
    struct weft_waitgroup wg = {0};
    weft_waitgroup_add(&wg, 1);
    CHECK(weft_go_with(NULL, spawned, &wg) == 0);
    weft_waitgroup_wait(&wg);
    weft_chan_release(p.in);
    weft_chan_release(p.out);
}

/* ---- a wait that outlives the run ---- */

static pthread_t outliving;

static void leave_a_thread(void *arg)
{
    begin(&outliving, 1, wait_for_close, arg);
    weft_sleep(WEFT_MS);
}

static void close_it(void *arg)
{
    weft_chan_close(arg);
}

static void runs_come_and_go(void **state)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    (void)state;
    assert_int_equal(weft_run(leave_a_thread, c), 0);
    assert_int_equal(weft_run(close_it, c), 0);
    end(&outliving, 1);
    weft_chan_release(c);
}

/* ---- sleep ---- */

static _Atomic unsigned looks; /* at the list of threads, for a deadlock */

DIR *opendir(const char *path)
{
    DIR *(*real)(const char *) = (DIR * (*)(const char *)) dlsym(RTLD_NEXT, "opendir");
    looks += strcmp(path, "/proc/self/task") == 0;
    return real(path);
}

enum { VISITS = 300, VISIT_US = 100, LOOK_MS_MIN = 10 };

static void visit(void *arg)
{
    CHECK(weft_chan_send(arg, NULL) == 0);
}

static void *visit_often(void *arg)
{
    for (int i = 0; i < VISITS; i++) {
        usleep(VISIT_US); /* all workers sleep by now */
        CHECK(weft_go(visit, arg) == 0);
        CHECK(weft_chan_recv(arg, NULL) == 0);
    }
    weft_waitgroup_done(&g.group);
    return NULL;
}

/* A look takes long, and a task that comes meanwhile would have to wait. */
TASK_TEST(sleeps_before_a_look)
{
    pthread_t id;
    struct weft_chan *c = weft_chan_new(0, 0);
    unsigned before = looks;
    int64_t since = weft_now();
    weft_waitgroup_add(&g.group, 1);
    begin(&id, 1, visit_often, c);
    weft_waitgroup_wait(&g.group);
    end(&id, 1);
    int64_t most = (weft_now() - since) / (LOOK_MS_MIN * WEFT_MS) + 1;
    CHECK((int64_t)(looks - before) <= most);
    weft_chan_release(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(channels),
        cmocka_unit_test(channels_without_a_run),
        cmocka_unit_test(close_wakes_all),
        cmocka_unit_test(selects),
        cmocka_unit_test(timed_selects),
        cmocka_unit_test(selects_race_with_time),
        cmocka_unit_test(locks),
        cmocka_unit_test(conditions),
        cmocka_unit_test(tasks_of_a_thread),
        cmocka_unit_test(options),
        cmocka_unit_test(runs_come_and_go),
        cmocka_unit_test(sleeps_before_a_look),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
