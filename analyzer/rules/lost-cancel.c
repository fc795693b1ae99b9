/*
 * lost-cancel.c - contexts that nobody uses any more and that nobody cancelled: let go of while
 * their timer runs, or still there at the end though who made and used them has gone on or ended.
 */
#include <inttypes.h>

#include "analyzer/rules/groups.h"
#include "analyzer/rules/life.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"contexts", 2, 2, "contexts", "of one place, from which on it is an error"},
    {0},
};

static const char fix[] = "Cancel the context on every path on which its maker leaves (a deferred "
                          "cancel does), also when its work is done: a cancel stops its timer and "
                          "takes it out of its parent.";

static struct finding *begin(const struct rule *rule, const struct model_process *p, uint64_t n,
                             uint64_t first_ns, uint64_t last_ns)
{
    struct finding *f = finding_create(rule, p);
    bool many = (double)n >= rule_threshold(rule, "contexts");
    f->severity = many ? SEVERITY_ERROR : SEVERITY_WARNING;
    f->count = n;
    finding_set_times(f, first_ns, last_ns);
    finding_set_growth(f, n);
    finding_set_kind(f, "context");
    finding_set_fix(f, "%s", fix);
    return f;
}

/* ---- let go of while the timer runs ---- */

static struct finding *let_go(const struct rule *rule, const struct model_process *p,
                              const struct model_outcome *o)
{
    struct finding *f = begin(rule, p, o->lost, o->first_ns, o->last_ns);
    f->confidence = CONFIDENCE_PROVEN;
    if (o->lost == 1)
        finding_set_title(f, "a context was let go of without a cancel, while its timer ran");
    else
        finding_set_title(f,
                          "%" PRIu64 " contexts were let go of without a cancel, while their "
                          "timers ran",
                          o->lost);
    finding_add_stack(f, "created at", o->stack, true, NULL);
    finding_add_stack(f, "let go of at", o->lost_stack, false, o->lost > 1 ? "the last" : NULL);
    finding_add_evidence(f, "made", "%" PRIu64 " of the %" PRIu64 " that were made there", o->lost,
                         o->made);
    finding_add_evidence(f, "kept",
                         "each stays until its time limit comes; up to the end of the "
                         "record that was %s on average",
                         words_duration(o->lost_ns / o->lost).text);
    finding_add_cost(f, "contexts without a user", (double)o->lost, "contexts");
    finding_add_cost(f, "held at once", (double)o->sweep, "timers");
    finding_add_cost(f, "lived on, over all", (double)o->lost_ns, "ns");
    return f;
}

/* ---- still there at the end ---- */

struct group {
    const struct model_process *p;
    const struct model_object **members; /* by maker, then time */
    size_t n;
    size_t orphans;  /* maker and last user have ended */
    size_t replaced; /* its maker, who used it last, has made another */
    size_t silent;   /* of the orphans: nobody ever used it */
};

/* `items`: it was let go of, and is counted there. */
static bool is_open(const void *object)
{
    const struct model_object *o = object;
    return o->kind == EL_OBJ_CONTEXT && o->state == EL_LIVE && o->items == 0 &&
           o->created_stack != 0 && o->creator != 0;
}

static int place(const void *a, const void *b)
{
    const struct model_object *x = a, *y = b;
    return GROUPS_COMPARE(x->created_stack, y->created_stack);
}

static int by_maker(const void *a, const void *b)
{
    const struct model_object *x = a, *y = b;
    int order = GROUPS_COMPARE(x->creator, y->creator);
    return order != 0 ? order : GROUPS_COMPARE(x->created_ns, y->created_ns);
}

static void count(struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct model_object *o = g->members[i];
        bool maker_ended = life_of(g->p, o->creator) == LIFE_ENDED;
        bool by_maker = o->last_waiter == o->creator;
        bool user_ended = o->last_waiter == 0 || life_of(g->p, o->last_waiter) == LIFE_ENDED;
        if (maker_ended && user_ended) {
            g->orphans++;
            g->silent += o->last_waiter == 0;
        } else if (!maker_ended && o->last_waiter != 0 && (by_maker || user_ended)) {
            g->replaced += i + 1 < g->n && g->members[i + 1]->creator == o->creator;
        }
    }
}

static struct finding *left_open(const struct rule *rule, const struct group *g)
{
    const struct model_object *first = g->members[0];
    uint64_t n = g->orphans + g->replaced, first_ns = UINT64_MAX, last_ns = 0;
    for (size_t i = 0; i < g->n; i++) {
        uint64_t at = g->members[i]->created_ns;
        first_ns = at < first_ns ? at : first_ns;
        last_ns = at > last_ns ? at : last_ns;
    }
    struct finding *f = begin(rule, g->p, n, first_ns, last_ns);
    if (g->silent == n) /* made for somebody who was not there yet, perhaps */
        f->severity = SEVERITY_WARNING;
    f->confidence = g->replaced == 0 && g->silent == 0 ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    if (n == 1)
        finding_set_title(f, "a context was never cancelled, and its user is gone");
    else
        finding_set_title(f, "%" PRIu64 " contexts were never cancelled, and their users are gone",
                          n);
    finding_add_stack(f, "created at", first->created_stack, true, NULL);
    finding_add_evidence(f, "maker", "%s made the first and %s",
                         words_actor(g->p, first->creator).text,
                         words_actor_state(g->p, first->creator).text);
    if (g->orphans > 0)
        finding_add_evidence(f, "users", "of %zu both who made and who last used them has ended",
                             g->orphans);
    if (g->replaced > 0)
        finding_add_evidence(f, "replaced",
                             "after the last use of %zu the same maker made another "
                             "there",
                             g->replaced);
    finding_add_cost(f, "contexts without a user", (double)n, "contexts");
    return f;
}

static void judge_group(const struct group_judge *j, const void **members, size_t n)
{
    struct group g = {.p = j->p, .members = (const struct model_object **)members, .n = n};
    count(&g);
    if (g.orphans > 0 || (double)g.replaced >= rule_threshold(j->rule, "contexts"))
        findings_add(j->out, left_open(j->rule, &g));
}

static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    static const struct grouping by_place = {is_open, place, by_maker, judge_group};
    for (size_t i = 0; i < p->noutcomes; i++)
        if (p->outcomes[i].kind == EL_OBJ_CONTEXT && p->outcomes[i].lost != 0)
            findings_add(out, let_go(rule, p, &p->outcomes[i]));
    groups_walk(&by_place, p->objects, p->nobjects, sizeof *p->objects,
                &(struct group_judge){rule, p, out});
}

const struct rule rule_lost_cancel = {
    .id = "lost-cancel",
    .title_one = "lost cancel",
    .title_many = "lost cancels",
    .summary = "Contexts that nobody uses any more and that nobody cancelled.",
    .severity = SEVERITY_ERROR,
    .thresholds = thresholds,
    .judge = judge,
};
