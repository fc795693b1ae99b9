/*
 * The readers-writer mutex: writers are alone, nobody sleeps for ever, and who may free the memory
 * after its unlock finds nobody in it. The code under test is rwmutex.c; parking is a stub.
 *
 * A task has two threads here, as in select.c: its own, and a carrier that gives up the guard once
 * the task has left its stack.
 */
#include <assert.h>
#include <loiter.h>
#include <sys/socket.h>
#include <weft.h>

#include "runtime/model/explore.h"

/* The code under test: */
#define wait wait_for_it
#include "runtime/sync/rwmutex.c"
#undef wait

enum { TASKS = 3 };
enum { RUNNING, PARKED, READY };

static struct weft_task tasks[TASKS];
static int states[TASKS];
static unsigned task_of[EX_THREADS]; /* plus one; 0: a carrier */
static unsigned live;
static bool over[TASKS];
static uint32_t *to_unlock[TASKS];
static bool starving; /* whoever waits has done so for long */

static struct weft_rwmutex rw;
static int readers, writers, users;
static bool freed;

/* ---- the rest of the runtime ---- */

uint32_t weft__open_epoch = 1;
intptr_t weft__watched;
__thread struct weft__worker *weft__current_worker;
uint32_t weft__coarse_ms;

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

int64_t weft_now(void)
{
    static int64_t now;
    return now += starving ? 2 * WEFT_MS : 0;
}

struct weft_task *weft__self_or_die(void)
{
    EX_CHECK(task_of[ex.current] != 0);
    return &tasks[task_of[ex.current] - 1];
}

struct weft_task *weft__bound_self(void)
{
    return NULL;
}

void weft__will_lock(struct weft_task *t, enum weft__wait why, const void *lock,
                     const struct weft__place *at)
{
    (void)t, (void)why, (void)lock, (void)at;
}

static bool is_ready(void *state)
{
    return *(int *)state == READY;
}

void weft__park(struct weft_task *t, uint32_t *lock)
{
    unsigned i = (unsigned)(t - tasks);
    states[i] = PARKED;
    ex_drain_mine();
    to_unlock[i] = lock;
    ex_wait(is_ready, &states[i], -1);
    states[i] = RUNNING;
}

void weft__ready(struct weft_task *t, const void *object)
{
    (void)object;
    ex_schedule();
    EX_CHECK(states[t - tasks] == PARKED && "a task is woken that does not sleep");
    states[t - tasks] = READY;
}

void weft__ready_tail(struct weft_task *t, const void *object)
{
    weft__ready(t, object);
}

/* ---- threads ---- */

static bool has_job(void *arg)
{
    return to_unlock[(uintptr_t)arg] || live == 0;
}

static void carry(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;
    for (;;) {
        ex_wait(has_job, arg, -1);
        if (!to_unlock[i])
            return;
        uint32_t *lock = to_unlock[i];
        to_unlock[i] = NULL;
        weft__unlock(lock);
    }
}

static void nothing_stuck(void)
{
    ex_fail("all tasks sleep");
}

/* ---- what the tasks do ---- */

/* Who gives up the last share may free what the mutex lies in. */
static void give_up_share(void)
{
    users--;
}

static void free_if_last(bool last)
{
    if (!last)
        return;
    freed = true;
    memset(&rw, 0x5a, sizeof rw); /* a guard that is taken for ever */
}

static void read_it(void)
{
    weft_rwmutex_rlock(&rw);
    readers++;
    ex_schedule();
    EX_CHECK(writers == 0 && "a reader beside a writer");
    readers--;
    give_up_share();
    weft_rwmutex_runlock(&rw);
}

static void write_it(void)
{
    weft_rwmutex_lock(&rw);
    EX_CHECK(writers++ == 0 && "two writers");
    ex_schedule();
    EX_CHECK(readers == 0 && "a writer beside a reader");
    writers--;
    give_up_share();
    bool last = users == 0;
    weft_rwmutex_unlock(&rw);
    free_if_last(last);
}

static bool others_wait(void *me)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (&tasks[i] != me && !over[i] && (states[i] != PARKED || to_unlock[i]))
            return false;
    }
    return true;
}

/* All others are in the queue, or through. */
static void write_until_others_wait(void)
{
    weft_rwmutex_lock(&rw);
    ex_wait(others_wait, weft__self_or_die(), -1);
    give_up_share();
    weft_rwmutex_unlock(&rw);
}

static void read_twice(void)
{
    users++;
    read_it();
    read_it();
}

static void write_twice(void)
{
    users++;
    write_it();
    write_it();
}

static void try_both(void)
{
    if (weft_rwmutex_try_rlock(&rw) == 0) {
        EX_CHECK(writers == 0);
        weft_rwmutex_runlock(&rw);
    }
    if (weft_rwmutex_try_lock(&rw) == 0) {
        EX_CHECK(writers == 0 && readers == 0);
        weft_rwmutex_unlock(&rw);
    }
}

static void (*bodies[TASKS])(void);

static void task_main(void *arg)
{
    bodies[(uintptr_t)arg]();
    over[(uintptr_t)arg] = true;
    live--;
}

static void begin(bool starve, void (*const fns[TASKS])(void))
{
    memset(tasks, 0, sizeof tasks);
    memset(states, 0, sizeof states);
    memset(to_unlock, 0, sizeof to_unlock);
    memset(task_of, 0, sizeof task_of);
    memset(over, 0, sizeof over);
    memset(&rw, 0, sizeof rw);
    readers = writers = 0;
    freed = false;
    starving = starve;
    users = live = TASKS;
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].epoch = weft__open_epoch;
        bodies[i] = fns[i];
        task_of[ex.count] = i + 1;
        ex_thread(task_main, (void *)(uintptr_t)i);
        ex_thread(carry, (void *)(uintptr_t)i);
    }
}

static void end(void)
{
    const unsigned char *bytes = (const unsigned char *)&rw;
    for (size_t i = 0; freed && i < sizeof rw; i++)
        EX_CHECK(bytes[i] == 0x5a && "written to after it was freed");
    EX_CHECK(freed || (rw.state == 0 && !rw.read_waiters.head && !rw.write_waiters.head));
}

#define SCENARIO(name, starve, ...)                                                                \
    static void name(void)                                                                         \
    {                                                                                              \
        begin(starve, (void (*const[TASKS])(void)){__VA_ARGS__});                                  \
    }
SCENARIO(two_readers, false, write_it, read_it, read_it)
SCENARIO(two_writers, false, write_it, write_it, read_it)
SCENARIO(again, false, write_twice, read_twice, write_it)
SCENARIO(starving_readers, true, write_it, read_it, read_it)
SCENARIO(starving_writers, true, write_twice, read_it, write_it)
SCENARIO(row_of_readers, false, write_until_others_wait, read_it, read_it)
SCENARIO(reader_and_writer, false, write_until_others_wait, read_it, write_it)
SCENARIO(tries, false, write_it, try_both, read_it)

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"two_readers", two_readers, nothing_stuck, end, 3},
        {"two_writers", two_writers, nothing_stuck, end, 3},
        {"again", again, nothing_stuck, end, 2},
        {"starving_readers", starving_readers, nothing_stuck, end, 3},
        {"starving_writers", starving_writers, nothing_stuck, end, 3},
        {"row_of_readers", row_of_readers, nothing_stuck, end, 3},
        {"reader_and_writer", reader_and_writer, nothing_stuck, end, 3},
        {"tries", tries, nothing_stuck, end, 3},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
