/*
 * Workers for a model: idle.c, queue.c, timers.c, heap.c, deadlock.c and monitor.c as they are; the
 * kernel (futex, epoll with its eventfd, time) and the rest of the runtime as stubs.
 */
#ifndef WEFT_MODEL_WORKERS_H
#define WEFT_MODEL_WORKERS_H

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <loiter.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/model/explore.h"

#pragma GCC diagnostic ignored "-Wunused-value" /* of the builtins as statements */

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

/* ---- the kernel and the rest of the runtime ---- */

static struct {
    uint32_t waiting; /* tasks that wait for the descriptor */
    bool event;       /* it is ready */
    unsigned kicks;
} poll;

static unsigned kicks_made;
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
            kicks_made++;
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
    kicks_made++;
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

#endif
