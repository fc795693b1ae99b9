/*
 * fd-leak.c - descriptors that are open at the end and that nobody uses any more: several of one
 * place, each left while the next was opened, or made by who has ended. One that is open at the end
 * is normal, and so are those that a program keeps and uses. What nothing more can come of is less
 * likely kept on purpose.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/groups.h"
#include "analyzer/rules/life.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"least", 16, 16, "descriptors", "of one place, each not used since another was opened there"},
    {"orphans", 8, 8, "descriptors", "of one place, idle, whose openers have ended"},
    {"cut-off", 1, 1, "s",
     "an opener that left by pthread_exit so late was ended with the process"},
    {0},
};

struct group {
    const struct rule *rule;
    const struct model_process *p;
    const struct model_descriptor **members; /* by time */
    size_t n;
    size_t left;    /* used, and idle since another was opened */
    size_t orphans; /* idle or never used, and the opener has ended */
    size_t over;    /* of `left`, those that nothing more can come of */
    size_t files;   /* different ones among them */
};

/* What the C library does inside a stream is not seen. */
static bool use_is_seen(uint32_t kind)
{
    return kind != EL_FD_STREAM_IN && kind != EL_FD_STREAM_OUT && kind != EL_FD_DIR;
}

/* Somebody waits for it: a worker for its next job. */
static bool is_waited_for(const struct model_process *p, uint32_t fd)
{
    for (size_t i = 0; i < p->nactors; i++) {
        const struct model_actor *a = &p->actors[i];
        if (a->state == EL_ACTOR_WAITING && a->object == fd &&
            (a->wait_kind == EL_WAIT_READ || a->wait_kind == EL_WAIT_POLL))
            return true;
    }
    return false;
}

static bool is_left(const struct group *g, const struct model_descriptor *d)
{
    bool used = (d->flags & EL_FD_USED) != 0 || !use_is_seen(d->kind);
    return d->idle != 0 && used && (d->flags & EL_FD_WATCHED) == 0 &&
           !(d->kind == EL_FD_EVENT && is_waited_for(g->p, d->fd));
}

/* A thread that is stopped as the process ends, in the middle of what it does: some interpreters
 * end their threads so. */
static bool is_cut_off(const struct rule *rule, const struct model_process *p, uint64_t opener)
{
    const struct model_actor *a = model_find_actor(p, opener);
    return a != NULL && a->ended_ns != 0 && a->ended_how != EL_END_RETURN &&
           (double)(p->end_ns - a->ended_ns) / 1e9 < rule_threshold(rule, "cut-off");
}

static bool has_ended(const struct group *g, uint64_t opener)
{
    return life_of(g->p, opener) == LIFE_ENDED && !is_cut_off(g->rule, g->p, opener);
}

static bool is_orphan(const struct group *g, const struct model_descriptor *d)
{
    bool idle = d->idle != 0 || (d->flags & EL_FD_USED) == 0;
    return idle && (d->flags & EL_FD_WATCHED) == 0 && has_ended(g, d->opener);
}

/* So many were opened at its place since its last use: whoever serves it is not just about to. */
enum { LONG_IDLE = 16 };

/* A timer that is set is told by unstopped-ticker, what was opened by several at once by
 * duplicate-init; a connection that was accepted is its peer's to end, until the peer has. */
static bool is_ours(const void *descriptor)
{
    const struct model_descriptor *d = descriptor;
    bool over = (d->flags & EL_FD_OVER) != 0;
    if ((d->flags & EL_FD_LEFT) != 0)
        return false;
    switch (d->kind) {
    case EL_FD_TIMER:
        return over;
    case EL_FD_ACCEPTED:
        return over && d->idle >= LONG_IDLE;
    default:
        return true;
    }
}

static int place(const void *a, const void *b)
{
    const struct model_descriptor *x = a, *y = b;
    int order = GROUPS_COMPARE(x->stack, y->stack);
    return order != 0 ? order : GROUPS_COMPARE(x->kind, y->kind);
}

static int by_time(const void *a, const void *b)
{
    const struct model_descriptor *x = a, *y = b;
    return GROUPS_COMPARE(x->opened_ns, y->opened_ns);
}

static int by_file(const void *a, const void *b)
{
    const struct model_descriptor *const *x = a, *const *y = b;
    int order = GROUPS_COMPARE((*x)->device, (*y)->device);
    return order != 0 ? order : GROUPS_COMPARE((*x)->inode, (*y)->inode);
}

static bool is_same_file(const struct model_descriptor *x, const struct model_descriptor *y)
{
    return x->inode == 0 || (x->device == y->device && x->inode == y->inode);
}

static size_t count_files(const struct group *g)
{
    const struct model_descriptor **sorted = xcalloc(g->n, sizeof *g->members);
    size_t n = 1;
    memcpy(sorted, g->members, g->n * sizeof *sorted);
    qsort(sorted, g->n, sizeof *sorted, by_file);
    for (size_t i = 1; i < g->n; i++)
        n += !is_same_file(sorted[i], sorted[i - 1]);
    free(sorted);
    return n;
}

static int by_opener(const void *a, const void *b)
{
    const struct model_descriptor *const *x = a, *const *y = b;
    return GROUPS_COMPARE((*x)->opener, (*y)->opener);
}

/* Of several who open at one place at the same time each may be about to use so many: that others
 * open meanwhile says nothing then. */
enum { IN_HAND = 4 };

static size_t beyond(size_t n, size_t in_hand)
{
    return n > in_hand ? n - in_hand : 0;
}

/* The members of one opener, and how many of each may still be in its hands. */
static void count_opener(struct group *g, const struct model_descriptor *const *members, size_t n,
                         size_t in_hand)
{
    size_t left = 0, over = 0;
    for (size_t i = 0; i < n; i++) {
        bool is = is_left(g, members[i]);
        left += is;
        over += is && (members[i]->flags & EL_FD_OVER) != 0;
        g->orphans += is_orphan(g, members[i]);
    }
    g->left += beyond(left, in_hand);
    g->over += beyond(over, in_hand);
}

/* How many of those from `at` on have the same opener. */
static size_t of_one_opener(const struct model_descriptor *const *members, size_t at, size_t n)
{
    size_t end = at + 1;
    while (end < n && members[end]->opener == members[at]->opener)
        end++;
    return end - at;
}

static void count(struct group *g)
{
    const struct model_descriptor **sorted = xcalloc(g->n, sizeof *g->members);
    size_t at_work = 0;
    memcpy(sorted, g->members, g->n * sizeof *sorted);
    qsort(sorted, g->n, sizeof *sorted, by_opener);
    for (size_t i = 0; i < g->n; i += of_one_opener(sorted, i, g->n))
        at_work += !has_ended(g, sorted[i]->opener);
    for (size_t i = 0, n; i < g->n; i += n) {
        n = of_one_opener(sorted, i, g->n);
        count_opener(g, sorted + i, n,
                     at_work > 1 && !has_ended(g, sorted[i]->opener) ? IN_HAND : 0);
    }
    free(sorted);
    g->files = count_files(g);
}

/* A cache of open files opens none twice; who leaks them mostly comes back for the same ones. */
static bool may_be_cache(const struct group *g)
{
    return g->members[0]->kind == EL_FD_FILE && 2 * g->files > g->n;
}

/* Files have no other side that could need them open, and who opens a stream to read it has the
 * data when it lies idle. */
static enum severity weigh(const struct rule *rule, const struct group *g)
{
    bool orphans = (double)g->orphans >= rule_threshold(rule, "orphans");
    bool over = (double)g->over >= rule_threshold(rule, "least");
    switch (g->members[0]->kind) {
    case EL_FD_FILE:
        return may_be_cache(g) ? SEVERITY_WARNING : SEVERITY_ERROR;
    case EL_FD_STREAM_IN:
    case EL_FD_DIR:
    case EL_FD_MEMORY:
        return SEVERITY_ERROR;
    case EL_FD_EVENT:
        return SEVERITY_WARNING; /* who polls it uses it */
    default:
        return orphans || over ? SEVERITY_WARNING : SEVERITY_NOTE;
    }
}

static void add_evidence(struct finding *f, const struct group *g)
{
    const struct model_process *p = g->p;
    const struct model_descriptor *first = g->members[0];
    if (g->left > 0)
        finding_add_evidence(f, "use",
                             "%zu were not used again after another was opened at the "
                             "same place",
                             g->left);
    if (g->over > 0)
        finding_add_evidence(f, first->kind == EL_FD_TIMER ? "timers" : "other side",
                             first->kind == EL_FD_TIMER
                                 ? "%zu are not set: nothing comes of them"
                                 : "of %zu it is closed: nothing more comes of them",
                             g->over);
    if (g->orphans > 0)
        finding_add_evidence(f, "opener", "%zu were opened by who has ended since; the first by %s",
                             g->orphans, words_actor(p, first->opener).text);
    if (may_be_cache(g))
        finding_add_evidence(f, "files", "they are %zu different ones, as in a cache of open files",
                             g->files);
    else if (first->inode != 0 && first->kind == EL_FD_FILE)
        finding_add_evidence(f, "files", "%zu, opened again and again", g->files);
    finding_add_evidence(f, "age", "the first was opened %s before the end",
                         words_duration(p->end_ns - first->opened_ns).text);
    if (p->nofile != 0)
        finding_add_evidence(f, "limit", "the process may have %" PRIu64 " open (RLIMIT_NOFILE)",
                             p->nofile);
}

static struct finding *finding_of(const struct rule *rule, const struct group *g)
{
    const char *what = el_fd_kind_word(g->members[0]->kind);
    struct finding *f = finding_create(rule, g->p);
    f->severity = weigh(rule, g);
    f->confidence = CONFIDENCE_PROBABLE;
    f->count = g->n;
    finding_set_times(f, g->members[0]->opened_ns, g->members[g->n - 1]->opened_ns);
    finding_set_growth(f, g->n);
    finding_set_kind(f, what);
    finding_set_title(
        f, "%zu descriptors (%s) opened at one place are open at the end and no longer used", g->n,
        what);
    finding_set_fix(f, "Close each on every path on which its user leaves, those of errors too (a "
                       "deferred close, a destructor or the cleanup attribute does).");
    finding_add_stack(f, "opened at", g->members[0]->stack, true, NULL);
    add_evidence(f, g);
    finding_add_cost(f, "left open", (double)g->n, "descriptors");
    return f;
}

static void judge_group(const struct group_judge *j, const void **members, size_t n)
{
    struct group g = {
        .rule = j->rule, .p = j->p, .members = (const struct model_descriptor **)members, .n = n};
    count(&g);
    if ((double)g.left >= rule_threshold(j->rule, "least") ||
        (double)g.orphans >= rule_threshold(j->rule, "orphans"))
        findings_add(j->out, finding_of(j->rule, &g));
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    static const struct grouping by_place = {is_ours, place, by_time, judge_group};
    groups_walk(&by_place, p->descriptors, p->ndescriptors, sizeof *p->descriptors,
                &(struct group_judge){rule, p, out});
}

const struct rule rule_fd_leak = {
    .id = "fd-leak",
    .title_one = "leaked descriptor",
    .title_many = "leaked descriptors",
    .summary = "Descriptors that are open at the end and that nobody uses any more.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
