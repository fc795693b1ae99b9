/*
 * unstopped-ticker.c - repeating timers that go on for nobody: tickers, tick channels, POSIX and
 * interval timers, timerfds. Timers that fire once are not its matter.
 */
#include <inttypes.h>

#include "analyzer/rules/groups.h"
#include "analyzer/rules/life.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"live-timers", 2, 2, "timers", "live at the end, of one place and one maker, and out of use"},
    {"idle-periods", 10, 10, "periods", "in which nobody took a tick: it is out of use"},
    {"idle-least", 0.01, 0.01, "s", "it is in use when a tick was taken within that time"},
    {0},
};

/* ---- facts of one timer ---- */

/* Firings of POSIX and interval timers happen unseen, and so does what comes of them. */
static bool shows_use(const struct model_timer *t)
{
    return t->kind == EL_OBJ_TICKER || t->kind == EL_OBJ_TICK || t->kind == EL_OBJ_TIMERFD;
}

/* A runtime tells of ticks that nobody took; that one was taken may go unseen. */
static bool shows_drops(const struct model_timer *t)
{
    return t->last_used_ns == 0 && (t->kind == EL_OBJ_TICKER || t->kind == EL_OBJ_TICK);
}

static bool goes_on(const void *timer)
{
    const struct model_timer *t = timer;
    bool repeats = t->period_ns > 0 || t->kind == EL_OBJ_TICK || t->kind == EL_OBJ_TICKER;
    return repeats && t->state == EL_TIMER_ARMED;
}

/* When the timers of a run were judged: at its end, or at the process's. */
static uint64_t judged_ns(const struct model_process *p, const struct model_timer *t)
{
    const struct model_run *run = t->run != 0 ? model_find_run(p, t->run) : NULL;
    return run != NULL && run->end_ns != 0 ? run->end_ns : p->end_ns;
}

static bool is_out_of_use(const struct rule *rule, const struct model_process *p,
                          const struct model_timer *t)
{
    if (!shows_use(t))
        return true; /* as far as is known */
    if (shows_drops(t))
        return (double)t->drops > rule_threshold(rule, "idle-periods") && 2 * t->drops >= t->fires;
    uint64_t used = t->last_used_ns > t->armed_ns ? t->last_used_ns : t->armed_ns;
    uint64_t end = judged_ns(p, t);
    double idle = end > used ? (double)(end - used) : 0;
    return idle > rule_threshold(rule, "idle-periods") * (double)t->period_ns &&
           idle > rule_threshold(rule, "idle-least") * 1e9;
}

static bool outlived_maker(const struct model_process *p, const struct model_timer *t)
{
    return life_of(p, t->creator) == LIFE_ENDED;
}

/* Somebody else uses it now: it was made for them. */
static bool serves_another(const struct rule *rule, const struct model_process *p,
                           const struct model_timer *t)
{
    return shows_use(t) && t->last_used_ns != 0 && !is_out_of_use(rule, p, t) &&
           t->last_user != t->creator && life_of(p, t->last_user) == LIFE_ALIVE;
}

/* ---- groups ---- */

struct group {
    const struct model_process *p;
    const struct model_timer **members; /* by maker, then time */
    size_t n;
    size_t outlived; /* members whose maker has ended */
    size_t idle;     /* members that are out of use, as is seen and not only not known */
    size_t crowd;    /* most of one maker that are out of use as far as is known */
};

static int place(const void *a, const void *b)
{
    const struct model_timer *x = a, *y = b;
    int order = GROUPS_COMPARE(x->created_stack, y->created_stack);
    return order != 0 ? order : GROUPS_COMPARE(x->kind, y->kind);
}

static int by_maker(const void *a, const void *b)
{
    const struct model_timer *x = a, *y = b;
    int order = GROUPS_COMPARE(x->creator, y->creator);
    return order != 0 ? order : GROUPS_COMPARE(x->created_ns, y->created_ns);
}

static void count(const struct rule *rule, struct group *g)
{
    size_t of_maker = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct model_timer *t = g->members[i];
        bool idle = is_out_of_use(rule, g->p, t);
        if (i > 0 && t->creator != g->members[i - 1]->creator)
            of_maker = 0;
        of_maker += idle;
        if (of_maker > g->crowd)
            g->crowd = of_maker;
        g->outlived += outlived_maker(g->p, t) && !serves_another(rule, g->p, t);
        g->idle += idle && shows_use(t);
    }
}

static enum severity weigh(const struct rule *rule, const struct group *g)
{
    size_t sure = 1;
    /* Whoever sets up a process may end and leave it a tick whose handler nobody sees. */
    if (!shows_use(g->members[0]))
        sure = (size_t)rule_threshold(rule, "live-timers");
    if (g->outlived >= sure || (double)g->crowd >= rule_threshold(rule, "live-timers"))
        return SEVERITY_ERROR;
    if (g->outlived > 0)
        return SEVERITY_WARNING;
    /* One that its user left, while its maker lives: it was meant for longer, perhaps. */
    return g->idle > 0 ? SEVERITY_WARNING : SEVERITY_NOTE;
}

/* ---- the finding ---- */

static const char *fix_of(const struct model_timer *t)
{
    switch (t->kind) {
    case EL_OBJ_TICK:
        return "A tick channel cannot be stopped: make a ticker instead, and stop it on every path "
               "on which its user leaves.";
    case EL_OBJ_TICKER:
    case EL_OBJ_TIMER:
        return "Stop the ticker on every path on which its user leaves (a deferred stop does).";
    case EL_OBJ_TIMERFD:
        return "Close the descriptor, or set it to zero, when its user leaves.";
    case EL_OBJ_POSIX_TIMER:
        return "Call timer_delete when its user leaves.";
    default:
        return "Set the timer to zero when its user leaves.";
    }
}

static void add_evidence(struct finding *f, const struct group *g)
{
    const struct model_process *p = g->p;
    const struct model_timer *t = g->members[0];
    finding_add_evidence(f, "period", "fires every %s", words_duration(t->period_ns).text);
    if (t->creator != 0)
        finding_add_evidence(f, "maker", "%s made %s and %s", words_actor(p, t->creator).text,
                             g->n > 1 ? "the first of them" : "it",
                             words_actor_state(p, t->creator).text);
    if (g->outlived > 0 && g->n > 1)
        finding_add_evidence(f, "outlived", "%zu of %zu outlived who made them", g->outlived, g->n);
    if (shows_use(t) && t->last_used_ns != 0) {
        uint64_t end = judged_ns(p, t);
        finding_add_evidence(
            f, "use", "%s took the last tick%s, %s before the end",
            words_actor(p, t->last_user).text, g->n > 1 ? " of the first" : "",
            words_duration(end > t->last_used_ns ? end - t->last_used_ns : 0).text);
    } else if (shows_drops(t)) {
        finding_add_evidence(f, "use", "nobody took %" PRIu64 " of the %" PRIu64 " ticks%s",
                             t->drops, t->fires, g->n > 1 ? " of the first" : "");
    } else if (shows_use(t)) {
        finding_add_evidence(f, "use", "nobody ever took a tick");
    }
    if ((t->flags & EL_TIMER_UNSTOPPABLE) != 0)
        finding_add_evidence(f, "handle", "there is no handle to stop it by");
}

static void add_costs(struct finding *f, const struct group *g)
{
    double wakes = 0, drops = 0;
    for (size_t i = 0; i < g->n; i++) {
        if (g->members[i]->period_ns > 0)
            wakes += 1e9 / (double)g->members[i]->period_ns;
        drops += (double)g->members[i]->drops;
    }
    finding_add_cost(f, "timers left running", (double)g->n, "timers");
    finding_add_cost(f, "wake-ups", wakes, "1/s");
    if (drops > 0)
        finding_add_cost(f, "ticks that nobody took", drops, "ticks");
}

static void set_times(struct finding *f, const struct group *g)
{
    uint64_t first_ns = UINT64_MAX, last_ns = 0;
    for (size_t i = 0; i < g->n; i++) {
        uint64_t at = g->members[i]->created_ns;
        first_ns = at < first_ns ? at : first_ns;
        last_ns = at > last_ns ? at : last_ns;
    }
    finding_set_times(f, first_ns, last_ns);
    finding_set_growth(f, g->n);
}

static struct finding *finding_of(const struct rule *rule, const struct group *g)
{
    const struct model_timer *t = g->members[0];
    struct finding *f = finding_create(rule, g->p);
    const char *kind = el_object_kind_word(t->kind), *what = words_plain(kind);
    f->severity = weigh(rule, g);
    f->confidence = g->outlived == g->n ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    f->count = g->n;
    finding_set_kind(f, kind);
    if (g->n == 1)
        finding_set_title(f, "%s still fires and nobody stopped it", words_a(what).text);
    else
        finding_set_title(f, "%zu %ss still fire and nobody stopped them", g->n, what);
    finding_set_fix(f, "%s", fix_of(t));
    finding_add_stack(f, "created at", t->created_stack, true, NULL);
    if (t->armed_stack != t->created_stack)
        finding_add_stack(f, "set at", t->armed_stack, true, NULL);
    add_evidence(f, g);
    add_costs(f, g);
    set_times(f, g);
    return f;
}

static void judge_group(const struct group_judge *j, const void **members, size_t n)
{
    struct group g = {.p = j->p, .members = (const struct model_timer **)members, .n = n};
    count(j->rule, &g);
    findings_add(j->out, finding_of(j->rule, &g));
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    static const struct grouping by_place = {goes_on, place, by_maker, judge_group};
    groups_walk(&by_place, p->timers, p->ntimers, sizeof *p->timers,
                &(struct group_judge){rule, p, out});
}

const struct rule rule_unstopped_ticker = {
    .id = "unstopped-ticker",
    .title_one = "unstopped ticker",
    .title_many = "unstopped tickers",
    .summary = "Repeating timers that outlive who made them or that nobody uses any more.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
