/*
 * What Go promises of package sync (its documentation and tests), each in a test of our own; ideas
 * of neco's test_sync as well. Conditions: go_cond.c.
 *
 *   a mutex excludes; try never waits and fails when it is held          mutex, mutex_hammered
 *   whoever waits gets it, however greedy the others                     mutex_is_fair
 *   it may be unlocked by another task                                   mutex_handed_on
 *   many readers are inside at once                                      parallel_readers
 *   readers and writers exclude each other; tries                        rwmutex, rwmutex_hammered
 *   a waiting writer keeps later readers out, and gets in                writer_is_next
 *   once: one call, and the others return after it                       once
 *   a wait group waits for all, may be used again, and has many waiters  waitgroup,
 *                                                                        waitgroup_again
 *   no wait ends too early                                               waitgroup_race
 *   unlock of what is not locked, a negative group stop the program      deaths
 */
#include <stdbool.h>

#include "runtime/test/death.h"

TASK_TEST(mutex)
{
    struct weft_mutex m = {0};
    weft_mutex_lock(&m);
    CHECK(weft_mutex_try_lock(&m) == -EBUSY);
    weft_mutex_unlock(&m);
    CHECK(weft_mutex_try_lock(&m) == 0);
    CHECK(weft_mutex_try_lock(&m) == -EBUSY);
    weft_mutex_unlock(&m);
}

struct hammered {
    struct weft_mutex mutex;
    struct weft_rwmutex rw;
    struct weft_waitgroup wg;
    int inside;
    _Atomic int readers, writers;
};

static void hammer(void *arg)
{
    struct hammered *h = arg;
    for (int i = 0; i < 1000; i++) {
        if (i % 3 == 0 && weft_mutex_try_lock(&h->mutex) != 0)
            continue;
        if (i % 3 != 0)
            weft_mutex_lock(&h->mutex);
        CHECK(h->inside++ == 0);
        if (i % 50 == 0)
            weft_yield();
        CHECK(--h->inside == 0);
        weft_mutex_unlock(&h->mutex);
    }
}

TASK_TEST(mutex_hammered)
{
    struct hammered h = {.inside = 0};
    for (int i = 0; i < 10; i++)
        CHECK(weft_waitgroup_go(&h.wg, hammer, &h) == 0);
    weft_waitgroup_wait(&h.wg);
    CHECK(weft_mutex_try_lock(&h.mutex) == 0);
}

struct greedy {
    struct weft_mutex mutex;
    struct weft_waitgroup wg;
    _Atomic bool stop;
};

static void hog(void *arg)
{
    struct greedy *g = arg;
    while (!g->stop) {
        weft_mutex_lock(&g->mutex);
        weft_sleep(100 * WEFT_US);
        weft_mutex_unlock(&g->mutex);
    }
}

TASK_TEST(mutex_is_fair)
{
    struct greedy g = {.stop = false};
    CHECK(weft_waitgroup_go(&g.wg, hog, &g) == 0);
    for (int i = 0; i < 10; i++) {
        weft_sleep(100 * WEFT_US);
        weft_mutex_lock(&g.mutex);
        weft_mutex_unlock(&g.mutex);
    }
    g.stop = true;
    weft_waitgroup_wait(&g.wg);
}

static void unlock_it(void *arg)
{
    weft_mutex_unlock(arg);
}

TASK_TEST(mutex_handed_on)
{
    struct weft_mutex m = {0};
    weft_mutex_lock(&m);
    CHECK(weft_go(unlock_it, &m) == 0);
    weft_mutex_lock(&m);
    CHECK(weft_mutex_try_lock(&m) == -EBUSY);
    weft_mutex_unlock(&m);
}

/* ---- readers and writers ---- */

struct readers {
    struct weft_rwmutex rw;
    struct weft_chan *locked, *unlock;
    struct weft_waitgroup wg;
};

static void read_long(void *arg)
{
    struct readers *r = arg;
    weft_rwmutex_rlock(&r->rw);
    CHECK(weft_chan_send(r->locked, NULL) == 0);
    CHECK(weft_chan_recv(r->unlock, NULL) == 0);
    weft_rwmutex_runlock(&r->rw);
}

TASK_TEST(parallel_readers)
{
    for (int n = 1; n <= 5; n++) {
        struct readers r = {.locked = weft_chan_new(0, 0), .unlock = weft_chan_new(0, 0)};
        for (int i = 0; i < n; i++)
            CHECK(weft_waitgroup_go(&r.wg, read_long, &r) == 0);
        for (int i = 0; i < n; i++)
            CHECK(weft_chan_recv(r.locked, NULL) == 0);
        CHECK(weft_rwmutex_try_lock(&r.rw) == -EBUSY);
        for (int i = 0; i < n; i++)
            CHECK(weft_chan_send(r.unlock, NULL) == 0);
        weft_waitgroup_wait(&r.wg);
        CHECK(weft_rwmutex_try_lock(&r.rw) == 0);
        weft_chan_release(r.locked);
        weft_chan_release(r.unlock);
    }
}

TASK_TEST(rwmutex)
{
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    CHECK(weft_rwmutex_try_lock(&m) == -EBUSY && weft_rwmutex_try_rlock(&m) == -EBUSY);
    weft_rwmutex_unlock(&m);
    CHECK(weft_rwmutex_try_lock(&m) == 0);
    weft_rwmutex_unlock(&m);
    CHECK(weft_rwmutex_try_rlock(&m) == 0 && weft_rwmutex_try_rlock(&m) == 0);
    CHECK(weft_rwmutex_try_lock(&m) == -EBUSY);
    weft_rwmutex_runlock(&m);
    CHECK(weft_rwmutex_try_lock(&m) == -EBUSY);
    weft_rwmutex_runlock(&m);
    CHECK(weft_rwmutex_try_lock(&m) == 0);
}

static void read_some(void *arg)
{
    struct hammered *h = arg;
    for (int i = 0; i < 200; i++) {
        weft_rwmutex_rlock(&h->rw);
        h->readers++;
        if (i % 20 == 0)
            weft_yield();
        CHECK(h->writers == 0);
        h->readers--;
        weft_rwmutex_runlock(&h->rw);
    }
}

static void write_some(void *arg)
{
    struct hammered *h = arg;
    for (int i = 0; i < 200; i++) {
        weft_rwmutex_lock(&h->rw);
        CHECK(h->writers++ == 0 && h->readers == 0);
        if (i % 20 == 0)
            weft_yield();
        CHECK(h->writers-- == 1 && h->readers == 0);
        weft_rwmutex_unlock(&h->rw);
    }
}

TASK_TEST(rwmutex_hammered)
{
    static const int readers[] = {1, 3, 10};
    for (int k = 0; k < 3; k++) {
        struct hammered h = {.inside = 0};
        CHECK(weft_waitgroup_go(&h.wg, write_some, &h) == 0);
        for (int i = 0; i < readers[k]; i++) {
            CHECK(weft_waitgroup_go(&h.wg, read_some, &h) == 0);
            if (i == readers[k] / 2)
                CHECK(weft_waitgroup_go(&h.wg, write_some, &h) == 0);
        }
        weft_waitgroup_wait(&h.wg);
        CHECK(weft_rwmutex_try_lock(&h.rw) == 0);
    }
}

struct queue {
    struct weft_rwmutex rw;
    struct weft_waitgroup wg;
    _Atomic int next;
    int writer, reader;
};

static void write_once(void *arg)
{
    struct queue *q = arg;
    weft_rwmutex_lock(&q->rw);
    q->writer = ++q->next;
    weft_rwmutex_unlock(&q->rw);
}

static void read_once(void *arg)
{
    struct queue *q = arg;
    weft_rwmutex_rlock(&q->rw);
    q->reader = ++q->next;
    weft_rwmutex_runlock(&q->rw);
}

TASK_TEST(writer_is_next)
{
    for (int i = 0; i < 50; i++) {
        struct queue q = {.writer = 0};
        weft_rwmutex_rlock(&q.rw);
        CHECK(weft_waitgroup_go(&q.wg, write_once, &q) == 0);
        await_waiting(1);
        CHECK(weft_rwmutex_try_rlock(&q.rw) == -EBUSY);
        CHECK(weft_waitgroup_go(&q.wg, read_once, &q) == 0);
        await_waiting(2);
        weft_rwmutex_runlock(&q.rw);
        weft_waitgroup_wait(&q.wg);
        CHECK(q.writer == 1 && q.reader == 2);
    }
}

/* ---- once, wait groups ---- */

struct once {
    struct weft_once once;
    struct weft_waitgroup wg;
    int calls;
};

static void increment(void *arg)
{
    struct once *o = arg;
    for (int i = 0; i < 5; i++)
        weft_yield();
    o->calls++;
}

static void do_once(void *arg)
{
    struct once *o = arg;
    weft_once_do(&o->once, increment, o);
    CHECK(o->calls == 1);
}

TASK_TEST(once)
{
    for (int i = 0; i < 50; i++) {
        struct once o = {.calls = 0};
        for (int k = 0; k < 10; k++)
            CHECK(weft_waitgroup_go(&o.wg, do_once, &o) == 0);
        weft_waitgroup_wait(&o.wg);
        CHECK(o.calls == 1);
    }
}

enum { MEMBERS = 16 };

struct barrier {
    struct weft_waitgroup first, second;
    struct weft_chan *exited;
};

static void pass_barrier(void *arg)
{
    struct barrier *b = arg;
    weft_waitgroup_done(&b->first);
    weft_waitgroup_wait(&b->second);
    CHECK(weft_chan_send(b->exited, NULL) == 0);
}

TASK_TEST(waitgroup)
{
    struct barrier b = {.exited = weft_chan_new(0, MEMBERS)};
    for (int round = 0; round < 8; round++) {
        weft_waitgroup_add(&b.first, MEMBERS);
        weft_waitgroup_add(&b.second, MEMBERS);
        for (int i = 0; i < MEMBERS; i++)
            CHECK(weft_go(pass_barrier, &b) == 0);
        weft_waitgroup_wait(&b.first);
        for (int i = 0; i < MEMBERS; i++) {
            CHECK(weft_chan_try_recv(b.exited, NULL) == -EAGAIN);
            weft_waitgroup_done(&b.second);
        }
        for (int i = 0; i < MEMBERS; i++)
            CHECK(weft_chan_recv(b.exited, NULL) == 0);
    }
    weft_chan_release(b.exited);
}

static void add_one(void *arg)
{
    ++*(_Atomic int *)arg;
}

TASK_TEST(waitgroup_race)
{
    for (int i = 0; i < 1000; i++) {
        _Atomic int n = 0;
        struct weft_waitgroup wg = {0};
        CHECK(weft_waitgroup_go(&wg, add_one, &n) == 0);
        CHECK(weft_waitgroup_go(&wg, add_one, &n) == 0);
        weft_waitgroup_wait(&wg);
        CHECK(n == 2);
    }
}

TASK_TEST(waitgroup_again)
{
    struct weft_waitgroup wg = {0};
    _Atomic int n = 0;
    weft_waitgroup_wait(&wg);
    for (int i = 1; i <= 100; i++) {
        CHECK(weft_waitgroup_go(&wg, add_one, &n) == 0);
        weft_waitgroup_wait(&wg);
        weft_waitgroup_wait(&wg);
        CHECK(n == i);
    }
}

/* ---- deaths ---- */

static void unlock_twice(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    weft_mutex_lock(&m);
    weft_mutex_unlock(&m);
    weft_mutex_unlock(&m);
}

static void unlock_of_readers(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_rlock(&m);
    weft_rwmutex_unlock(&m);
}

static void rw_unlock_twice(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    weft_rwmutex_unlock(&m);
    weft_rwmutex_unlock(&m);
}

static void runlock_of_writer(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    weft_rwmutex_runlock(&m);
}

static void runlock_twice(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_rlock(&m);
    weft_rwmutex_runlock(&m);
    weft_rwmutex_runlock(&m);
}

static void done_twice(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    weft_waitgroup_add(&wg, 1);
    weft_waitgroup_done(&wg);
    weft_waitgroup_done(&wg);
}

static const struct death all_deaths[] = {
    {unlock_twice, "weft: unlock of unlocked mutex"},
    {unlock_of_readers, "weft: unlock of unlocked rwmutex"},
    {rw_unlock_twice, "weft: unlock of unlocked rwmutex"},
    {runlock_of_writer, "weft: runlock of rwmutex that is not read-locked"},
    {runlock_twice, "weft: runlock of rwmutex that is not read-locked"},
    {done_twice, "weft: negative waitgroup count"},
};

static void deaths(void **state)
{
    (void)state;
    for (int i = 0; i < (int)(sizeof all_deaths / sizeof *all_deaths); i++)
        check_death(all_deaths, i);
}

int main(int argc, char **argv)
{
    death_main(argc, argv, all_deaths);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mutex),
        cmocka_unit_test(mutex_hammered),
        cmocka_unit_test(mutex_is_fair),
        cmocka_unit_test(mutex_handed_on),
        cmocka_unit_test(parallel_readers),
        cmocka_unit_test(rwmutex),
        cmocka_unit_test(rwmutex_hammered),
        cmocka_unit_test(writer_is_next),
        cmocka_unit_test(once),
        cmocka_unit_test(waitgroup),
        cmocka_unit_test(waitgroup_again),
        cmocka_unit_test(waitgroup_race),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
