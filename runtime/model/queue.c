/*
 * The queues: what an owner pushes and pops, thieves steal and overflows move is taken once, and
 * nothing is lost. The code under test is ring.h and queue.c, with a ring of four.
 */
#include <assert.h>
#include <loiter.h>
#include <sys/socket.h>
#include <weft.h>

#include "runtime/model/explore.h"
/* The code under test: */
#include "runtime/sched/queue.c"

enum { WORKERS = 3, TASKS = 12 };

static struct weft__run run;
static struct weft__worker workers[WORKERS];
static struct weft_task tasks[TASKS];
static int taken[TASKS];
static unsigned made;

/* ---- what the code calls ---- */

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

bool weft__fences_full;

void weft__full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void weft__heavy_fence(void)
{
    ex_drain_all();
}

void weft__wake_one(struct weft__run *r)
{
    (void)r;
}

uint32_t weft__random(void)
{
    return 0;
}

/* ---- the scenarios ---- */

static struct weft_task *task(void)
{
    EX_CHECK(made < TASKS);
    return &tasks[made++];
}

static void take(struct weft_task *t)
{
    if (t)
        taken[t - tasks]++;
}

static void begin(unsigned count, uint32_t index)
{
    memset(&run, 0, sizeof run);
    memset(workers, 0, sizeof workers);
    memset(tasks, 0, sizeof tasks);
    memset(taken, 0, sizeof taken);
    made = 0;
    run.workers = run.slots = count;
    for (unsigned i = 0; i < count; i++) {
        run.worker[i] = &workers[i];
        workers[i].run = &run;
        workers[i].index = i;
        workers[i].head = workers[i].tail = index;
    }
}

/* Each was taken once, or still lies in one queue. */
static void end(void)
{
    for (unsigned i = 0; i < run.workers; i++) {
        struct weft__worker *w = &workers[i];
        EX_CHECK(w->tail - w->head <= WEFT_RING_SIZE);
        for (uint32_t at = w->head; at != w->tail; at++)
            take(w->ring[at % WEFT_RING_SIZE]);
        take(w->next);
    }
    uint32_t queued = 0;
    for (struct weft_task *t = run.queue_head; t; t = t->next, queued++)
        take(t);
    EX_CHECK(queued == run.queued);
    for (unsigned i = 0; i < made; i++) {
        EX_CHECK(taken[i] >= 1 && "a task is lost");
        EX_CHECK(taken[i] <= 1 && "a task runs twice");
    }
}

static void never_stuck(void)
{
    ex_fail("somebody waits");
}

/* The owner pushes and pops; two thieves take. */
static void push_three_pop(void *arg)
{
    struct weft__worker *w = arg;
    weft__push_tail(w, task());
    weft__push_tail(w, task());
    take(weft__ring_pop(w));
    weft__push_tail(w, task());
    take(weft__ring_pop(w));
    take(weft__ring_pop(w));
}

static void steal(void *arg)
{
    take(weft__steal(arg, NULL));
}

static void steal_and_pop(void *arg)
{
    take(weft__steal(arg, NULL));
    take(weft__ring_pop(arg));
}

static void owner_and_thieves(void)
{
    begin(3, UINT32_MAX - 1);
    ex_thread(push_three_pop, &workers[0]);
    ex_thread(steal_and_pop, &workers[1]);
    ex_thread(steal, &workers[2]);
}

/* A full ring overflows while a thief takes from it and another from the shared queue. */
static void push_six(void *arg)
{
    for (int i = 0; i < 6; i++)
        weft__push_tail(arg, task());
    take(weft__ring_pop(arg));
}

static void take_shared(void *arg)
{
    take(weft__take_shared(arg, WEFT_BATCH));
    take(weft__ring_pop(arg));
}

static void full_ring(void)
{
    begin(3, UINT32_MAX - 2);
    ex_thread(push_six, &workers[0]);
    ex_thread(steal, &workers[1]);
    ex_thread(take_shared, &workers[2]);
}

/* The slot of the next task: the owner fills and takes it, a thief takes it too. */
static void push_next_twice(void *arg)
{
    struct weft__worker *w = arg;
    weft__push_next(w, task());
    weft__push_next(w, task());
    take(weft__next_take(w));
    weft__push_next(w, task());
    take(weft__next_take(w));
    take(weft__ring_pop(w));
}

static void steal_next(void *arg)
{
    uint32_t ticks[WORKERS] = {0};
    take(weft__steal(arg, ticks));
    take(weft__steal(arg, ticks));
}

static void next_slot(void)
{
    begin(2, 0);
    ex_thread(push_next_twice, &workers[0]);
    ex_thread(steal_next, &workers[1]);
}

/* A slot is used again while a thief still reads it. */
static void push_around(void *arg)
{
    struct weft__worker *w = arg;
    for (int i = 0; i < 4; i++)
        weft__push_tail(w, task());
    for (int i = 0; i < 4; i++) {
        take(weft__ring_pop(w));
        weft__push_tail(w, task());
    }
}

static void around_the_ring(void)
{
    begin(2, 1);
    ex_thread(push_around, &workers[0]);
    ex_thread(steal, &workers[1]);
}

/* Several put into the shared queue, from outside as well. */
static void push_shared(void *arg)
{
    (void)arg;
    weft__push_shared(&run, task());
    weft__push_shared(&run, task());
}

static void shared_queue(void)
{
    begin(2, 0);
    ex_thread(push_shared, NULL);
    ex_thread(take_shared, &workers[0]);
    ex_thread(take_shared, &workers[1]);
}

/* A worker that was alone, and takes without swaps, gets company. */
static void alone_at_first(void *arg)
{
    struct weft__worker *w = arg;
    weft__push_next(w, task());
    weft__push_next(w, task());
    take(weft__next_take(w));
    take(weft__ring_pop(w));
    weft__push_next(w, task());
    weft__push_next(w, task());
    take(weft__ring_pop(w));
    take(weft__next_take(w));
}

static void keep_company(void *arg)
{
    uint32_t ticks[WORKERS] = {0};
    while (!weft__share_queue(&workers[0]))
        ex_yield();
    take(weft__steal(arg, ticks));
    take(weft__steal(arg, ticks));
}

static void come_and_go(void *arg)
{
    while (!weft__share_queue(&workers[0]))
        ex_yield();
    take(weft__steal(arg, NULL));
    weft__unshare_queue(&workers[0]);
}

static void alone_again(void)
{
    begin(2, UINT32_MAX);
    ex_thread(alone_at_first, &workers[0]);
    ex_thread(come_and_go, &workers[1]);
}

static void alone(void)
{
    begin(2, UINT32_MAX);
    workers[0].alone = true;
    ex_thread(alone_at_first, &workers[0]);
    ex_thread(keep_company, &workers[1]);
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"owner_and_thieves", owner_and_thieves, never_stuck, end, 3},
        {"full_ring", full_ring, never_stuck, end, 3},
        {"next_slot", next_slot, never_stuck, end, 4},
        {"around_the_ring", around_the_ring, never_stuck, end, 4},
        {"alone", alone, never_stuck, end, 4},
        {"alone_again", alone_again, never_stuck, end, 4},
        {"shared_queue", shared_queue, never_stuck, end, 3},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
