/* What ends the program: each in a child process, with its one line and its status. */
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>

#include "runtime/test/ending.h"

/* Where a task waits is found by its stack, on which the runtime stands first if it is no module of
 * its own. */
#ifdef RUNTIME_INSIDE
#define WAITS_IN ""
#else
#define WAITS_IN "misuse_chan_recv+0x"
#endif

/* Not static, and linked with -rdynamic: the loader knows the names. */
#define CALL(name, call)                                                                           \
    __attribute__((noinline)) void name(void *arg);                                                \
    void name(void *arg)                                                                           \
    {                                                                                              \
        call;                                                                                      \
        __asm__ volatile("" ::: "memory"); /* no jump in place of the call */                      \
    }

CALL(misuse_close_first, weft_chan_close(arg))
CALL(misuse_close, weft_chan_close(arg))
CALL(misuse_send, weft_chan_send(arg, NULL))
CALL(misuse_done_first, weft_waitgroup_done(arg))
CALL(misuse_done, weft_waitgroup_done(arg))
CALL(misuse_yield, (void)arg; weft_yield())
CALL(misuse_add, weft_waitgroup_add(arg, 1))
CALL(misuse_wait, weft_waitgroup_wait(arg))
CALL(misuse_unlock_first, weft_mutex_unlock(arg))
CALL(misuse_unlock, weft_mutex_unlock(arg))
CALL(misuse_unlock_rw_first, weft_rwmutex_unlock(arg))
CALL(misuse_unlock_rw, weft_rwmutex_unlock(arg))
CALL(misuse_runlock_inlined, weft_rwmutex_runlock(arg))

/* The function of the library. */
static void (*volatile runlock)(struct weft_rwmutex *rw) = weft_rwmutex_runlock;
CALL(misuse_runlock_first, runlock(arg))
CALL(misuse_runlock, runlock(arg))
CALL(misuse_sem_release_first, weft_sem_release(arg, 1))
CALL(misuse_sem_release, weft_sem_release(arg, 1))
CALL(misuse_sem_new, (void)arg; weft_sem_new(-1))
CALL(misuse_ticker_new, (void)arg; weft_ticker_new(0))
CALL(misuse_ticker_reset, weft_ticker_reset(arg, -1))
CALL(misuse_timer_free, weft_timer_free(arg))
CALL(misuse_nil_key, weft_ctx_with_value(arg, NULL, NULL))
CALL(misuse_exit, if (arg == NULL) weft_exit())
CALL(misuse_chan_recv, weft_chan_recv(arg, NULL))
CALL(misuse_chan_release, weft_chan_release(arg))
CALL(misuse_cancel, weft_ctx_cancel(arg))

static struct weft_ctx *value_ctx;
CALL(misuse_with_value, value_ctx = weft_ctx_with_value(NULL, &value_ctx, arg))

static struct weft_cond cond;
CALL(misuse_cond_wait, weft_cond_wait(&cond, arg))

static struct weft_map *map;
CALL(misuse_map_set, weft_map_set(map, arg, NULL))
CALL(misuse_map_get, weft_map_get(map, arg))

static void send_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 1);
    misuse_close(c);
    misuse_send(c);
}

static void close_later(void *arg)
{
    weft_chan_close(arg);
}

static void closed_while_sending(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    weft_go(close_later, c);
    weft_chan_send(c, NULL);
}

static void select_send_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_SEND(c, NULL), WEFT_RECV(NULL, NULL)};
    weft_go(close_later, c);
    weft_select(cases, 2, WEFT_FOREVER);
}

static void close_twice(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 1);
    weft_set_name("closer");
    misuse_close_first(c);
    misuse_close(c);
}

static void close_nil(void *arg)
{
    (void)arg;
    weft_chan_close(NULL);
}

static void negative_group(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    misuse_done(&wg);
}

static void done_too_often(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    weft_waitgroup_add(&wg, 1);
    misuse_done_first(&wg);
    misuse_done(&wg);
}

/* The last one of the group is done, and so is the task that the group began. */
static void done_by_group(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    weft_waitgroup_go(&wg, misuse_yield, NULL);
    weft_waitgroup_wait(&wg);
    misuse_done(&wg);
}

static void until_one_waits(void)
{
    struct weft_stats stats = {0};
    while (stats.tasks_waiting == 0) {
        weft_yield();
        weft_stats(&stats);
    }
}

/* The last one is done, and has not come to waking whoever waits. */
static void group_reused(void *arg)
{
    (void)arg;
    static struct weft_waitgroup wg;
    weft_waitgroup_add(&wg, 1);
    weft_go(misuse_wait, &wg);
    until_one_waits();
    __atomic_sub_fetch(&wg.state, UINT64_C(1) << 32, __ATOMIC_SEQ_CST);
    misuse_add(&wg);
}

static void unlock_free(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    misuse_unlock(&m);
}

static void unlock_twice(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    weft_set_name("unlocker");
    weft_mutex_lock(&m);
    misuse_unlock_first(&m);
    misuse_unlock(&m);
}

static void unlock_free_rw(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_unlock(&m);
}

static void unlock_rw_twice(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    misuse_unlock_rw_first(&m);
    misuse_unlock_rw(&m);
}

/* In place of an unlock. */
static void runlock_free(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    misuse_unlock_rw_first(&m);
    misuse_runlock_inlined(&m);
}

static void runlock_twice(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_rlock(&m);
    misuse_runlock_first(&m);
    misuse_runlock(&m);
}

/* A writer is inside. */
static void runlock_of_a_writer(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_rlock(&m);
    misuse_runlock_first(&m);
    weft_rwmutex_lock(&m);
    misuse_runlock(&m);
}

static void unlock_under_a_wait(void *arg)
{
    until_one_waits();
    misuse_unlock(arg);
}

/* The wait gave the mutex up. */
static void unlock_beside_a_wait(void *arg)
{
    static struct weft_mutex m;
    (void)arg;
    weft_mutex_lock(&m);
    weft_go(unlock_under_a_wait, &m);
    misuse_cond_wait(&m);
}

static void sem_released_twice(void *arg)
{
    (void)arg;
    struct weft_sem *sem = weft_sem_new(2);
    weft_sem_acquire(sem, NULL, 1);
    misuse_sem_release_first(sem);
    misuse_sem_release(sem);
}

static void release_under_a_wait(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    weft_go(misuse_chan_recv, c);
    until_one_waits();
    misuse_chan_release(c);
}

static void cancel_of_a_value(void *arg)
{
    misuse_with_value(arg);
    misuse_cancel(value_ctx);
}

static void get_meanwhile(int number)
{
    (void)number;
    misuse_map_get("key");
}

/* In the midst of a change: its key cannot be read. */
static void map_of_two(void *arg)
{
    (void)arg;
    struct sigaction get = {.sa_handler = get_meanwhile, .sa_flags = SA_ONSTACK};
    void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &get, NULL);
    map = weft_map_new(0, 0);
    misuse_map_set(nowhere);
}

static void bad_ticker(void *arg)
{
    misuse_ticker_new(arg);
}

static void bad_interval(void *arg)
{
    (void)arg;
    misuse_ticker_reset(weft_ticker_new(WEFT_S));
}

#ifndef __SANITIZE_ADDRESS__ /* which says more of it */
static struct weft_timer *timer;
CALL(misuse_timer_new, timer = weft_timer_func(WEFT_S, misuse_yield, arg))

static void free_twice(void *arg)
{
    misuse_timer_new(arg);
    misuse_timer_free(timer);
    misuse_timer_free(timer);
}
#endif

static void nil_key(void *arg)
{
    (void)arg;
    misuse_nil_key(weft_ctx_background());
}

static void negative_size(void *arg)
{
    misuse_sem_new(arg);
}

static void exit_outside(void *arg)
{
    weft_blocking(misuse_exit, arg);
}

static void sleep_on_nobody(void *arg)
{
    weft_set_name("reader");
    weft_chan_recv(arg, NULL);
}

static void deadlock(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    weft_go(sleep_on_nobody, weft_chan_new(0, 0));
    weft_yield();
    weft_mutex_lock(&m);
    weft_mutex_lock(&m);
}

static void *wait_in_a_thread(void *arg)
{
    weft_chan_recv(arg, NULL);
    return NULL;
}

/* A plain thread that waits itself wakes nobody. */
static void deadlock_with_a_thread(void *arg)
{
    pthread_t id;
    (void)arg;
    CHECK(pthread_create(&id, NULL, wait_in_a_thread, weft_chan_new(0, 0)) == 0);
    weft_chan_recv(weft_chan_new(0, 0), NULL);
}

/* The last one awake is one that has locked its thread. */
static void deadlock_of_a_locked_one(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    weft_sleep(WEFT_MS);
    weft_chan_recv(arg, NULL);
}

static void nil_deadlock(void *arg)
{
    (void)arg;
    weft_select(NULL, 0, WEFT_FOREVER);
}

/* ---- waits that end by themselves, or by a signal: no deadlock ---- */

static void wait_in_poll(void *arg)
{
    int ends[2];
    (void)arg;
    CHECK(pipe(ends) == 0);
    alarm(1);
    weft_poll(ends[0], POLLIN, WEFT_FOREVER);
}

static void block(void *arg)
{
    (void)arg;
    usleep(200000);
}

static void wait_in_call(void *arg)
{
    (void)arg;
    weft_blocking(block, NULL);
}

static void wait_for_timer(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_after(200 * WEFT_MS);
    weft_chan_recv(c, NULL);
    weft_chan_release(c);
}

static const struct ending cases[] = {
    {send_on_closed,
     -SIGABRT,
     {"weft: send on closed channel (task ", "): 0x", ", at misuse_send+0x",
      "; closed at misuse_close+0x"}},
    {closed_while_sending, -SIGABRT, {"weft: send on closed channel (task "}},
    {select_send_on_closed,
     -SIGABRT,
     {"weft: send on closed channel (task ", "): 0x", ", at ", "; closed at "}},
    {close_twice,
     -SIGABRT,
     {"weft: close of closed channel (task ", " \"closer\"): 0x", ", at misuse_close+0x",
      "; closed before at misuse_close_first+0x"}},
    {close_nil, -SIGABRT, {"weft: close of nil channel (task "}},
    {negative_group,
     -SIGABRT,
     {"weft: negative waitgroup count (task ", "): 0x", ", at misuse_done+0x"}},
    {done_too_often,
     -SIGABRT,
     {"weft: negative waitgroup count (task ", ", at misuse_done+0x",
      "; counted down before at misuse_done_first+0x"}},
    {done_by_group,
     -SIGABRT,
     {"weft: negative waitgroup count (task ", ", at misuse_done+0x",
      "; counted down before at misuse_yield+0x"}},
    {group_reused,
     -SIGABRT,
     {"weft: waitgroup misuse: add from zero while a wait is on its way (task ", "): 0x",
      ", at misuse_add+0x", "; waited for at misuse_wait+0x"}},
    {unlock_free,
     -SIGABRT,
     {"weft: unlock of unlocked mutex (task ", "): 0x", ", at misuse_unlock+0x"}},
    {unlock_twice,
     -SIGABRT,
     {"weft: unlock of unlocked mutex (task ", " \"unlocker\"): 0x", ", at misuse_unlock+0x",
      "; unlocked before at misuse_unlock_first+0x"}},
    {unlock_free_rw, -SIGABRT, {"weft: unlock of unlocked rwmutex (task "}},
    {unlock_rw_twice,
     -SIGABRT,
     {"weft: unlock of unlocked rwmutex (task ", ", at misuse_unlock_rw+0x",
      "; unlocked before at misuse_unlock_rw_first+0x"}},
    {runlock_free,
     -SIGABRT,
     {"weft: runlock of rwmutex that is not read-locked (task ", ", at misuse_runlock_inlined+0x",
      "; unlocked by a writer at misuse_unlock_rw_first+0x"}},
    {runlock_twice,
     -SIGABRT,
     {"weft: runlock of rwmutex that is not read-locked (task ", ", at misuse_runlock+0x",
      "; read-unlocked before at misuse_runlock_first+0x"}},
    {runlock_of_a_writer,
     -SIGABRT,
     {"weft: runlock of rwmutex that is not read-locked (task ", ", at misuse_runlock+0x",
      "; read-unlocked before at misuse_runlock_first+0x"}},
    {unlock_beside_a_wait,
     -SIGABRT,
     {"weft: unlock of unlocked mutex (task ", ", at misuse_unlock+0x",
      "; unlocked before at misuse_cond_wait+0x"}},
    {sem_released_twice,
     -SIGABRT,
     {"weft: semaphore released more than held (task ", "): 0x", ", at misuse_sem_release+0x",
      "; released before at misuse_sem_release_first+0x"}},
    {release_under_a_wait,
     -SIGABRT,
     {"weft: release of a channel on which tasks wait (task ", "): 0x",
      ", at misuse_chan_release+0x", "; one waits at " WAITS_IN}},
    {cancel_of_a_value,
     -SIGABRT,
     {"weft: cancel of a context that only has a value (task ", "): 0x", ", at misuse_cancel+0x",
      "; made at misuse_with_value+0x"}},
    {map_of_two,
     -SIGABRT,
     {"weft: concurrent use of a map (task ", "): 0x", ", at misuse_map_get+0x",
      "; it is changed at misuse_map_set+0x"}},
    {bad_ticker,
     -SIGABRT,
     {"weft: non-positive interval for a ticker (task ", ", at misuse_ticker_new+0x"}},
    {bad_interval,
     -SIGABRT,
     {"weft: non-positive interval for a ticker (task ", "): 0x", ", at misuse_ticker_reset+0x"}},
#ifndef __SANITIZE_ADDRESS__
    {free_twice,
     -SIGABRT,
     {"weft: free of a freed timer (task ", "): 0x", ", at misuse_timer_free+0x",
      "; made at misuse_timer_new+0x"}},
#endif
    {nil_key,
     -SIGABRT,
     {"weft: nil key of a context value (task ", "): 0x", ", at misuse_nil_key+0x"}},
    {negative_size,
     -SIGABRT,
     {"weft: negative size of a semaphore (task ", ", at misuse_sem_new+0x"}},
    {exit_outside,
     -SIGABRT,
     {"weft: weft_exit outside a task (outside a task)", ", at misuse_exit+0x"}},
    {deadlock,
     2,
     {"weft: all tasks are asleep - deadlock!\n", " waiting [mutex lock", " (main task)\n",
      " \"reader\" waiting [chan receive"}},
    {deadlock_with_a_thread, 2, {"weft: all tasks are asleep - deadlock!\n"}},
    {deadlock_of_a_locked_one,
     2,
     {"weft: all tasks are asleep - deadlock!\n", ", thread locked (main task)\n"}},
    {nil_deadlock, 2, {"weft: all tasks are asleep - deadlock!\n", " waiting [select (no cases)"}},
    {wait_in_call, 0, {NULL}},
    {wait_for_timer, 0, {NULL}},
    {wait_in_poll, -SIGALRM, {NULL}},
};

int main(int argc, char **argv)
{
    return test_endings(argc, argv, cases, sizeof cases / sizeof *cases);
}
