/*
 * No task can ever run again: the report, and the end of the process.
 *
 * A task that waits for a timer, a descriptor or a blocking call will run again. A thread that is
 * not ours may make a task ready, so as long as there is one that does not wait itself nothing is
 * certain; it is counted in /proc, less our own and those whose name begins with "loiter", which
 * never touch a task; nor does the main thread once it has ended, which stays in the list. A list
 * of the threads may end early when one of them dies meanwhile: their number is asked for by
 * itself, and the list tells only who is not to be minded.
 */
#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/io/netpoll.h"
#include "runtime/sched/bound.h"
#include "runtime/sched/dump.h"
#include "runtime/sched/inside.h"
#include "runtime/time/timers.h"

enum { EXIT_DEADLOCK = 2 };

#ifdef WEFT_TSAN
enum { TOOL_THREADS = 1 }; /* its background thread */
#else
enum { TOOL_THREADS = 0 };
#endif

static const char *const wait_names[] = {
#define X(name, text, kind) text,
    WEFT_WAITS(X)
#undef X
};

const char *weft__wait_name(unsigned wait)
{
    return wait_names[wait];
}

static bool is_tool(const char *tid)
{
    char path[64], name[16] = "";
    snprintf(path, sizeof path, "/proc/self/task/%.20s/comm", tid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false; /* it has just ended */
    if (!fgets(name, sizeof name, f))
        name[0] = '\0';
    fclose(f);
    return strncmp(name, "loiter", 6) == 0;
}

/* No other thread stays in the list when it has ended. */
static bool is_ended_main(const char *tid)
{
    char line[128], state = '?';
    if (strtol(tid, NULL, 10) != getpid())
        return false;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "State: %c", &state) == 1)
            break;
    }
    if (f)
        fclose(f);
    return state == 'Z';
}

/* Those that are about to end included; very many if that cannot be had. */
static uint32_t count_threads(void)
{
    char line[128];
    uint32_t count = INT32_MAX;
    FILE *f = fopen("/proc/self/status", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "Threads: %" SCNu32, &count) == 1)
            break;
    }
    if (f)
        fclose(f);
    return count;
}

static uint32_t count_unminded(void)
{
    uint32_t count = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *e; dir && (e = readdir(dir));)
        count += isdigit((unsigned char)e->d_name[0]) &&
                 (is_tool(e->d_name) || is_ended_main(e->d_name));
    if (dir)
        closedir(dir);
    return count;
}

static bool foreign_threads(struct weft__run *run)
{
    uint32_t unminded = count_unminded(), count = count_threads();
    /* One more is the caller of weft_run. Stragglers of earlier runs are none of ours. */
    uint32_t ours = __atomic_load_n(&run->threads, __ATOMIC_SEQ_CST) + 1 +
                    __atomic_load_n(&weft__pool_threads, __ATOMIC_SEQ_CST);
    int64_t waiting = __atomic_load_n(&weft__outside_asleep, __ATOMIC_SEQ_CST);
    return count > ours + TOOL_THREADS + unminded + waiting;
}

static void print_task(struct weft_task *t, void *arg)
{
    struct weft__run *run = arg;
    weft__dump_task(t, run->epoch, t == run->main ? " (main task)" : "", STDERR_FILENO);
}

/* Another thread of ours is to make a task ready. It says that it is done only after that, when the
 * task may have run on and parked for ever, and wakes nobody then. */
static bool thread_pending(struct weft__run *run)
{
    return __atomic_load_n(&weft__blocking, __ATOMIC_SEQ_CST) != 0 ||
           __atomic_load_n(&run->bound_awake, __ATOMIC_SEQ_CST) != 0 ||
           __atomic_load_n(&run->extras, __ATOMIC_SEQ_CST) != 0 ||
           __atomic_load_n(&run->handing, __ATOMIC_SEQ_CST) != 0;
}

bool weft__nothing_pending(struct weft__run *run)
{
    return weft__timers_next() == INT64_MAX && weft__netpoll_waiting() == 0 &&
           !thread_pending(run) && !weft__ended(run);
}

/* Whoever made a task ready before nothing was pending has taken a worker off the idle list, or
 * left the task in a queue; the poller makes tasks ready while it stands in the list still. */
static bool all_asleep(struct weft__run *run)
{
    weft__lock(&run->idle_lock);
    bool all = run->idle_count == run->workers;
    weft__unlock(&run->idle_lock);
    return all && !weft__work_in_sight(run) && !weft__next_in_sight(run) &&
           weft__nothing_pending(run);
}

struct census {
    const struct weft__run *run;
    uint64_t tasks;
};

static void count_task(struct weft_task *t, void *arg)
{
    struct census *census = arg;
    census->tasks += weft__epoch_of(t) == census->run->epoch;
}

static _Noreturn void report(struct weft__run *run)
{
    struct census census = {.run = run};
    weft__task_each(count_task, &census);
    if (census.tasks == 0) {
        dprintf(STDERR_FILENO, "weft: no tasks (main task called weft_exit) - deadlock!\n");
    } else {
        dprintf(STDERR_FILENO, "weft: all tasks are asleep - deadlock!\n\n");
        weft__task_each(print_task, run);
    }
    LOITER_CALL(loiter_run_end, ());
    exit(EXIT_DEADLOCK);
}

bool weft__check_deadlock(struct weft__run *run)
{
    if (!weft__nothing_pending(run))
        return !thread_pending(run);
    if (!all_asleep(run))
        return true;
    if (foreign_threads(run))
        return false;
    if (!all_asleep(run))
        return true;
    if (__atomic_load_n(&run->starved, __ATOMIC_SEQ_CST) != 0)
        weft__fatal("no memory for the stacks of tasks");
    report(run);
}
