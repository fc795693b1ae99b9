/*
 * leaked-thread.c - threads that wait for what nobody will do, and threads that ended and that
 * nobody joins. What a leak is: waiters.h, leaks.h.
 */
#include "analyzer/rules/groups.h"
#include "analyzer/rules/leaks.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    LEAK_THRESHOLDS("threads"),
    {"growth-sure", 10, 10, "threads", "so many left behind like that; fewer are a note"},
    {"pool-age", 0.1, 0.1, "s", "so long after the last was made, a pool can be told from growth"},
    {"pool-share", 0.1, 0.1, "of the time since", "a pool is made within no more than that"},
    {"stopping-share", 0.05, 0.05, "of the run", "waits that began in that last part of it"},
    {"stopping", 0.1, 0.1, "s", "and so long before its exit at most may be of its making"},
    {"unjoined", 10, 10, "threads", "ended threads of one place that nobody joined or detached"},
    {0},
};

/* ---- ended, and neither joined nor detached: the kernel's thread is gone, its stack is kept ----
 */

static bool is_unjoined(const void *actor)
{
    const struct model_actor *a = actor;
    return !model_is_task(a->id) && a->has_cell && a->state == EL_ACTOR_ENDED &&
           (a->flags & (EL_ACTOR_JOINED | EL_ACTOR_DETACHED | EL_ACTOR_MAIN | EL_ACTOR_WORKER |
                        EL_ACTOR_SYSTEM)) == 0;
}

static int place(const void *a, const void *b)
{
    const struct model_actor *x = a, *y = b;
    return GROUPS_COMPARE(x->created_stack, y->created_stack);
}

static int by_time(const void *a, const void *b)
{
    const struct model_actor *x = a, *y = b;
    return GROUPS_COMPARE(x->created_ns, y->created_ns);
}

/* A thread that ends as the process does may be about to detach itself, as those of GLib do in the
 * destructor of what is thread-local; its maker had no time to join it either. */
static bool ended_before_stop(const struct rule *rule, const struct model_process *p,
                              const struct model_actor *a)
{
    return (double)a->ended_ns + leaks_stopping_ns(rule, p) < (double)p->end_ns;
}

static struct finding *unjoined_finding(const struct rule *rule, const struct model_process *p,
                                        const struct model_actor **list, size_t n)
{
    struct finding *f = finding_create(rule, p);
    const struct model_actor *first = list[0], *last = list[n - 1];
    uint64_t bytes = 0;
    size_t before = 0;
    for (size_t i = 0; i < n; i++) {
        bytes += list[i]->stack_bytes;
        before += ended_before_stop(rule, p, list[i]);
    }
    bool many = (double)before >= rule_threshold(rule, "unjoined");
    f->severity = many ? SEVERITY_WARNING : SEVERITY_NOTE;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = n;
    finding_set_times(f, first->created_ns, last->created_ns);
    finding_set_growth(f, n);
    finding_set_kind(f, "never joined");
    finding_set_title(f, "%s ended and %s never joined", words_count(n, "thread", "threads").text,
                      n == 1 ? "was" : "were");
    finding_set_fix(f, "Join each thread, or detach it; the C library keeps its stack until then.");
    finding_add_stack(f, "created at", first->created_stack, true, NULL);
    finding_add_cost(f, "threads never joined", (double)n, "threads");
    if (bytes > 0)
        finding_add_cost(f, "stack reserved", (double)bytes, "bytes");
    return f;
}

static void judge_unjoined(const struct group_judge *j, const void **members, size_t n)
{
    findings_add(j->out, unjoined_finding(j->rule, j->p, (const struct model_actor **)members, n));
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    static const struct grouping by_place = {is_unjoined, place, by_time, judge_unjoined};
    leaks_judge(rule, p, false, out);
    groups_walk(&by_place, p->actors, p->nactors, sizeof *p->actors,
                &(struct group_judge){rule, p, out});
}

const struct rule rule_leaked_thread = {
    .id = "leaked-thread",
    .title_one = "leaked thread",
    .title_many = "leaked threads",
    .summary = "Threads that wait for what nobody will do, or that ended and nobody joins.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
