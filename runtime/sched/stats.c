/* Numbers of the open run: each worker counts for itself, they are summed when somebody asks. */
#include <errno.h>

#include "runtime/sched/inside.h"

struct count {
    uint32_t epoch;
    struct weft_stats *stats;
};

__attribute__((no_sanitize("thread"))) static void count_task(struct weft_task *t, void *arg)
{
    struct count *count = arg;
    const struct weft__worker *w = __atomic_load_n(&t->worker, __ATOMIC_RELAXED);
    /* Not by weft__epoch_of, which the sanitizer keeps out of this function. */
    if ((t->epoch & ~WEFT__BOUND) != count->epoch)
        return;
    if (__atomic_load_n(&t->wait, __ATOMIC_RELAXED) != WEFT__WAIT_NONE)
        count->stats->tasks_waiting++;
    else if (w && __atomic_load_n(&w->current, __ATOMIC_RELAXED) == t)
        count->stats->tasks_running++;
    else
        count->stats->tasks_runnable++;
}

int weft_stats(struct weft_stats *stats)
{
    *stats = (struct weft_stats){0};
    struct weft__run *run = weft__visit();
    if (run) {
        struct count count = {run->epoch, stats};
        weft__task_each(count_task, &count);
        for (unsigned i = 0; i < __atomic_load_n(&run->slots, __ATOMIC_ACQUIRE); i++) {
            const struct weft__worker *w = run->worker[i];
            stats->switches += __atomic_load_n(&w->switches, __ATOMIC_RELAXED);
            stats->parks += __atomic_load_n(&w->parks, __ATOMIC_RELAXED);
            stats->steals += __atomic_load_n(&w->steals, __ATOMIC_RELAXED);
        }
        stats->long_runs = __atomic_load_n(&run->long_runs, __ATOMIC_RELAXED);
        stats->workers = run->workers;
        stats->blocking_threads = __atomic_load_n(&weft__pool_threads, __ATOMIC_RELAXED);
        stats->threads = __atomic_load_n(&run->threads, __ATOMIC_RELAXED) + stats->blocking_threads;
    }
    weft__leave();
    return run ? 0 : -ESRCH;
}
