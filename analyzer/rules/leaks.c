/* leaks.c - groups of waiting actors, and how severe each group is. */
#include "analyzer/rules/leaks.h"

#include <stdlib.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/life.h"

/* ---- groups ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
    const struct model_actor *x = (*(const struct waiter *const *)a)->actor;
    const struct model_actor *y = (*(const struct waiter *const *)b)->actor;
    int order = compare(x->created_stack, y->created_stack);
    order = order != 0 ? order : compare(x->wait_stack, y->wait_stack);
    order = order != 0 ? order : compare(x->wait_kind, y->wait_kind);
    order = order != 0 ? order : compare(x->created_ns, y->created_ns);
    return order != 0 ? order : compare(x->id, y->id);
}

static bool same_place(const struct waiter *a, const struct waiter *b)
{
    return a->actor->created_stack == b->actor->created_stack &&
           a->actor->wait_stack == b->actor->wait_stack &&
           a->actor->wait_kind == b->actor->wait_kind;
}

static int by_number(const void *a, const void *b)
{
    return compare(*(const uint64_t *)a, *(const uint64_t *)b);
}

static size_t count_objects(const struct leak_group *g)
{
    uint64_t *objects = xcalloc(g->n, sizeof *objects);
    size_t n = 0, different = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct waiter *w = g->members[i];
        if (w->actor->object != 0 && (w->object == NULL || w->object->storage != EL_STORAGE_STATIC))
            objects[n++] = w->actor->object;
    }
    if (n > 1)
        qsort(objects, n, sizeof *objects, by_number);
    for (size_t i = 0; i < n; i++)
        different += i == 0 || objects[i] != objects[i - 1];
    free(objects);
    return different;
}

/* Each was waiting for the last time already when the next was made: nobody goes back to them. The
 * workers of a pool are made first, and then served. */
static bool is_left_one_by_one(const struct leak_group *g)
{
    size_t left = 0;
    for (size_t i = 0; i + 1 < g->n; i++)
        left += g->members[i]->actor->since_ns <= g->members[i + 1]->actor->created_ns;
    return 4 * left >= 3 * (g->n - 1);
}

/* Whoever made this one lives, and made others of them too. */
static bool has_maker_of_several(const struct leak_group *g, size_t i)
{
    uint64_t maker = g->members[i]->actor->creator;
    bool several = false;
    for (size_t k = 0; k < g->n && !several; k++)
        several = k != i && g->members[k]->actor->creator == maker;
    return several && life_of(g->p, maker) == LIFE_ALIVE;
}

/* One maker, or one for each pool, made them all in one go and then lived on without making more:
 * workers of a pool. What leaks, grows. A process that ended soon after tells nothing of it. */
static bool is_made_in_one_go(const struct rule *rule, const struct leak_group *g)
{
    const struct model_actor *first = g->members[0]->actor, *last = g->members[g->n - 1]->actor;
    double spread = (double)(last->created_ns - first->created_ns);
    double after = g->p->end_ns > last->created_ns ? (double)(g->p->end_ns - last->created_ns) : 0;
    if (after < rule_threshold(rule, "pool-age") * 1e9 ||
        spread > rule_threshold(rule, "pool-share") * after)
        return false;
    for (size_t i = 0; i < g->n; i++)
        if (!has_maker_of_several(g, i))
            return false;
    return true;
}

static bool is_root(const struct waiter *w)
{
    return w->cause != WAITER_FINE && w->behind == NULL;
}

/* The one at the end of the chain that it waits behind. */
static const struct waiter *root_of(const struct waiters *all, const struct waiter *w)
{
    for (size_t steps = 0; w != NULL && w->behind != NULL && steps <= all->n; steps++)
        w = waiters_find(all, w->behind->id);
    return w;
}

static size_t count_behind(const struct leak_group *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->all->n; i++) {
        const struct waiter *w = &g->all->items[i];
        if (w->behind == NULL)
            continue;
        const struct waiter *root = root_of(g->all, w);
        n += root != NULL && same_place(root, g->members[0]) &&
             model_is_task(root->actor->id) == g->tasks;
    }
    return n;
}

/* ---- severity ---- */

static bool is_own_making(const struct waiter *w)
{
    return w->object != NULL && w->object->creator == w->actor->id;
}

static bool is_queue_wait(enum el_wait_kind kind)
{
    return kind == EL_WAIT_COND || kind == EL_WAIT_SEM || kind == EL_WAIT_CHAN_RECV ||
           kind == EL_WAIT_OTHER || kind == EL_WAIT_FUTEX;
}

static bool is_for_objects_of_their_own(const struct rule *rule, const struct leak_group *g)
{
    return (double)g->objects >= rule_threshold(rule, "own-objects") && g->objects == g->n;
}

/* Woken before, by somebody who is gone: a worker of a service that others may ask yet? */
static void weigh_waker_ended(const struct rule *rule, struct leak_group *g)
{
    const struct model_object *o = g->worst->object;
    bool kept =
        o != NULL && (o->storage == EL_STORAGE_STATIC || life_of(g->p, o->creator) == LIFE_ALIVE);
    bool queue = is_queue_wait(g->worst->actor->wait_kind);
    g->confidence = CONFIDENCE_PROVEN;
    if (g->alone)
        return;
    if (kept && queue && g->n > 1 && g->objects <= 1) {
        /* Workers at one queue, fed by short requests: the next one would wake them. */
        g->severity = SEVERITY_NOTE;
        g->confidence = CONFIDENCE_PROBABLE;
    } else if (!g->tasks && kept && queue && !is_for_objects_of_their_own(rule, g)) {
        g->severity = SEVERITY_WARNING;
        g->confidence = CONFIDENCE_PROBABLE;
    }
}

/* Of threads. Services that are made one by one, and tried as they are made, look the same. */
static bool is_few(const struct rule *rule, const struct leak_group *g)
{
    return (double)g->n < rule_threshold(rule, "growth-sure");
}

/* Threads at a queue, never served, whose maker lives: parked for later, as likely as leaked. Those
 * that grow in number are told, and one that keeps a lock meanwhile. */
static void weigh_idle_threads(const struct rule *rule, struct leak_group *g)
{
    const struct model_actor *a = g->worst->actor;
    const struct model_object *o = g->worst->object;
    bool each_its_own = is_for_objects_of_their_own(rule, g);
    /* It signals its own object, and others may have done so before. */
    bool signalled = o != NULL && o->wakes > 1 && o->last_waker == a->id;
    if (a->held != NULL)
        g->severity = SEVERITY_WARNING;
    else if (!each_its_own || is_made_in_one_go(rule, g))
        g->severity = SEVERITY_NOTE;
    else if (signalled)
        g->severity = is_few(rule, g) ? SEVERITY_NOTE : SEVERITY_WARNING;
}

double leaks_stopping_ns(const struct rule *rule, const struct model_process *p)
{
    double share = rule_threshold(rule, "stopping-share") * (double)p->end_ns;
    double most = rule_threshold(rule, "stopping") * 1e9;
    return share < most ? share : most;
}

/* A program that exits stops its threads, and who is on the way stops behind them. What has been
 * waited for since then only would have come, or not: there was no time to see. */
static bool stopped_by_the_exit(const struct rule *rule, const struct model_process *p,
                                const struct waiter *const *members, size_t n)
{
    if (!p->exited)
        return false;
    for (size_t i = 0; i < n; i++)
        if ((double)(p->end_ns - members[i]->actor->since_ns) >= leaks_stopping_ns(rule, p))
            return false;
    return true;
}

/* Never got what it waits for, and nobody is known who would give it. */
static void weigh_never(const struct rule *rule, struct leak_group *g)
{
    const struct model_actor *a = g->worst->actor;
    const struct model_object *o = g->worst->object;
    if (g->stopping) {
        g->severity = SEVERITY_NOTE;
        return;
    }
    /* Parked for later does not stand in anybody's way. */
    if (g->alone || g->behind > 0)
        return;
    /* Several at one object whose maker is there still: a pool that had nothing to do. */
    bool pool = is_queue_wait(a->wait_kind) && g->n > 1 && g->objects == 1 && o != NULL &&
                (!g->tasks || life_of(g->p, o->creator) == LIFE_ALIVE);
    /* A parking place that waiters make for themselves is known to others by ways that the record
     * does not show. */
    bool parked = is_own_making(g->worst) && a->state != EL_ACTOR_ABANDONED;
    /* Killed in the midst of it: the answer may have been on its way. */
    bool young = a->state != EL_ACTOR_ABANDONED && !g->p->exited && g->n == 1 &&
                 (double)(g->p->end_ns - a->since_ns) < rule_threshold(rule, "young") * 1e9;
    if (pool || parked || young)
        g->severity = SEVERITY_WARNING;
    if (!g->tasks && is_queue_wait(a->wait_kind))
        weigh_idle_threads(rule, g);
    /* Others of its kind came back to this place for more: a pool, and this one had its first turn.
     */
    if (g->siblings > 0 && is_queue_wait(a->wait_kind))
        g->severity = SEVERITY_NOTE;
}

static void weigh(const struct rule *rule, struct leak_group *g)
{
    g->severity = SEVERITY_ERROR;
    g->confidence = CONFIDENCE_PROBABLE;
    if (g->growing) {
        if (!g->tasks && is_few(rule, g))
            g->severity = SEVERITY_NOTE;
        else if (is_own_making(g->worst))
            g->severity = SEVERITY_WARNING;
        return;
    }
    switch (g->worst->cause) {
    case WAITER_SELF:
    case WAITER_CYCLE:
    case WAITER_HOLDER_ENDED:
    case WAITER_OWNER_ENDED:
        g->confidence = CONFIDENCE_PROVEN;
        break;
    case WAITER_WAKER_ENDED:
        weigh_waker_ended(rule, g);
        break;
    case WAITER_NEVER:
        weigh_never(rule, g);
        break;
    case WAITER_HOLDER_GONE:
    case WAITER_WAKER_STUCK:
    case WAITER_BEHIND:
    case WAITER_FINE:
        break;
    }
}

/* ---- from the waiters to the findings ---- */

/* No actor of the process runs, waits for the outside or for a time, or can be woken. */
static bool nobody_is_left(const struct model_process *p, const struct waiters *all)
{
    if (p->exited)
        return false; /* the one that ended it */
    for (size_t i = 0; i < p->nactors; i++) {
        const struct model_actor *a = &p->actors[i];
        const struct waiter *w = waiters_find(all, a->id);
        if (a->state == EL_ACTOR_ENDED || a->state == EL_ACTOR_FREE ||
            (a->flags & (EL_ACTOR_WORKER | EL_ACTOR_SYSTEM)) != 0)
            continue;
        if (w == NULL || w->cause == WAITER_FINE)
            return false;
    }
    return true;
}

/* Those that waited at this place, were served by somebody and work now. */
static size_t count_served_and_busy(const struct leak_group *g)
{
    const struct model_actor *like = g->members[0]->actor;
    size_t n = 0;
    for (size_t i = 0; i < g->p->nactors; i++) {
        const struct model_actor *a = &g->p->actors[i];
        n += a->created_stack == like->created_stack && a->wait_stack == like->wait_stack &&
             (a->state == EL_ACTOR_RUNNING || a->state == EL_ACTOR_RUNNABLE) && a->waker != 0 &&
             model_is_task(a->id) == g->tasks;
    }
    return n;
}

/* Keeps those that the finding is about: the hopeless, or all when they are served and growing. */
static bool settle_group(const struct rule *rule, struct leak_group *g)
{
    size_t hopeless = 0;
    for (size_t i = 0; i < g->n; i++)
        hopeless += is_root(g->members[i]) && g->members[i]->cause != WAITER_CYCLE;
    if (hopeless == 0) {
        for (size_t i = 0; i < g->n; i++)
            if (g->members[i]->cause != WAITER_FINE || !g->members[i]->served)
                return false;
        g->objects = count_objects(g);
        g->growing = (double)g->n >= rule_threshold(rule, "growth-count") && g->objects == g->n &&
                     is_left_one_by_one(g) && (g->tasks || !is_made_in_one_go(rule, g));
        g->worst = g->members[0];
        return g->growing;
    }
    size_t kept = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct waiter *w = g->members[i];
        g->siblings += w->cause == WAITER_FINE && w->served;
        if (!is_root(w) || w->cause == WAITER_CYCLE)
            continue;
        /* Causes are numbered from the surest to the least. */
        if (g->worst == NULL || w->cause < g->worst->cause)
            g->worst = w;
        g->members[kept++] = w;
    }
    g->n = kept;
    g->siblings += count_served_and_busy(g);
    g->objects = count_objects(g);
    return true;
}

static void judge_groups(const struct rule *rule, const struct model_process *p,
                         const struct waiters *all, bool tasks, struct findings *out)
{
    const struct waiter **list = xcalloc(all->n, sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < all->n; i++)
        if (model_is_task(all->items[i].actor->id) == tasks)
            list[n++] = &all->items[i];
    if (n > 1)
        qsort(list, n, sizeof *list, by_place);
    for (size_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && same_place(list[i], list[next]); next++)
            ;
        struct leak_group g = {
            .p = p, .all = all, .members = &list[i], .n = next - i, .tasks = tasks};
        if (!settle_group(rule, &g))
            continue;
        g.alone = nobody_is_left(p, all);
        g.behind = count_behind(&g);
        g.stopping = !tasks && stopped_by_the_exit(rule, p, g.members, g.n);
        weigh(rule, &g);
        findings_add(out, leak_finding(rule, &g));
    }
    free(list);
}

/* One that runs was woken last by one of them: it has what they wait for, as likely as not. */
static bool served_another(const struct model_process *p, const struct waiter *const *members,
                           size_t n)
{
    for (size_t i = 0; i < p->nactors; i++) {
        const struct model_actor *a = &p->actors[i];
        for (size_t k = 0; k < n && a->state == EL_ACTOR_RUNNING; k++)
            if (a->waker == members[k]->actor->id)
                return true;
    }
    return false;
}

/* Threads that wait for signals only, each of which another of them gave last. Others may give them
 * as well: in a lock of the program's own, whose waiters are parked one by one, who lets it go
 * wakes the next, and the one that has it now has woken nobody yet. */
static void weigh_signals(const struct rule *rule, const struct model_process *p,
                          const struct waiters *all, const struct waiter *first, struct finding *f)
{
    const struct waiter **members = xcalloc(first->cycle, sizeof *members);
    const struct waiter *w = first;
    size_t n = 0;
    uint32_t stack;
    for (; n < first->cycle && w != NULL && !model_is_task(w->actor->id) &&
           is_queue_wait(w->actor->wait_kind);
         w = waiters_find(all, waiters_next(p, w, &stack)))
        members[n++] = w;
    if (n == first->cycle) {
        f->confidence = CONFIDENCE_PROBABLE;
        finding_set_title(f, "%zu threads wait for signals, each for one that another of them gave",
                          n);
        finding_set_fix(f, "If nobody else gives these signals: see that whoever waits has given "
                           "first what others wait for, or wait with a time limit.");
        if (stopped_by_the_exit(rule, p, members, n) || served_another(p, members, n))
            f->severity = SEVERITY_NOTE;
        else if (!nobody_is_left(p, all))
            f->severity = SEVERITY_WARNING;
    }
    free(members);
}

/* A cycle is told once, by the rule of its first member. */
static void judge_cycles(const struct rule *rule, const struct model_process *p,
                         const struct waiters *all, bool tasks, struct findings *out)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct waiter *w = &all->items[i], *member = w;
        uint32_t stack;
        bool first = w->cause == WAITER_CYCLE && model_is_task(w->actor->id) == tasks;
        for (uint32_t k = 1; first && k < w->cycle && member != NULL; k++) {
            member = waiters_find(all, waiters_next(p, member, &stack));
            first = member != NULL && member->actor->id > w->actor->id;
        }
        if (!first)
            continue;
        struct finding *f = leak_cycle_finding(rule, p, all, w);
        if (!tasks)
            weigh_signals(rule, p, all, w, f);
        findings_add(out, f);
    }
}

void leaks_judge(const struct rule *rule, const struct model_process *p, bool tasks,
                 struct findings *out)
{
    struct waiters all = waiters_judge(p, (uint64_t)(rule_threshold(rule, "lock-age") * 1e9),
                                       rule_threshold(rule, "shutdown-share"));
    judge_cycles(rule, p, &all, tasks, out);
    judge_groups(rule, p, &all, tasks, out);
    waiters_finish(&all);
}
