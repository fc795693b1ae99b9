/* Tasks: spawn, captures, stacks, runs that follow each other, threads that are not ours. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "runtime/test/check.h"

#if defined(__SANITIZE_THREAD__)
enum { PARKED = 1000, MANY = 2000 }; /* the sanitizer's limit is 8,128 at once */
#elif defined(__SANITIZE_ADDRESS__)
enum { PARKED = 3000, MANY = 20000 }; /* each stack is searched at the end */
#else
enum { PARKED = 100000, MANY = 50000 };
#endif

static _Atomic long count;

static void add_one(void *arg)
{
    (void)arg;
    count++;
}

static void wait_for_count(long n)
{
    while (count < n)
        weft_yield();
}

TASK_TEST(each_task_runs_once)
{
    count = 0;
    for (int i = 0; i < MANY; i++)
        CHECK(weft_go(add_one, NULL) == 0);
    wait_for_count(MANY);
    for (int i = 0; i < 100; i++)
        weft_yield();
    CHECK(count == MANY);
}

static void receive_one(void *arg)
{
    weft_chan_recv(arg, NULL);
    count++;
}

TASK_TEST(very_many_parked)
{
    count = 0;
    struct weft_chan *c = weft_chan_new(0, 0);
    for (int i = 0; i < PARKED; i++)
        CHECK(weft_go(receive_one, c) == 0);
    for (int i = 0; i < PARKED; i++)
        weft_chan_send(c, NULL);
    wait_for_count(PARKED);
    weft_chan_release(c);
}

struct capture {
    char bytes[100];
    int number;
};

static void check_capture(void *arg)
{
    struct capture *c = arg;
    CHECK((uintptr_t)arg % 16 == 0);
    weft_yield();
    for (size_t i = 0; i < sizeof c->bytes; i++)
        CHECK(c->bytes[i] == (char)c->number);
    count++;
}

static void check_small(void *arg)
{
    CHECK((uintptr_t)arg % 16 == 0);
    weft_yield();
    count += *(int *)arg;
}

TASK_TEST(captures_are_copied)
{
    count = 0;
    for (int i = 0; i < 100; i++) {
        struct capture c = {.number = i};
        memset(c.bytes, i, sizeof c.bytes);
        CHECK(weft_go_copy(check_capture, &c, sizeof c) == 0);
        int one = 1;
        CHECK(weft_go_copy(check_small, &one, sizeof one) == 0);
    }
    wait_for_count(200);
}

/* Registers and stack survive the switches, across workers; uses some kilobytes of stack. */
static long descend(int depth, double x)
{
    volatile char page[256];
    page[0] = (char)depth;
    double before = x * 1.5;
    if (depth % 5 == 0)
        weft_yield();
    long below = depth == 0 ? 0 : descend(depth - 1, before);
    CHECK(page[0] == (char)depth && before == x * 1.5);
    return below + depth;
}

static void deep(void *arg)
{
    (void)arg;
    CHECK(descend(30, 1.25) == 465);
    count++;
}

TASK_TEST(stacks_are_kept)
{
    count = 0;
    for (int i = 0; i < 200; i++)
        weft_go(deep, NULL);
    wait_for_count(200);
}

static void shallow(void *arg)
{
    volatile char bytes[1024];
    (void)arg;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    weft_yield();
    for (size_t i = 0; i < sizeof bytes; i++)
        CHECK(bytes[i] == (char)i);
    count++;
}

/* A task that follows one that ended takes over its stack: not one of the other class. */
TASK_TEST(small_stacks_among_others)
{
    struct weft_task_options small = {.small_stack = 1};
    count = 0;
    for (int i = 0; i < 400; i++)
        CHECK((i / 3 % 2 ? weft_go_with(&small, shallow, NULL) : weft_go(deep, NULL)) == 0);
    wait_for_count(400);
}

static void own_identity(void *arg)
{
    uint64_t id = weft_id();
    struct weft_task *self = weft_self();
    CHECK(id != 0 && self && !weft_name());
    weft_set_name("named");
    for (int i = 0; i < 10; i++) {
        weft_yield();
        CHECK(weft_id() == id && weft_self() == self && strcmp(weft_name(), "named") == 0);
    }
    uint64_t *slot = arg;
    *slot = id;
    count++;
}

TASK_TEST(identities)
{
    static uint64_t ids[100];
    count = 0;
    for (int i = 0; i < 100; i++)
        weft_go(own_identity, &ids[i]);
    wait_for_count(100);
    for (int i = 0; i < 100; i++) {
        for (int k = 0; k < i; k++)
            CHECK(ids[i] != ids[k]);
    }
}

static void outside(void **state)
{
    (void)state;
    assert_null(weft_self());
    assert_int_equal(weft_id(), 0);
    assert_int_equal(weft_workers(), 0);
    assert_int_equal(weft_go(add_one, NULL), -ESRCH);
    struct weft_options bad = {.stack_bytes = 1000};
    assert_int_equal(weft_run_with(&bad, add_one, NULL), -EINVAL);
    bad = (struct weft_options){.workers = 100000};
    assert_int_equal(weft_run_with(&bad, add_one, NULL), -EINVAL);
}

static void nested(void *arg)
{
    (void)arg;
    CHECK(weft_run(add_one, NULL) == -EBUSY);
    CHECK(weft_workers() == 3);
}

static void no_run_in_a_run(void **state)
{
    (void)state;
    struct weft_options three = {.workers = 3, .stack_bytes = 32 * 1024, .name = "nested"};
    assert_int_equal(weft_run_with(&three, nested, NULL), 0);
}

/* ---- what is left at the end of a run ---- */

static struct weft_chan *nobody;
static _Atomic int never;

static void wait_for_nobody(void *arg)
{
    (void)arg;
    weft_chan_recv(nobody, NULL);
    never = 1;
}

static void sleep_for_long(void *arg)
{
    (void)arg;
    weft_sleep(WEFT_MS);
    never = 1;
}

static void yield_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        weft_yield();
}

static void leave_some(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++) {
        weft_go(wait_for_nobody, NULL);
        weft_go(sleep_for_long, NULL);
        weft_go(yield_for_ever, NULL);
    }
    weft_yield();
}

/* Tasks of an earlier run stand in the channel's queue: they take nothing. */
static void send_and_close(void *arg)
{
    (void)arg;
    CHECK(weft_chan_try_send(nobody, NULL) == -EAGAIN);
    weft_chan_close(nobody);
    weft_sleep(3 * WEFT_MS);
    weft_chan_release(nobody);
}

static void abandoned_tasks_never_run(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 4; workers *= 2) {
        struct weft_options options = {.workers = workers};
        nobody = weft_chan_new(0, 0);
        assert_int_equal(weft_run_with(&options, leave_some, NULL), 0);
        int seen = never;
        assert_int_equal(weft_run_with(&options, send_and_close, NULL), 0);
        assert_int_equal(never, seen);
    }
}

static _Atomic int computing, may_stop, stopped;

static void compute(void *arg)
{
    computing = 1;
    while (!may_stop) {
    }
    stopped = 1;
    weft_chan_recv(arg, NULL); /* its run is over: it never returns */
    never = 1;
}

static void leave_computing(void *arg)
{
    weft_go(compute, arg);
    while (!computing)
        weft_yield();
}

/* The run ends, though a task computes on and keeps its worker. */
static void straggler(void **state)
{
    (void)state;
    struct weft_options two = {.workers = 2};
    struct weft_chan *c = weft_chan_new(0, 0);
    never = 0;
    assert_int_equal(weft_run_with(&two, leave_computing, c), 0);
    may_stop = 1;
    while (!stopped)
        sched_yield();
    struct weft_options three = {.workers = 3};
    for (int i = 0; i < 10; i++)
        assert_int_equal(weft_run_with(&three, nested, NULL), 0);
    assert_int_equal(never, 0);
    weft_chan_release(c);
}

static _Atomic int sent;

static void send_when_allowed(void *arg)
{
    computing = 1;
    while (!may_stop) {
    }
    while (weft_chan_try_send(arg, NULL) == -EAGAIN) {
    }
    sent = 1;
}

static void leave_sending(void *arg)
{
    computing = 0;
    weft_go(send_when_allowed, arg);
    while (!computing)
        weft_yield();
}

static void receive_from_straggler(void *arg)
{
    may_stop = 1;
    CHECK(weft_chan_recv(arg, NULL) == 0);
}

/* A task that computes on after its run can still wake one of the next. */
static void straggler_wakes_the_next_run(void **state)
{
    (void)state;
    struct weft_options two = {.workers = 2};
    struct weft_chan *c = weft_chan_new(0, 0);
    for (int i = 0; i < 5; i++) {
        may_stop = sent = 0;
        assert_int_equal(weft_run_with(&two, leave_sending, c), 0);
        assert_int_equal(weft_run_with(&two, receive_from_straggler, c), 0);
        while (!sent)
            sched_yield();
    }
    weft_chan_release(c);
}

/* ---- blocking calls, and threads that are not ours ---- */

static sem_t turn;

static void wait_in_the_kernel(void *arg)
{
    CHECK(weft_self() == NULL);
    while (sem_wait(&turn) != 0) {
    }
    ++*(int *)arg;
}

static void call_blocking(void *arg)
{
    (void)arg;
    int calls = 0;
    for (int i = 0; i < 3; i++)
        CHECK(weft_blocking(wait_in_the_kernel, &calls) == 0);
    CHECK(calls == 3);
    count++;
}

/* Others go on meanwhile, also with one worker: else none would return. */
TASK_TEST(blocking_calls)
{
    count = 0;
    CHECK(sem_init(&turn, 0, 0) == 0);
    for (int i = 0; i < 30; i++)
        weft_go(call_blocking, NULL);
    await_waiting(30);
    for (int i = 0; i < 30 * 3; i++) {
        weft_yield();
        CHECK(sem_post(&turn) == 0);
    }
    wait_for_count(30);
    sem_destroy(&turn);
}

enum { MEETING = 8 };
static pthread_barrier_t barrier;

static void meet(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&barrier);
}

static void call_meet(void *arg)
{
    for (int i = 0; i < 20; i++)
        CHECK(weft_blocking(meet, arg) == 0);
    count++;
}

/* Each has a thread of its own, or none would come back. */
TASK_TEST(blocking_calls_do_not_queue)
{
    count = 0;
    CHECK(pthread_barrier_init(&barrier, NULL, MEETING) == 0);
    for (int i = 0; i < MEETING; i++)
        weft_go(call_meet, NULL);
    wait_for_count(MEETING);
    pthread_barrier_destroy(&barrier);
}

/* Each takes a turn of the processor where others have it. */
enum { GIVEN = 100 };

static void *thread(void *arg)
{
    struct weft_chan *c = arg;
    int64_t v;
    for (v = 0; v < GIVEN;) {
        if (weft_chan_try_send(c, &v) == 0)
            v++;
        else
            sched_yield();
    }
    CHECK(weft_go(add_one, NULL) == 0);
    weft_chan_close(c);
    return NULL;
}

/* A plain thread sends, spawns and closes; the tasks meanwhile sleep, and no deadlock is seen. */
TASK_TEST(foreign_threads)
{
    pthread_t id;
    int64_t v;
    count = 0;
    struct weft_chan *c = weft_chan_new(sizeof v, 0);
    CHECK(pthread_create(&id, NULL, thread, c) == 0);
    for (int64_t i = 0; i < GIVEN; i++)
        CHECK(weft_chan_recv(c, &v) == 0 && v == i);
    CHECK(weft_chan_recv(c, &v) == -EPIPE);
    pthread_join(id, NULL);
    wait_for_count(1);
    weft_chan_release(c);
}

static _Atomic int released;

static void release(void *arg)
{
    (void)arg;
    released = 1;
}

/* A task that was made runs on another worker, though its own goes on computing: also right after
 * many of which the other got nothing. */
static void no_worker_computes_alone_body(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        for (int k = i % 5 ? 0 : 1000; k > 0; k--) {
            struct weft_waitgroup one = {0};
            weft_waitgroup_go(&one, release, NULL);
            weft_waitgroup_wait(&one);
        }
        released = 0;
        weft_go(release, NULL);
        while (!released) {
        }
    }
}

static void no_worker_computes_alone(void **state)
{
    (void)state;
    struct weft_options two = {.workers = 2};
    assert_int_equal(weft_run_with(&two, no_worker_computes_alone_body, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_task_runs_once),
        cmocka_unit_test(very_many_parked),
        cmocka_unit_test(captures_are_copied),
        cmocka_unit_test(stacks_are_kept),
        cmocka_unit_test(small_stacks_among_others),
        cmocka_unit_test(identities),
        cmocka_unit_test(outside),
        cmocka_unit_test(no_run_in_a_run),
        cmocka_unit_test(abandoned_tasks_never_run),
        cmocka_unit_test(blocking_calls),
        cmocka_unit_test(blocking_calls_do_not_queue),
        cmocka_unit_test(foreign_threads),
        cmocka_unit_test(no_worker_computes_alone),
        cmocka_unit_test(straggler),
        cmocka_unit_test(straggler_wakes_the_next_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
