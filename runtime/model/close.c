/*
 * Calls on a descriptor beside its close, and its number used anew at once: no call hands the
 * kernel a number that has become another file's since it was counted, a file is closed once, and
 * nobody waits for ever. The code under test is use.h and use.c; the waits are those of netpoll.c
 * in short.
 *
 * close(2) happens here in the moment in which the mark is taken away. A call that comes between
 * the two is one that began after the descriptor was closed.
 */
#include <assert.h>
#include <loiter.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/model/explore.h"

#pragma GCC diagnostic ignored "-Wunused-value" /* of the builtins as statements */

#define sched_yield()  ex_yield()
#define nanosleep(...) ex_yield()
#define close(fd)      close_in_kernel(fd)
static int close_in_kernel(int fd);
/* The code under test: */
#include "runtime/io/use.c"
#undef close

enum { NUMBER = 5, FILES = 4 };

static struct weft__fd state;
static int file, closed[FILES]; /* whose the number is, 0: nobody's; how often each was closed */
static int files, wins, refused;
static unsigned waiting;
static bool event, evicted, left;

/* ---- the rest of the runtime ---- */

static int close_in_kernel(int fd)
{
    EX_CHECK(fd == NUMBER);
    if (file == 0) {
        errno = EBADF;
        return -1;
    }
    closed[file]++;
    file = 0;
    return 0;
}

ssize_t weft__failed(void)
{
    return -errno;
}

struct weft__fd *weft__fd_find(int fd)
{
    (void)fd;
    return &state;
}

struct weft__fd *weft__fd_get(int fd)
{
    return weft__fd_find(fd);
}

__thread struct weft__worker *weft__current_worker;

struct weft_task *weft__bound_self(void)
{
    return NULL;
}

void weft_yield(void) {}

void weft_sleep(int64_t ns)
{
    (void)ns;
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

void weft__fd_forget(int fd)
{
    (void)fd;
    weft__lock(&state.lock);
    evicted = waiting != 0;
    weft__use_evict(&state, waiting);
    waiting = 0;
    weft__unlock(&state.lock);
}

void weft__fd_closed(int fd)
{
    (void)fd;
}

static bool is_over(void *arg)
{
    (void)arg;
    return event || evicted;
}

/* One task at most waits here. */
static int park(void)
{
    weft__lock(&state.lock);
    if (weft__use_is_closing(&state)) {
        weft__unlock(&state.lock);
        return -EBADF;
    }
    waiting++;
    weft__unlock(&state.lock);
    ex_wait(is_over, NULL, -1);
    weft__lock(&state.lock);
    bool by_close = evicted;
    weft__unlock(&state.lock);
    return by_close ? WEFT__CLOSED : 0;
}

/* ---- the scenarios ---- */

/* What the kernel is asked for the file that it was when the call was counted. */
static void ask_kernel(int mine)
{
    uint64_t run = state.users / WEFT__USE_RUN;
    (void)weft__use_is_closing(&state); /* others may go on here */
    if (state.users / WEFT__USE_RUN != run)
        return; /* its run is over: nobody waits for it */
    EX_CHECK(file == mine && "a call touches what got the number");
}

static void call(void *arg)
{
    struct weft__use use;
    bool waits = arg;
    if (!weft__use_begin(&use, NUMBER)) {
        refused++;
        return;
    }
    int mine = file, r = 0;
    if (mine != 0) { /* else the kernel says so */
        ask_kernel(mine);
        if (waits && mine == 1 && (r = park()) == 0)
            ask_kernel(mine);
    }
    weft__use_result(&use, r);
}

static void call_twice(void *arg)
{
    call(arg);
    call(arg);
}

static void call_that_stalls(void *arg)
{
    struct weft__use use;
    (void)arg;
    if (!weft__use_begin(&use, NUMBER))
        return;
    int mine = file;
    weft__use_stall(&use);
    if (mine != 0 && state.users / WEFT__USE_RUN == use.run)
        ask_kernel(mine);
    weft__use_go_on(&use);
    weft__use_end(&use);
}

static void close_it(void *arg)
{
    (void)arg;
    int r = weft_close(NUMBER);
    EX_CHECK(r == 0 || r == -EBADF);
    wins += r == 0;
}

static void wake(void *arg)
{
    (void)arg;
    weft__lock(&state.lock);
    if (waiting != 0) {
        waiting--;
        event = true;
    }
    weft__unlock(&state.lock);
}

static bool is_nobodys(void *arg)
{
    (void)arg;
    return file == 0;
}

/* Nobody else closes this one. */
static void use_anew(void *arg)
{
    struct weft__use use;
    (void)arg;
    ex_wait(is_nobodys, NULL, -1);
    file = ++files;
    EX_CHECK(weft__use_begin(&use, NUMBER) && "a new file is taken for closed");
    ask_kernel(files);
    weft__use_end(&use);
}

/* A task whose turn never comes again. */
static void call_for_good(void *arg)
{
    struct weft__use use;
    (void)arg;
    (void)weft__use_begin(&use, NUMBER);
    left = true;
}

static bool is_left(void *arg)
{
    (void)arg;
    return left;
}

/* The run ends, and what it left is closed if it is not yet. */
static void end_run(void *arg)
{
    ex_wait(is_left, NULL, -1);
    weft__lock(&state.lock);
    if (weft__use_abandon(&state))
        close_in_kernel(NUMBER);
    weft__unlock(&state.lock);
    if (file == 1)
        close_it(arg);
}

static void begin(void)
{
    state = (struct weft__fd){.fd = NUMBER};
    memset(closed, 0, sizeof closed);
    file = files = 1;
    wins = refused = 0;
    waiting = 0;
    event = evicted = left = false;
}

static void reused(void)
{
    begin();
    ex_thread(call, (void *)1);
    ex_thread(close_it, NULL);
    ex_thread(use_anew, NULL);
}

static void woken(void)
{
    begin();
    ex_thread(call, (void *)1);
    ex_thread(wake, NULL);
    ex_thread(close_it, NULL);
    ex_thread(use_anew, NULL);
}

static void many_calls(void)
{
    begin();
    ex_thread(call_twice, NULL);
    ex_thread(call_twice, NULL);
    ex_thread(close_it, NULL);
    ex_thread(use_anew, NULL);
}

static void two_closes(void)
{
    begin();
    ex_thread(call, NULL);
    ex_thread(close_it, NULL);
    ex_thread(close_it, NULL);
}

static void stalled(void)
{
    begin();
    ex_thread(call_that_stalls, NULL);
    ex_thread(call, NULL);
    ex_thread(close_it, NULL);
    ex_thread(use_anew, NULL);
}

static void run_ends(void)
{
    begin();
    ex_thread(call_for_good, NULL);
    ex_thread(call_that_stalls, NULL);
    ex_thread(end_run, NULL);
}

static void run_ends_beside_a_close(void)
{
    run_ends();
    ex_thread(close_it, NULL);
}

static void end(void)
{
    EX_CHECK(closed[1] == 1 && "a file is closed once");
    EX_CHECK(file == (files > 1 ? files : 0));
    EX_CHECK(wins == 1 && "one close wins");
    EX_CHECK((state.users & (WEFT__USE_RUN - 1)) == 0 && "somebody stays counted");
}

/* Both closes may have won: the first was undone by the end of the run. */
static void end_of_run(void)
{
    EX_CHECK(closed[1] == 1 && file == 0 && wins >= 1);
    EX_CHECK((state.users & (WEFT__USE_RUN - 1)) == 0 && "somebody stays counted");
}

static void never_stuck(void)
{
    ex_fail("somebody waits for ever");
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"reused", reused, never_stuck, end, 4},
        {"woken", woken, never_stuck, end, 3},
        {"many_calls", many_calls, never_stuck, end, 3},
        {"two_closes", two_closes, never_stuck, end, 4},
        {"stalled", stalled, never_stuck, end, 3},
        {"run_ends", run_ends, never_stuck, end, 4},
        {"run_ends_beside_a_close", run_ends_beside_a_close, never_stuck, end_of_run, 3},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
