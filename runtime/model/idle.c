/*
 * Sleeping and waking: no task lies in a queue, no timer is due and no descriptor is ready while
 * all workers sleep; nobody reports a deadlock that is none; the end of the run reaches everybody.
 * The code under test is idle.c, queue.c, ring.h, timers.c, heap.c, deadlock.c and monitor.c; the
 * kernel (futex, epoll with its eventfd, time) is a stub.
 */
#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <loiter.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/model/explore.h"

/* Nobody else is in the process, so a report ends it. */
_Noreturn static void reported(int status)
{
    (void)status;
    ex_fail("a deadlock is reported that is none");
}
#define exit         reported
#define opendir(p)   ((DIR *)&run)
#define readdir(d)   ((struct dirent *)NULL)
#define closedir(d)  ((void)(d))
#define dprintf(...) ((void)0)

static struct weft__run run;

#include "runtime/model/shared_locks.h"

/* The code under test: */
#include "runtime/sched/deadlock.c"
#include "runtime/sched/idle.c"
#define all_asleep all_asleep_for_the_monitor
#include "runtime/sched/monitor.c"
#undef all_asleep
#include "runtime/sched/queue.c"
#include "runtime/time/heap.c"
#include "runtime/time/timers.c"

#undef exit

enum { WORKERS = 3, TASKS = 8 };

static struct weft__worker workers[WORKERS];
static struct weft__worker *worker_of[EX_THREADS];
static struct weft_task tasks[TASKS];
static int runs[TASKS];
static int finished, expected;

/* ---- the kernel and the rest of the runtime ---- */

static struct {
    uint32_t waiting; /* tasks that wait for the descriptor */
    bool event;       /* it is ready */
    unsigned kicks;
} poll;

static uint32_t futexes_woken; /* a bit for each thread */
static uint32_t *sleeps_on[EX_THREADS];

uint32_t weft__pool_threads, weft__blocking, weft__visitors, weft__open_epoch = 1;
int32_t weft__outside_asleep;
struct weft__run *weft__open_run;

__thread struct weft__worker *weft__current_worker;

static void bind_worker(void)
{
    weft__current_worker = worker_of[ex.current];
}

uint32_t weft__random(void)
{
    return 0;
}

int64_t weft_now(void)
{
    return ex.now += 10000;
}

int64_t weft__clock(void)
{
    return weft_now();
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

_Noreturn void weft__fatal(const char *text)
{
    ex_fail(text);
}

bool weft__stacks_short; /* never */

struct weft_task *weft__feed(struct weft__worker *w)
{
    (void)w;
    return NULL;
}

bool weft__fences_full;
uint32_t weft__coarse_ms;

void weft__full_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void weft__heavy_fence(void)
{
    ex_drain_all();
}

void weft__coarse_update(void) {}

void weft__pools_age(void) {}

void weft__overtime_look(struct weft__run *r)
{
    (void)r;
}

static bool is_woken(void *arg)
{
    return futexes_woken >> (uintptr_t)arg & 1;
}

bool weft__futex_wait(uint32_t *word, uint32_t value, int64_t ns)
{
    unsigned me = ex.current;
    ex_schedule();
    ex_drain_mine();
    if (ex_raw(word, sizeof *word) != value)
        return true;
    futexes_woken &= ~(1u << me);
    sleeps_on[me] = word;
    bool woken = ex_wait(is_woken, (void *)(uintptr_t)me, ns);
    sleeps_on[me] = NULL;
    return woken;
}

void weft__futex_wake(uint32_t *word, int count)
{
    ex_schedule();
    ex_drain_mine();
    for (unsigned i = 0; i < EX_THREADS && count > 0; i++) {
        if (sleeps_on[i] == word) {
            futexes_woken |= 1u << i;
            count--;
        }
    }
}

void weft__ready(struct weft_task *t, const void *object)
{
    (void)object;
    if (worker_of[ex.current])
        weft__push_next(worker_of[ex.current], t);
    else
        weft__push_shared(&run, t);
}

void weft__task_each(void (*fn)(struct weft_task *t, void *arg), void *arg)
{
    (void)fn;
    (void)arg;
}

uint32_t weft__netpoll_waiting(void)
{
    return __atomic_load_n(&poll.waiting, __ATOMIC_SEQ_CST);
}

void weft__netpoll_kick(struct weft__run *r)
{
    (void)r;
    ex_schedule();
    ex_drain_mine();
    poll.kicks++;
}

static bool something_to_poll(void *arg)
{
    (void)arg;
    return poll.kicks != 0 || (poll.event && poll.waiting != 0);
}

/* As netpoll.c: a look leaves the kick to who sleeps. */
void weft__netpoll(struct weft__run *r, int64_t ns)
{
    (void)r;
    if (ns != 0)
        ex_wait(something_to_poll, NULL, ns);
    else
        ex_schedule();
#ifndef MUTATION_LOOK_TAKES_KICK
    if (ns != 0)
#endif
        poll.kicks = 0;
    if (poll.event && poll.waiting != 0) {
        poll.event = false;
        weft__ready(&tasks[1], NULL);
        __atomic_fetch_sub(&poll.waiting, 1, __ATOMIC_SEQ_CST);
    }
}

/* ---- workers and tasks ---- */

static void end_run(void)
{
    __atomic_store_n(&run.ended, 1, __ATOMIC_SEQ_CST);
    weft__wake_all(&run);
    __atomic_store_n(&run.monitor_word, 2, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run.monitor_word, 1);
}

static void work(void *arg)
{
    struct weft__worker *w = arg;
    struct weft_task *t;
    while ((t = weft__find_work(w))) {
        w->tick++;
        EX_CHECK(runs[t - tasks]++ == 0 && "a task runs twice");
        if (t->fn)
            t->fn(t);
        if (++finished == expected)
            end_run();
    }
}

static void spawn(struct weft_task *t)
{
    weft__push_next(worker_of[ex.current], t);
    weft__wake_if_idle(&run);
}

static void watch(void *arg)
{
    (void)arg;
    weft__monitor_main(&run);
}

static bool work_somewhere(void)
{
    for (unsigned i = 0; i < run.workers; i++) {
        if (workers[i].tail != workers[i].head || workers[i].next)
            return true;
    }
    return run.queue_head != NULL;
}

static void stuck(void)
{
    int64_t until = INT64_MAX, next = INT64_MAX;
    for (unsigned i = 0; i < ex.count; i++) {
        if (!ex.threads[i].ended && ex.threads[i].until < until)
            until = ex.threads[i].until;
    }
    for (uint32_t i = 0; i < homes_used; i++) {
        if (homes[i].next < next)
            next = homes[i].next;
    }
    EX_CHECK(!run.ended && "all sleep and the run has ended");
    EX_CHECK(!work_somewhere() && "all sleep and a task can run");
    EX_CHECK(!(poll.event && poll.waiting) && "all sleep and a descriptor is ready");
    EX_CHECK((next == INT64_MAX || next >= until - 200000) && "all sleep longer than a timer");
}

static void end(void)
{
    EX_CHECK(finished == expected && "a task did not run");
}

static void begin(unsigned count, int wanted)
{
    memset(&run, 0, sizeof run);
    memset(workers, 0, sizeof workers);
    memset(tasks, 0, sizeof tasks);
    memset(runs, 0, sizeof runs);
    memset(&poll, 0, sizeof poll);
    memset(worker_of, 0, sizeof worker_of);
    memset(sleeps_on, 0, sizeof sleeps_on);
    for (uint32_t i = 0; i < homes_used; i++)
        weft__heap_free(&homes[i].heap);
    for (uint32_t i = 0; i < homes_used; i++)
        homes[i] = (struct weft__timers){.next = INT64_MAX};
    homes_used = 0;
    finished = 0;
    expected = wanted;
    ex.switched = bind_worker;
    run.workers = run.slots = count;
    run.epoch = 1;
    weft__open_run = &run;
    for (unsigned i = 0; i < count; i++) {
        run.worker[i] = &workers[i];
        workers[i].run = &run;
        workers[i].index = i;
        workers[i].tick = 1;
        worker_of[i] = &workers[i];
        ex_thread(work, &workers[i]);
    }
    for (unsigned i = 0; i < TASKS; i++)
        tasks[i].epoch = 1;
}

static void put_first(struct weft_task *t)
{
    run.queue_head = run.queue_tail = t;
    run.queued = 1;
}

/* ---- the scenarios ---- */

static void spawn_two(void *arg)
{
    struct weft_task *t = arg;
    spawn(t + 1);
    spawn(t + 2);
}

static void spawns(void)
{
    begin(2, 3);
    tasks[0].fn = spawn_two;
    put_first(&tasks[0]);
}

static void spawns_among_three(void)
{
    begin(3, 3);
    tasks[0].fn = spawn_two;
    put_first(&tasks[0]);
}

/* A task waits in the ring of a worker that computes on: it is another's, who may be asleep. */
static bool other_has_run(void *arg)
{
    return runs[(struct weft_task *)arg - tasks];
}

static void push_and_compute(void *arg)
{
    weft__push_tail(weft__worker(), &tasks[1]);
    ex_wait(other_has_run, &tasks[1], -1);
    (void)arg;
}

static void computes_meanwhile(void)
{
    begin(2, 2);
    tasks[0].fn = push_and_compute;
    put_first(&tasks[0]);
}

/* One that spins finds a first task and computes on as well, just when the second comes: the third
 * worker has to be woken for that. */
static void push_two_and_compute(void *arg)
{
    weft__push_tail(weft__worker(), &tasks[2]);
    push_and_compute(arg);
}

static void compute(void *arg)
{
    (void)arg;
    ex_wait(other_has_run, &tasks[1], -1);
}

static void two_compute(void)
{
    begin(3, 3);
    tasks[0].fn = push_two_and_compute;
    tasks[2].fn = compute;
    put_first(&tasks[0]);
}

static void push_from_outside(void *arg)
{
    weft__push_shared(&run, arg);
}

/* While such a thread lives nobody speaks of a deadlock. */
static void from_outside_comes(struct weft_task *t)
{
    run.bound_awake = 1;
    ex_thread(push_from_outside, t);
}

static void from_outside(void)
{
    begin(2, 1);
    from_outside_comes(&tasks[0]);
}

static void make_ready(void *arg)
{
    (void)arg;
    ex_schedule();
    poll.event = true;
}

static void descriptor(void)
{
    begin(2, 1);
    poll.waiting = 1;
    ex_thread(make_ready, NULL);
}

/* The descriptor's task runs while the others have nothing left to wait for. */
static void descriptor_among_three(void)
{
    begin(3, 1);
    poll.waiting = 1;
    ex_thread(make_ready, NULL);
}

static void sleep_until(unsigned i, int64_t when)
{
    EX_CHECK(weft__sleep_until(&tasks[2 + i], when));
}

/* One timer far off, then one that is near, while the other worker goes to sleep for the first. */
static void arm_two(void *arg)
{
    (void)arg;
    sleep_until(0, ex.now + 100000000);
    spawn(&tasks[1]);
    sleep_until(1, ex.now + 5000000);
}

static void timers(void)
{
    begin(2, 4);
    tasks[0].fn = arm_two;
    put_first(&tasks[0]);
}

static void arm_one(void *arg)
{
    (void)arg;
    sleep_until(0, ex.now + 3000000);
}

static bool timer_is_over(void *arg)
{
    (void)arg;
    return runs[2];
}

static void make_ready_late(void *arg)
{
    ex_wait(timer_is_over, NULL, -1);
    make_ready(arg);
}

/* A worker looks at descriptors between its tasks while another sleeps in epoll, and must leave it
 * the kick for the timer. */
static void look_beside_the_poller(void)
{
    begin(2, 3);
    poll.waiting = 1;
    workers[0].tick = workers[1].tick = 426;
    tasks[0].fn = arm_one;
    ex_thread(make_ready_late, NULL);
    from_outside_comes(&tasks[0]);
}

/* A timer fires, or one of those who cancel it is told that it did so: one of them. */
static struct weft__timer shot;
static int shots, cancels;

static void fire_shot(struct weft__timer *timer, int64_t now)
{
    (void)timer;
    (void)now;
    shots++;
}

static void cancel_shot(void *arg)
{
    (void)arg;
    bool was = weft__timer_cancel(&shot);
    cancels += was;
    EX_CHECK(shots + cancels == 1 && "a timer is not over when cancel returned");
}

static void arm_and_cancel(void *arg)
{
    shots = cancels = 0;
    shot = (struct weft__timer){0};
    weft__timer_init(&shot, fire_shot);
    EX_CHECK(weft__timer_start(&shot, ex.now + 200000));
    spawn((struct weft_task *)arg + 1);
    cancel_shot(NULL);
}

static void cancel_against_fire(void)
{
    begin(2, 2);
    tasks[0].fn = arm_and_cancel;
    tasks[1].fn = cancel_shot;
    put_first(&tasks[0]);
}

/* A timer, a descriptor and a task from outside in one. */
static void all_kinds(void)
{
    begin(2, 3);
    poll.waiting = 1;
    tasks[0].fn = arm_one;
    ex_thread(make_ready, NULL);
    from_outside_comes(&tasks[0]);
}

/* The monitor sleeps when all sleep, and is awake when a worker computes. */
static void with_monitor(void)
{
    begin(2, 3);
    tasks[0].fn = spawn_two;
    ex_thread(watch, NULL);
    from_outside_comes(&tasks[0]);
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"spawns", spawns, stuck, end, 2},
        {"spawns_among_three", spawns_among_three, stuck, end, 2},
        {"computes_meanwhile", computes_meanwhile, stuck, end, 3},
        {"two_compute", two_compute, stuck, end, 3},
        {"from_outside", from_outside, stuck, end, 3},
        {"descriptor", descriptor, stuck, end, 3},
        {"descriptor_among_three", descriptor_among_three, stuck, end, 2},
        {"timers", timers, stuck, end, 2},
        {"look_beside_the_poller", look_beside_the_poller, stuck, end, 2},
        {"cancel_against_fire", cancel_against_fire, stuck, end, 3},
        {"all_kinds", all_kinds, stuck, end, 2},
        {"with_monitor", with_monitor, stuck, end, 2},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
