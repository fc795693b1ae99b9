/*
 * What happens before what: Go's memory model (go.dev/ref/mem, and the sentences of packages sync
 * and context about it), each promise in a test of our own. What is passed on stands in plain
 * variables: ThreadSanitizer tells of an order that is not kept, and a value that is missed fails
 * the check on machines that reorder.
 *
 *   go, before the task begins; a plain thread's too                  go_begins, thread_begins_task
 *   a send, before its receive ends; also by select                   send_receive
 *   a receive, before the send without room ends                      receive_unbuffered
 *   a receive, before a send that has room by it ends                 receive_makes_room
 *   a close, before a receive that it ends                            close_receive
 *   an unlock, before the next lock, also by a try                    unlock_lock
 *   readers before the next writer, a writer before later readers     readers_writers
 *   once and once_value: the function, before any call returns        once_returns
 *   done, before wait returns; members of a group, too                done_wait
 *   what a signal or broadcast follows, before the wait returns       signal_wait
 *   a release, before the acquire that it lets through                release_acquire
 *   a cancel, before it is seen: done, err, functions after it        cancel_is_seen
 *   making a timer's function, before it runs                         timer_function
 *   a store, before its load                                          store_load
 *   a flight's function, before any of its callers returns            flight_returns
 *   what a task did, before a blocking call, and that, before it ends blocking_and_back
 */
#include <pthread.h>
#include <stdbool.h>

#include "runtime/test/check.h"

enum { ROUNDS = 300, TASKS = 4 };

/* What is passed on, with room so that no two lie in a cache line. */
struct word {
    long value;
    char room[120];
};

static struct word words[ROUNDS], answers[ROUNDS];

static void clear_words(void)
{
    memset(words, 0, sizeof words);
    memset(answers, 0, sizeof answers);
}

/* ---- tasks ---- */

static void word_is_there(void *arg)
{
    long i = (long)(intptr_t)arg;
    CHECK(words[i].value == i + 1);
    answers[i].value = i + 2;
}

TASK_TEST(go_begins)
{
    struct weft_waitgroup wg = {0};
    clear_words();
    for (long i = 0; i < ROUNDS; i++) {
        words[i].value = i + 1;
        CHECK(weft_waitgroup_go(&wg, word_is_there, (void *)i) == 0);
    }
    weft_waitgroup_wait(&wg);
    for (long i = 0; i < ROUNDS; i++)
        CHECK(answers[i].value == i + 2);
}

static void *make_tasks(void *arg)
{
    for (long i = 0; i < ROUNDS; i++) {
        words[i].value = i + 1;
        CHECK(weft_waitgroup_go(arg, word_is_there, (void *)i) == 0);
    }
    weft_waitgroup_wait(arg);
    for (long i = 0; i < ROUNDS; i++)
        CHECK(answers[i].value == i + 2);
    return NULL;
}

TASK_TEST(thread_begins_task)
{
    struct weft_waitgroup wg = {0};
    pthread_t thread;
    clear_words();
    CHECK(pthread_create(&thread, NULL, make_tasks, &wg) == 0);
    while (pthread_tryjoin_np(thread, NULL) == EBUSY)
        weft_yield();
}

static void look_at_word(void *arg)
{
    long *word = arg;
    CHECK(*word == 1);
    *word = 2;
}

static void block_with_word(void *arg)
{
    struct word *w = arg;
    w->value = 1;
    CHECK(weft_blocking(look_at_word, &w->value) == 0);
    CHECK(w->value == 2);
}

TASK_TEST(blocking_and_back)
{
    struct weft_waitgroup wg = {0};
    for (long i = 0; i < ROUNDS / 4; i++)
        CHECK(weft_waitgroup_go(&wg, block_with_word, &words[i]) == 0);
    weft_waitgroup_wait(&wg);
}

/* ---- channels ---- */

struct passing {
    struct weft_chan *chan, *other;
    bool selects;
};

static void pass_words(void *arg)
{
    struct passing *p = arg;
    for (long i = 0; i < ROUNDS; i++) {
        words[i].value = i + 1;
        if (p->selects) {
            struct weft_case cases[] = {WEFT_RECV(p->other, NULL), WEFT_SEND(p->chan, &i)};
            CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1);
        } else {
            CHECK(weft_chan_send(p->chan, &i) == 0);
        }
    }
}

static void take_words(struct passing *p, bool selects)
{
    for (long n = 0; n < ROUNDS; n++) {
        long i;
        struct weft_case cases[] = {WEFT_RECV(p->chan, &i), WEFT_RECV(p->other, NULL)};
        if (selects)
            CHECK(weft_select(cases, 2, WEFT_FOREVER) == 0);
        else
            CHECK(weft_chan_recv(p->chan, &i) == 0);
        CHECK(i == n && words[i].value == i + 1);
        words[i].value = 0; /* it is ours now */
    }
}

TASK_TEST(send_receive)
{
    for (int kind = 0; kind < 12; kind++) {
        struct passing p = {weft_chan_new(sizeof(long), (size_t)(kind / 4) * 8),
                            weft_chan_new(0, 0), kind % 2};
        struct weft_waitgroup wg = {0};
        clear_words();
        CHECK(weft_waitgroup_go(&wg, pass_words, &p) == 0);
        take_words(&p, kind / 2 % 2);
        weft_waitgroup_wait(&wg);
        weft_chan_release(p.chan);
        weft_chan_release(p.other);
    }
}

static void write_and_receive(void *arg)
{
    for (long i = 0; i < ROUNDS; i++) {
        words[i].value = i + 1;
        CHECK(weft_chan_recv(arg, NULL) == 0);
    }
}

TASK_TEST(receive_unbuffered)
{
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_waitgroup wg = {0};
    clear_words();
    CHECK(weft_waitgroup_go(&wg, write_and_receive, c) == 0);
    for (long i = 0; i < ROUNDS; i++) {
        CHECK(weft_chan_send(c, NULL) == 0);
        CHECK(words[i].value == i + 1);
    }
    weft_waitgroup_wait(&wg);
    weft_chan_release(c);
}

/* A channel as a limit: who has sent is one of two at most. With one place it is a lock. */
struct limited {
    struct weft_chan *places;
    long inside[2];
};

static void enter_and_leave(void *arg)
{
    struct limited *l = arg;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(weft_chan_send(l->places, NULL) == 0);
        l->inside[0]++;
        weft_yield();
        l->inside[1]++;
        CHECK(l->inside[0] == l->inside[1]);
        CHECK(weft_chan_recv(l->places, NULL) == 0);
    }
}

TASK_TEST(receive_makes_room)
{
    struct limited l = {.places = weft_chan_new(0, 1)};
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&wg, enter_and_leave, &l) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(l.inside[0] == TASKS * ROUNDS);
    weft_chan_release(l.places);
}

static struct word before_close;

static void await_close(void *arg)
{
    struct weft_case cases[] = {WEFT_RECV(NULL, NULL), WEFT_RECV(arg, NULL)};
    if (weft_id() % 2)
        CHECK(weft_chan_recv(arg, NULL) == -EPIPE);
    else
        CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1 && !cases[1].ok);
    CHECK(before_close.value == 7);
}

TASK_TEST(close_receive)
{
    for (int round = 0; round < ROUNDS / TASKS; round++) {
        struct weft_chan *c = weft_chan_new(0, 0);
        struct weft_waitgroup wg = {0};
        before_close.value = 0;
        for (int i = 0; i < TASKS; i++)
            CHECK(weft_waitgroup_go(&wg, await_close, c) == 0);
        if (round % 2)
            weft_yield();
        before_close.value = 7;
        weft_chan_close(c);
        weft_waitgroup_wait(&wg);
        weft_chan_release(c);
    }
}

/* ---- locks and meeting points ---- */

static struct weft_mutex mutex;
static struct weft_rwmutex rw;
static struct word guarded[2];

static void count_locked(void *arg)
{
    for (long i = 0; i < ROUNDS; i++) {
        if ((i + (long)(intptr_t)arg) % 2)
            weft_mutex_lock(&mutex);
        else
            while (weft_mutex_try_lock(&mutex) != 0)
                weft_yield();
        CHECK(guarded[0].value++ == guarded[1].value++);
        weft_mutex_unlock(&mutex);
    }
}

static void run_tasks(void (*fn)(void *))
{
    struct weft_waitgroup wg = {0};
    memset(guarded, 0, sizeof guarded);
    for (long i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&wg, fn, (void *)i) == 0);
    weft_waitgroup_wait(&wg);
}

TASK_TEST(unlock_lock)
{
    run_tasks(count_locked);
    CHECK(guarded[0].value == TASKS * ROUNDS);
}

static void read_and_write(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 3) {
            weft_rwmutex_rlock(&rw);
            CHECK(guarded[0].value == guarded[1].value);
            weft_rwmutex_runlock(&rw);
        } else {
            weft_rwmutex_lock(&rw);
            guarded[0].value++;
            guarded[1].value++;
            weft_rwmutex_unlock(&rw);
            weft_yield(); /* the next reader need not have met a later leave */
        }
        /* Not after a writer: its own leaving as a reader would do for it. */
        if (i % 3 == 1 && weft_rwmutex_try_rlock(&rw) == 0) {
            CHECK(guarded[0].value == guarded[1].value);
            weft_rwmutex_runlock(&rw);
        }
    }
}

TASK_TEST(readers_writers)
{
    run_tasks(read_and_write);
    CHECK(guarded[0].value == TASKS * ROUNDS / 3);
}

struct first {
    struct weft_once once;
    struct weft_once_value value;
    struct word done;
};

static void do_first(void *arg)
{
    struct word *w = arg;
    weft_yield();
    w->value = 9;
}

static void *make_first(void *arg)
{
    struct word *w = arg;
    weft_yield();
    w->room[0] = 3;
    return w;
}

static void want_first(void *arg)
{
    struct first *f = arg;
    weft_once_do(&f->once, do_first, &f->done);
    CHECK(f->done.value == 9);
    struct word *w = weft_once_value(&f->value, make_first, &f->done);
    CHECK(w->room[0] == 3);
}

TASK_TEST(once_returns)
{
    for (int round = 0; round < ROUNDS / TASKS; round++) {
        struct first f = {0};
        struct weft_waitgroup wg = {0};
        for (int i = 0; i < TASKS; i++)
            CHECK(weft_waitgroup_go(&wg, want_first, &f) == 0);
        weft_waitgroup_wait(&wg);
    }
}

static int leave_an_answer(void *arg)
{
    answers[(long)(intptr_t)arg].value = 5;
    return 0;
}

static void leave_an_answer_plainly(void *arg)
{
    leave_an_answer(arg);
}

TASK_TEST(done_wait)
{
    for (long i = 0; i + 1 < ROUNDS; i += 2) {
        struct weft_waitgroup wg = {0};
        struct weft_group group = {0};
        answers[i].value = answers[i + 1].value = 0;
        CHECK(weft_waitgroup_go(&wg, leave_an_answer_plainly, (void *)i) == 0);
        CHECK(weft_group_go(&group, leave_an_answer, (void *)(i + 1)) == 0);
        weft_waitgroup_wait(&wg);
        CHECK(answers[i].value == 5);
        CHECK(weft_group_wait(&group) == 0);
        CHECK(answers[i + 1].value == 5);
    }
}

static struct {
    struct weft_mutex mutex;
    struct weft_cond cond;
    int waiting;
    long told;
} meeting;

static void await_signal(void *arg)
{
    (void)arg;
    weft_mutex_lock(&meeting.mutex);
    meeting.waiting++;
    weft_cond_wait(&meeting.cond, &meeting.mutex);
    CHECK(meeting.told == 1);
    weft_mutex_unlock(&meeting.mutex);
}

/* The word is written when the mutex has been given up: what it is seen by is the signal. */
TASK_TEST(signal_wait)
{
    for (int round = 0; round < ROUNDS / TASKS; round++) {
        struct weft_waitgroup wg = {0};
        bool all = false;
        meeting.waiting = 0;
        meeting.told = 0;
        for (int i = 0; i < TASKS; i++)
            CHECK(weft_waitgroup_go(&wg, await_signal, NULL) == 0);
        while (!all) {
            weft_yield();
            weft_mutex_lock(&meeting.mutex);
            all = meeting.waiting == TASKS;
            weft_mutex_unlock(&meeting.mutex);
        }
        meeting.told = 1;
        for (int i = 0; i < TASKS && round % 2; i++)
            weft_cond_signal(&meeting.cond);
        weft_cond_broadcast(&meeting.cond);
        weft_waitgroup_wait(&wg);
    }
}

static struct weft_sem *sem;

static void count_with_sem(void *arg)
{
    for (long i = 0; i < ROUNDS; i++) {
        if ((i + (long)(intptr_t)arg) % 2)
            CHECK(weft_sem_acquire(sem, NULL, 2) == 0);
        else
            while (weft_sem_try_acquire(sem, 2) != 0)
                weft_yield();
        CHECK(guarded[0].value++ == guarded[1].value++);
        weft_sem_release(sem, 2);
    }
}

TASK_TEST(release_acquire)
{
    sem = weft_sem_new(3);
    run_tasks(count_with_sem);
    CHECK(guarded[0].value == TASKS * ROUNDS);
    weft_sem_free(sem);
}

/* ---- contexts and timers ---- */

static void await_cancel(void *arg)
{
    struct weft_ctx *ctx = arg;
    if (weft_id() % 2)
        CHECK(weft_chan_recv(weft_ctx_done(ctx), NULL) == -EPIPE);
    while (weft_ctx_err(ctx) == 0)
        weft_yield();
    CHECK(before_close.value == 11);
}

static void after_cancel(void *arg)
{
    CHECK(before_close.value == 11);
    weft_waitgroup_done(arg);
}

TASK_TEST(cancel_is_seen)
{
    for (int round = 0; round < ROUNDS / TASKS; round++) {
        struct weft_ctx *ctx = weft_ctx_with_cancel(NULL), *child = weft_ctx_with_cancel(ctx);
        struct weft_waitgroup wg = {0};
        before_close.value = 0;
        weft_waitgroup_add(&wg, 1);
        struct weft_ctx_func *func = weft_ctx_after_func(child, after_cancel, &wg);
        for (int i = 0; i < TASKS; i++)
            CHECK(weft_waitgroup_go(&wg, await_cancel, i % 2 ? child : ctx) == 0);
        if (round % 2)
            weft_yield();
        before_close.value = 11;
        weft_ctx_cancel(ctx);
        weft_waitgroup_wait(&wg);
        CHECK(weft_ctx_func_stop(func) == 0);
        weft_ctx_release(child);
        weft_ctx_release(ctx);
    }
}

struct alarm {
    struct weft_waitgroup wg;
    long words[2];
};

static void goes_off(void *arg)
{
    struct alarm *a = arg;
    CHECK(a->words[0] == 1);
    a->words[1] = 2;
    weft_waitgroup_done(&a->wg);
}

TASK_TEST(timer_function)
{
    for (int i = 0; i < ROUNDS / 3; i++) {
        struct alarm a = {.words = {1, 0}};
        weft_waitgroup_add(&a.wg, 1);
        struct weft_timer *t = weft_timer_func(i % 3 * 20 * WEFT_US, goes_off, &a);
        weft_waitgroup_wait(&a.wg);
        CHECK(a.words[1] == 2);
        weft_timer_free(t);
    }
}

/* ---- what tasks share ---- */

static struct weft_cmap *map;
static const long newest = -1; /* the key of the word that was stored last */

static void store_words(void *arg)
{
    (void)arg;
    for (long i = 0; i < ROUNDS; i++) {
        struct word *w = &words[i];
        w->value = i + 1;
        CHECK(weft_cmap_store(map, &i, &w) == 0);
        CHECK(weft_cmap_store(map, &newest, &w) == 0);
    }
}

TASK_TEST(store_load)
{
    struct weft_cmap_options options = {.key_size = sizeof(long), .value_size = sizeof(void *)};
    struct weft_waitgroup wg = {0};
    clear_words();
    map = weft_cmap_new(&options);
    CHECK(weft_waitgroup_go(&wg, store_words, NULL) == 0);
    for (long i = 0; i < ROUNDS; i++) {
        struct word *w;
        while (weft_cmap_load(map, &i, &w) != 0)
            weft_yield();
        CHECK(w->value == i + 1);
        CHECK(weft_cmap_load(map, &newest, &w) != 0 || w->value == w - words + 1);
    }
    weft_waitgroup_wait(&wg);
    weft_cmap_free(map);
}

static struct weft_flight *flight;

static int fly(void *arg, void *result)
{
    struct word **words_of = arg, **made = result;
    weft_yield();
    (*words_of)->value = 4;
    *made = *words_of;
    return 0;
}

static void join_flight(void *arg)
{
    struct word *w = arg, *got = NULL;
    CHECK(weft_flight_do_ctx(flight, NULL, "key", fly, &w, sizeof w, &got, NULL) == 0);
    CHECK(got->value == 4);
}

TASK_TEST(flight_returns)
{
    struct weft_flight_options options = {.value_size = sizeof(void *)};
    flight = weft_flight_new(&options);
    for (int round = 0; round < ROUNDS / TASKS; round++) {
        struct weft_waitgroup wg = {0};
        struct word mine[TASKS] = {0};
        for (int i = 0; i < TASKS; i++)
            CHECK(weft_waitgroup_go(&wg, join_flight, &mine[i]) == 0);
        weft_waitgroup_wait(&wg);
    }
    weft_flight_free(flight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(go_begins),          cmocka_unit_test(thread_begins_task),
        cmocka_unit_test(blocking_and_back),  cmocka_unit_test(send_receive),
        cmocka_unit_test(receive_unbuffered), cmocka_unit_test(receive_makes_room),
        cmocka_unit_test(close_receive),      cmocka_unit_test(unlock_lock),
        cmocka_unit_test(readers_writers),    cmocka_unit_test(once_returns),
        cmocka_unit_test(done_wait),          cmocka_unit_test(signal_wait),
        cmocka_unit_test(release_acquire),    cmocka_unit_test(cancel_is_seen),
        cmocka_unit_test(timer_function),     cmocka_unit_test(store_load),
        cmocka_unit_test(flight_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
