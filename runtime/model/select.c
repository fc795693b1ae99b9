/*
 * Channels and selects: of those that may wake a task one does, a value goes over once, nobody
 * sleeps who has a partner, and the stack of a task is not read after it went on. The code under
 * test is chan.c and select.c; parking, and a timer that may fire whenever it is armed, are stubs.
 *
 * A task has two threads here: its own, and a carrier that runs what the scheduler does for it once
 * it has left its stack.
 */
#include <assert.h>
#include <loiter.h>
#include <sys/socket.h>
#include <weft.h>

#include "runtime/model/explore.h"

/* The code under test: */
#include "runtime/chan/chan.c"
#define wait wait_for_case
#include "runtime/chan/select.c"
#undef wait

enum { TASKS = 3, CHANNELS = 2 };
enum { RUNNING, PARKED, READY };

static struct weft_task tasks[TASKS];
static int states[TASKS];
static struct weft_chan *channels[CHANNELS];
static unsigned task_of[EX_THREADS]; /* plus one; 0: a carrier or the timer */
static unsigned live;

static struct {
    void (*fn)(void *arg);
    void *arg;
} jobs[TASKS];

static struct {
    uint32_t lock;
    struct weft__timer *armed;
} timer;

/* ---- the rest of the runtime ---- */

uint32_t weft__open_epoch = 1;

_Noreturn void weft__fatal(const char *text)
{
    ex_fail(text);
}

_Noreturn void weft__fatal_object(const char *text, const void *object, const void *caller,
                                  const char *before, const void *at)
{
    (void)object, (void)caller, (void)before, (void)at;
    ex_fail(text);
}

static bool is_free(void *lock)
{
    return *(uint32_t *)lock == 0;
}

void weft__lock_slow(uint32_t *lock)
{
    do
        ex_wait(is_free, lock, -1);
    while (!weft__try_lock(lock));
}

uint32_t weft__random(void)
{
    return 0;
}

int64_t weft__after_ns(int64_t ns)
{
    return ex.now + ns;
}

struct weft_task *weft__self_or_die(void)
{
    EX_CHECK(task_of[ex.current] != 0);
    return &tasks[task_of[ex.current] - 1];
}

void weft__announce_wait(struct weft_task *t, enum weft__wait why, const void *const *objects,
                         unsigned n, bool timed, const void *caller)
{
    (void)t, (void)why, (void)objects, (void)n, (void)timed, (void)caller;
}

__thread struct weft__worker *weft__current_worker;
uint32_t weft__coarse_ms;

static bool is_ready(void *state)
{
    return *(int *)state == READY;
}

static void unlock_it(void *lock)
{
    weft__unlock(lock);
}

void weft__park_call(struct weft_task *t, void (*fn)(void *), void *arg)
{
    unsigned i = (unsigned)(t - tasks);
    states[i] = PARKED;
    ex_drain_mine(); /* the carrier is on the same CPU: what it stores comes after this */
    jobs[i].arg = arg;
    jobs[i].fn = fn;
    ex_wait(is_ready, &states[i], -1);
    states[i] = RUNNING;
}

void weft__park(struct weft_task *t, uint32_t *lock)
{
    weft__park_call(t, unlock_it, lock);
}

void weft__ready(struct weft_task *t, const void *object)
{
    (void)object;
    ex_schedule();
    EX_CHECK(states[t - tasks] == PARKED && "a task is woken that does not sleep");
    states[t - tasks] = READY;
}

bool weft__wait_arm(struct weft_task *t, struct weft__timer *it, int64_t when)
{
    (void)t, (void)when;
    weft__lock(&timer.lock);
    timer.armed = it;
    weft__unlock(&timer.lock);
    ex_schedule();
    return true;
}

void weft__wait_disarm(struct weft_task *t, struct weft__timer *it)
{
    (void)t;
    weft__lock(&timer.lock);
    if (timer.armed == it)
        timer.armed = NULL;
    weft__unlock(&timer.lock);
}

/* ---- threads ---- */

static bool has_job(void *arg)
{
    return jobs[(uintptr_t)arg].fn || live == 0;
}

static void carry(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    for (;;) {
        ex_wait(has_job, arg, -1);
        if (!jobs[i].fn)
            return;
        void (*fn)(void *) = jobs[i].fn;
        jobs[i].fn = NULL;
        fn(jobs[i].arg);
    }
}

static bool is_armed(void *arg)
{
    (void)arg;
    return timer.armed || live == 0;
}

static void fire(void *arg)
{
    (void)arg;
    ex_wait(is_armed, NULL, -1);
    weft__lock(&timer.lock);
    if (timer.armed) {
        struct weft__timer *it = timer.armed;
        timer.armed = NULL;
        it->fire(it, ex.now);
    }
    weft__unlock(&timer.lock);
}

/* What lay on the stack below is gone. */
static __attribute__((noinline)) void overwrite_stack(void)
{
    volatile unsigned char junk[4096];
    memset((unsigned char *)junk, 0x5a, sizeof junk);
    __asm__ volatile("" ::"r"(junk) : "memory");
}

static void nothing_stuck(void)
{
    ex_fail("all tasks sleep");
}

/* ---- what the tasks do ---- */

static uint64_t sent[8], received[8]; /* how often each value */

static int do_select(struct weft_case *cases, unsigned n, int64_t limit)
{
    int r = weft_select(cases, n, limit);
    overwrite_stack();
    EX_CHECK(r >= 0 || r == -ETIMEDOUT);
    if (r >= 0 && cases[r].ok) {
        uint64_t v = *(uint64_t *)cases[r].value;
        EX_CHECK(v < 8);
        (cases[r].kind == WEFT_CASE_SEND ? sent : received)[v]++;
    }
    return r;
}

static void do_send(unsigned c, uint64_t v)
{
    EX_CHECK(weft_chan_send(channels[c], &v) == 0);
    sent[v]++;
}

static int do_recv(unsigned c)
{
    uint64_t v = 99;
    int r = weft_chan_recv(channels[c], &v);
    if (r == 0) {
        EX_CHECK(v < 8);
        received[v]++;
    }
    return r;
}

static void (*bodies[TASKS])(void);

static void task_main(void *arg)
{
    bodies[(uintptr_t)arg]();
    live--;
}

static void begin(size_t capacity, void (*const *fns)(void), unsigned n)
{
    memset(tasks, 0, sizeof tasks);
    memset(states, 0, sizeof states);
    memset(jobs, 0, sizeof jobs);
    memset(task_of, 0, sizeof task_of);
    memset(sent, 0, sizeof sent);
    memset(received, 0, sizeof received);
    memset(&timer, 0, sizeof timer);
    static union { /* at the same addresses in each execution */
        struct weft_chan chan;
        unsigned char bytes[sizeof(struct weft_chan) + 2 * sizeof(uint64_t)];
    } memory[CHANNELS];
    memset(memory, 0, sizeof memory);
    for (unsigned i = 0; i < CHANNELS; i++) {
        channels[i] = &memory[i].chan;
        channels[i]->refs = 1;
        channels[i]->size = sizeof(uint64_t);
        channels[i]->capacity = capacity;
        channels[i]->kind = LOITER_OBJ_CHAN;
    }
    live = n;
    for (unsigned i = 0; i < n; i++) {
        tasks[i].epoch = 1;
        bodies[i] = fns[i];
        task_of[i] = i + 1;
        ex_thread(task_main, (void *)(uintptr_t)i);
    }
    for (unsigned i = 0; i < n; i++)
        ex_thread(carry, (void *)(uintptr_t)i);
}

/* What is left in the channels counts as received. */
static void end_with_values(void)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct weft_chan *c = channels[i];
        for (size_t k = 0; k < c->count; k++)
            received[((uint64_t *)(void *)c->buffer)[(c->first + k) % c->capacity]]++;
    }
    for (unsigned v = 0; v < 8; v++)
        EX_CHECK(sent[v] == received[v] && "a value is lost or doubled");
}

static void end(void)
{
    for (unsigned v = 0; v < 8; v++)
        EX_CHECK(sent[v] == received[v] && "a value is lost or doubled");
    for (unsigned c = 0; c < CHANNELS; c++) {
        EX_CHECK(!channels[c]->senders.head && !channels[c]->receivers.head);
        EX_CHECK(channels[c]->lock == 0 && channels[c]->count == 0);
    }
}

/* ---- the scenarios ---- */

static void send_a_or_recv_b(void)
{
    uint64_t one = 1, in;
    struct weft_case cases[] = {WEFT_SEND(channels[0], &one), WEFT_RECV(channels[1], &in)};
    do_select(cases, 2, WEFT_FOREVER);
}

static void recv_a_or_send_b(void)
{
    uint64_t two = 2, in;
    struct weft_case cases[] = {WEFT_SEND(channels[1], &two), WEFT_RECV(channels[0], &in)};
    do_select(cases, 2, WEFT_FOREVER);
}

static void both_select(void)
{
    begin(0, (void (*const[])(void)){send_a_or_recv_b, recv_a_or_send_b}, 2);
}

static void recv_either_then_other(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    int r = do_select(cases, 2, WEFT_FOREVER);
    EX_CHECK(do_recv(1 - (unsigned)r) == 0);
}

static void send_a(void)
{
    do_send(0, 3);
}

static void send_b(void)
{
    do_send(1, 4);
}

static void two_senders(void)
{
    begin(0, (void (*const[])(void)){recv_either_then_other, send_a, send_b}, 3);
}

static void recv_until_closed(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    for (;;) {
        int r = do_select(cases, 2, WEFT_FOREVER);
        if (!cases[r].ok) {
            EX_CHECK(r == 0 && in == 0);
            break;
        }
        cases[1].chan = NULL;
    }
    if (cases[1].chan)
        EX_CHECK(do_recv(1) == 0);
}

static void close_a(void)
{
    weft_chan_close(channels[0]);
}

static void closed_meanwhile(void)
{
    begin(0, (void (*const[])(void)){recv_until_closed, close_a, send_b}, 3);
}

static void recv_in_time(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[0], &in), WEFT_RECV(channels[1], &in)};
    if (do_select(cases, 2, 1000) == -ETIMEDOUT)
        EX_CHECK(do_recv(0) == 0);
}

static void time_against_sender(void)
{
    begin(0, (void (*const[])(void)){recv_in_time, send_a}, 2);
    ex_thread(fire, NULL);
}

static void only_time(void)
{
    EX_CHECK(do_select(NULL, 0, 1000) == -ETIMEDOUT);
}

static void a_timed_sleep(void)
{
    begin(0, (void (*const[])(void)){only_time}, 1);
    ex_thread(fire, NULL);
}

static void send_two(void)
{
    do_send(0, 5);
    do_send(0, 6);
}

static void recv_plainly(void)
{
    EX_CHECK(do_recv(0) == 0);
}

static void recv_by_select(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[1], &in), WEFT_RECV(channels[0], &in)};
    EX_CHECK(do_select(cases, 2, WEFT_FOREVER) == 1);
}

static void shared_unbuffered(void)
{
    begin(0, (void (*const[])(void)){send_two, recv_plainly, recv_by_select}, 3);
}

static void shared_buffered(void)
{
    begin(1, (void (*const[])(void)){send_two, recv_plainly, recv_by_select}, 3);
}

/* One of two channels can be received from all the time, so the default is never chosen. */
static void recv_or_default(void)
{
    uint64_t in;
    struct weft_case cases[] = {WEFT_RECV(channels[1], &in), WEFT_RECV(channels[0], &in),
                                WEFT_DEFAULT};
    EX_CHECK(do_select(cases, 3, WEFT_FOREVER) != 2 && "a select is not of one moment");
}

static void fill_b_empty_a(void)
{
    uint64_t in;
    do_send(1, 4);
    if (weft_chan_try_recv(channels[0], &in) == 0)
        received[in]++;
}

static void close_b_empty_a(void)
{
    uint64_t in;
    weft_chan_close(channels[1]);
    if (weft_chan_try_recv(channels[0], &in) == 0)
        received[in]++;
}

static void with_a_value(void (*other)(void))
{
    begin(1, (void (*const[])(void)){recv_or_default, other}, 2);
    uint64_t seven = 7;
    memcpy(channels[0]->buffer, &seven, sizeof seven);
    channels[0]->count = 1;
    sent[7] = 1;
}

static void one_moment(void)
{
    with_a_value(fill_b_empty_a);
}

static void one_moment_closed(void)
{
    with_a_value(close_b_empty_a);
}

/* A value is inside until one of them has it: a try that finds none is wrong but after the other.
 */
static void try_once(void)
{
    uint64_t in;
    int r = weft_chan_try_recv(channels[0], &in);
    EX_CHECK(r == 0 || r == -EPIPE);
    received[7] += r == 0;
}

static void close_and_recv(void)
{
    uint64_t in = 1;
    weft_chan_close(channels[0]);
    int r = weft_chan_recv(channels[0], &in);
    EX_CHECK(r == 0 || (r == -EPIPE && in == 0));
    received[7] += r == 0;
}

static void try_against_close(void)
{
    with_a_value(close_and_recv);
    bodies[0] = try_once;
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"locks_crossed", both_select, nothing_stuck, end, 1},
        {"both_select", both_select, nothing_stuck, end, 3},
        {"two_senders", two_senders, nothing_stuck, end, 2},
        {"closed_meanwhile", closed_meanwhile, nothing_stuck, end, 2},
        {"time_against_sender", time_against_sender, nothing_stuck, end, 3},
        {"a_timed_sleep", a_timed_sleep, nothing_stuck, end, 3},
        {"one_moment", one_moment, nothing_stuck, end_with_values, 3},
        {"one_moment_closed", one_moment_closed, nothing_stuck, end_with_values, 3},
        {"try_against_close", try_against_close, nothing_stuck, end_with_values, 4},
        {"shared_unbuffered", shared_unbuffered, nothing_stuck, end, 2},
        {"shared_buffered", shared_buffered, nothing_stuck, end, 2},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
