/*
 * What Go promises of conditions (sync.Cond, its documentation and cond_test), each in a test of
 * our own.
 *
 *   signal wakes one, and only when there is one                         signal_wakes_one
 *   signals wake in the order of the waits                               signals_in_order
 *   broadcast wakes all, each once                                       broadcast_wakes_all
 *   a signal is not lost to who began to wait later                      signal_is_not_stolen
 *   three tasks take turns by one condition                              turns
 *   wait gives the mutex up and has it on return                         signal_wakes_one
 *   a wait without the mutex stops the program                           deaths
 */
#include <stdbool.h>

#include "runtime/test/death.h"

struct waiting {
    struct weft_mutex mutex;
    struct weft_cond cond;
    struct weft_chan *running, *awake;
    bool exit;
    _Atomic int64_t next;
};

static void wait_once(void *arg)
{
    struct waiting *w = arg;
    int64_t me = w->next++;
    weft_mutex_lock(&w->mutex);
    CHECK(weft_chan_send(w->running, NULL) == 0);
    weft_cond_wait(&w->cond, &w->mutex);
    CHECK(weft_mutex_try_lock(&w->mutex) == -EBUSY);
    CHECK(weft_chan_send(w->awake, &me) == 0);
    weft_mutex_unlock(&w->mutex);
}

static struct waiting new_waiting(size_t n)
{
    return (struct waiting){.running = weft_chan_new(0, n),
                            .awake = weft_chan_new(sizeof(int64_t), n)};
}

static void drop(struct waiting *w)
{
    await_ends();
    weft_mutex_lock(&w->mutex); /* after the last one's unlock */
    weft_chan_release(w->running);
    weft_chan_release(w->awake);
}

static void signal_locked(struct waiting *w)
{
    weft_mutex_lock(&w->mutex);
    weft_cond_signal(&w->cond);
    weft_mutex_unlock(&w->mutex);
}

TASK_TEST(signal_wakes_one)
{
    enum { N = 3 };
    struct waiting w = new_waiting(N);
    int64_t who;
    weft_cond_signal(&w.cond); /* for nobody */
    for (int i = 0; i < N; i++)
        CHECK(weft_go(wait_once, &w) == 0);
    for (int i = 0; i < N; i++)
        CHECK(weft_chan_recv(w.running, NULL) == 0);
    for (int i = 0; i < N; i++) {
        CHECK(weft_chan_try_recv(w.awake, &who) == -EAGAIN);
        signal_locked(&w);
        CHECK(weft_chan_recv(w.awake, &who) == 0);
        CHECK(weft_chan_try_recv(w.awake, &who) == -EAGAIN);
    }
    weft_cond_signal(&w.cond);
    drop(&w);
}

TASK_TEST(signals_in_order)
{
    enum { N = 50 };
    struct waiting w = new_waiting(N);
    int64_t who;
    for (int64_t i = 0; i < N; i++) {
        CHECK(weft_go(wait_once, &w) == 0);
        CHECK(weft_chan_recv(w.running, NULL) == 0);
    }
    for (int64_t i = 0; i < N; i++) {
        signal_locked(&w);
        CHECK(weft_chan_recv(w.awake, &who) == 0 && who == i);
        for (int k = 0; k < 5; k++)
            weft_yield();
        CHECK(weft_chan_try_recv(w.awake, &who) == -EAGAIN); /* and nobody else */
    }
    drop(&w);
}

static void wait_until_exit(void *arg)
{
    struct waiting *w = arg;
    int64_t me = w->next++;
    weft_mutex_lock(&w->mutex);
    while (!w->exit) {
        CHECK(weft_chan_send(w->running, NULL) == 0);
        weft_cond_wait(&w->cond, &w->mutex);
        CHECK(weft_chan_send(w->awake, &me) == 0);
    }
    weft_mutex_unlock(&w->mutex);
}

TASK_TEST(broadcast_wakes_all)
{
    enum { N = 40 };
    struct waiting w = new_waiting(N);
    for (int i = 0; i < N; i++)
        CHECK(weft_go(wait_until_exit, &w) == 0);
    for (int round = 0; round < N; round++) {
        bool seen[N] = {false};
        int64_t who;
        for (int i = 0; i < N; i++)
            CHECK(weft_chan_recv(w.running, NULL) == 0);
        CHECK(weft_chan_try_recv(w.awake, &who) == -EAGAIN);
        weft_mutex_lock(&w.mutex);
        w.exit = round == N - 1;
        weft_cond_broadcast(&w.cond);
        weft_mutex_unlock(&w.mutex);
        for (int i = 0; i < N; i++) {
            CHECK(weft_chan_recv(w.awake, &who) == 0 && !seen[who]);
            seen[who] = true;
        }
    }
    CHECK(weft_chan_try_recv(w.running, NULL) == -EAGAIN);
    weft_cond_broadcast(&w.cond);
    drop(&w);
}

static void broadcast(void *arg)
{
    weft_cond_broadcast(&((struct waiting *)arg)->cond);
}

static void wait_late(void *arg)
{
    struct waiting *w = arg;
    weft_mutex_lock(&w->mutex);
    while (!w->exit)
        weft_cond_wait(&w->cond, &w->mutex);
    weft_mutex_unlock(&w->mutex);
}

TASK_TEST(signal_is_not_stolen)
{
    for (int i = 0; i < 200; i++) {
        struct waiting w = new_waiting(1);
        int64_t who;
        CHECK(weft_go(wait_once, &w) == 0);
        CHECK(weft_chan_recv(w.running, NULL) == 0);
        weft_mutex_lock(&w.mutex); /* so the first waits now */
        weft_mutex_unlock(&w.mutex);
        CHECK(weft_go(broadcast, &w) == 0 && weft_go(wait_late, &w) == 0);
        CHECK(weft_chan_recv(w.awake, &who) == 0);
        weft_mutex_lock(&w.mutex);
        w.exit = true;
        weft_mutex_unlock(&w.mutex);
        weft_cond_broadcast(&w.cond);
        drop(&w);
    }
}

struct taken_turns {
    struct weft_mutex mutex;
    struct weft_cond cond;
    struct weft_waitgroup wg;
    int turn;
    _Atomic int next;
};

static void take_turns(void *arg)
{
    struct taken_turns *t = arg;
    int me = t->next++;
    for (int i = 0; i < 100; i++) {
        weft_mutex_lock(&t->mutex);
        while (t->turn % 3 != me)
            weft_cond_wait(&t->cond, &t->mutex);
        t->turn++;
        weft_cond_broadcast(&t->cond);
        weft_mutex_unlock(&t->mutex);
    }
}

TASK_TEST(turns)
{
    struct taken_turns t = {.turn = 0};
    for (int i = 0; i < 3; i++)
        CHECK(weft_waitgroup_go(&t.wg, take_turns, &t) == 0);
    weft_waitgroup_wait(&t.wg);
    CHECK(t.turn == 300);
}

static void cond_without_mutex(void *arg)
{
    (void)arg;
    struct weft_cond cond = {0};
    struct weft_mutex m = {0};
    weft_cond_wait(&cond, &m);
}

static const struct death all_deaths[] = {
    {cond_without_mutex, "weft: unlock of unlocked mutex"},
};

static void deaths(void **state)
{
    (void)state;
    check_death(all_deaths, 0);
}

int main(int argc, char **argv)
{
    death_main(argc, argv, all_deaths);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signal_wakes_one),
        cmocka_unit_test(signals_in_order),
        cmocka_unit_test(broadcast_wakes_all),
        cmocka_unit_test(signal_is_not_stolen),
        cmocka_unit_test(turns),
        cmocka_unit_test(deaths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
