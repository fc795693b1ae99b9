/*
 * Tasks that wait for channels, for models: chan.c, select.c, timers.c and heap.c as they are,
 * parking as a stub.
 *
 * A task has two threads here: its own, and a carrier that runs what the scheduler does for it once
 * it has left its stack.
 */
#ifndef WEFT_MODEL_TASKS_H
#define WEFT_MODEL_TASKS_H

#include <assert.h>
#include <loiter.h>
#include <sys/socket.h>
#include <weft.h>

#include "runtime/model/explore.h"

#pragma GCC diagnostic ignored "-Wunused-value" /* of the builtins as statements */

#include "runtime/model/shared_locks.h"

/* The code under test: */
#include "runtime/chan/chan.c"
#define wait wait_for_case
#include "runtime/chan/select.c"
#undef wait
#include "runtime/time/heap.c"
#include "runtime/time/timers.c"

enum { TASKS = 3, CHANNELS = 2 };
enum { RUNNING, PARKED, READY };

static struct weft_task tasks[TASKS];
static int states[TASKS];
static struct weft_chan *channels[CHANNELS];
static unsigned task_of[EX_THREADS]; /* plus one; 0: another */
static unsigned live;

static struct {
    void (*fn)(void *arg);
    void *arg;
} jobs[TASKS];

/* ---- the rest of the runtime ---- */

uint32_t weft__open_epoch = 1;

void weft__tell_wait(struct weft_task *t, enum loiter_wait why, const void *object, bool timed,
                     const void *caller)
{
    (void)t, (void)why, (void)object, (void)timed, (void)caller;
}

void weft__tell_select(struct weft_task *t, enum loiter_wait why, const void *const *objects,
                       unsigned n, bool timed, const void *caller)
{
    (void)t, (void)why, (void)objects, (void)n, (void)timed, (void)caller;
}

_Noreturn void weft__fatal(const char *text)
{
    ex_fail(text);
}

const void *weft__waits_at(const struct weft_task *t)
{
    (void)t;
    return NULL;
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

int64_t weft_now(void)
{
    return ex.now;
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

void weft__spun(bool tried, const void *caller)
{
    (void)tried, (void)caller;
}

__thread struct weft__worker *weft__current_worker;
uint32_t weft__coarse_ms, weft__visitors;
struct weft__run *weft__open_run;

void weft__netpoll_kick(struct weft__run *run)
{
    (void)run;
}

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

/* As of a task without a thread of its own; see bound.c. */
bool weft__wait_arm(struct weft_task *t, struct weft__timer *it, int64_t when)
{
    (void)t;
    weft__timer_init(it, it->fire);
    return weft__timer_start(it, when);
}

void weft__wait_disarm(struct weft_task *t, struct weft__timer *it)
{
    (void)t;
    weft__timer_cancel(it);
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
    for (unsigned i = 0; i < sizeof homes / sizeof *homes; i++) {
        weft__heap_free(&homes[i].heap);
        homes[i] = (struct weft__timers){.next = INT64_MAX};
    }
    homes_used = 0;
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

#endif
