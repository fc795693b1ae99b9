/* leak_words.c - a group of leaked actors, or a cycle of them, as a finding. */
#include <inttypes.h>
#include <stdio.h>

#include "analyzer/model/memory.h"

#include "analyzer/rules/leaks.h"
#include "analyzer/rules/life.h"
#include "analyzer/rules/words.h"

static const char *noun(bool tasks, size_t n)
{
    return tasks ? (n == 1 ? "task" : "tasks") : (n == 1 ? "thread" : "threads");
}

static uint64_t age_ns(const struct model_process *p, uint64_t since_ns)
{
    return p->end_ns > since_ns ? p->end_ns - since_ns : 0;
}

/* ---- title and mend ---- */

static void set_title(struct finding *f, const struct leak_group *g)
{
    const struct model_actor *a = g->worst->actor;
    struct words who = words_count(g->n, noun(g->tasks, 1), noun(g->tasks, 2));
    if (g->n == 1 && life_is_main(g->p, a->id))
        who = words_actor(g->p, a->id);
    const char *wait = g->n == 1 ? "waits" : "wait";
    const char *tail = "";
    switch (g->worst->cause) {
    case WAITER_SELF:
        tail = g->n == 1 ? " that it holds itself" : " that they hold themselves";
        break;
    case WAITER_HOLDER_ENDED:
        tail = " whose holder has ended";
        break;
    case WAITER_HOLDER_GONE:
        tail = " that nobody holds who could let it go";
        break;
    case WAITER_FINE:
    case WAITER_CYCLE:
    case WAITER_WAKER_ENDED:
    case WAITER_OWNER_ENDED:
    case WAITER_WAKER_STUCK:
    case WAITER_NEVER:
    case WAITER_BEHIND:
        break;
    }
    if (g->worst->cause == WAITER_SELF && a->wait_kind == EL_WAIT_JOIN)
        tail = ": itself";
    finding_set_title(f, "%s %s for ever %s%s", who.text, wait, words_wait(a->wait_kind), tail);
}

static const char *fix_by_kind(enum el_wait_kind kind)
{
    switch (kind) {
    case EL_WAIT_CHAN_SEND:
        return "Give the channel room for the answer, or send in a select that also receives from "
               "a "
               "context's done channel, so that the sender goes when the receiver has left.";
    case EL_WAIT_CHAN_RECV:
        return "Close the channel on every path on which its sender leaves, or receive in a select "
               "that also receives from a context's done channel.";
    case EL_WAIT_SELECT:
        return "Add a case that comes when the others have left: a context's done channel, or a "
               "time limit.";
    case EL_WAIT_COND:
        return "Signal the condition on every path on which its owner leaves, also after an error "
               "or a time-out, or wait with a time limit and look whether it is still wanted.";
    case EL_WAIT_SEM:
        return "Post the semaphore on every path on which its owner leaves, or wait with a time "
               "limit.";
    case EL_WAIT_FUTEX:
        return "Whatever it is that waits by a futex here, a future, a latch, a lock: see that "
               "whoever is to fulfil it or to let go of it does so on every path on which it "
               "leaves, or wait with a time limit.";
    case EL_WAIT_BARRIER:
        return "Make the barrier's count equal the parties that come to it on every path.";
    case EL_WAIT_GROUP:
        return "Call done for each add on every path (at the beginning of the task, deferred), and "
               "wait after the loop that adds, not within it.";
    default:
        return "See that whoever can end this wait does so on every path on which it leaves, or "
               "wait with a time limit.";
    }
}

static void set_fix(struct finding *f, const struct leak_group *g)
{
    enum waiter_cause cause = g->worst->cause;
    if (cause == WAITER_SELF)
        finding_set_fix(f, "Unlock before the second lock, or split the function into one that "
                           "locks and one that expects the lock to be held.");
    else if (cause == WAITER_HOLDER_ENDED || cause == WAITER_HOLDER_GONE)
        finding_set_fix(f, "Unlock on every path on which the function that locks returns, error "
                           "paths included.");
    else
        finding_set_fix(f, "%s", fix_by_kind(g->worst->actor->wait_kind));
}

/* ---- evidence ---- */

/* "task 3 woke it last, 1.2 s before the end, and has ended" */
static void add_peer(struct finding *f, const struct leak_group *g)
{
    const struct waiter *w = g->worst;
    const struct model_process *p = g->p;
    const struct model_object *o = w->object;
    struct words who = words_actor(p, w->peer), state = words_actor_state(p, w->peer);
    switch (w->cause) {
    case WAITER_SELF:
        finding_add_evidence(f, "peer", "%s itself, and it cannot go on to let it go", who.text);
        return;
    case WAITER_HOLDER_ENDED:
        finding_add_evidence(f, "peer", "%s holds it and %s", who.text, state.text);
        return;
    case WAITER_HOLDER_GONE:
        finding_add_evidence(f, "peer", "no thread or task that lives holds it");
        return;
    case WAITER_OWNER_ENDED:
        finding_add_evidence(f, "peer", "%s made it and %s; nobody else ever woke a waiter",
                             who.text, state.text);
        return;
    default:
        break;
    }
    if (o != NULL && o->last_waker == w->actor->id)
        finding_add_evidence(f, "peer", "nobody but %s itself ever signalled it",
                             words_actor(p, o->last_waker).text);
    else if (o != NULL && o->last_waker != 0)
        finding_add_evidence(f, "peer", "%s woke it last, %s before the end, and %s",
                             words_actor(p, o->last_waker).text,
                             words_duration(age_ns(p, o->last_waker_ns)).text,
                             words_actor_state(p, o->last_waker).text);
    else if (o != NULL && o->wakes == 0)
        finding_add_evidence(f, "peer", "nobody ever woke anyone who waited for it");
    if (o != NULL && o->last_waiter != 0 && waiters_find(g->all, o->last_waiter) == NULL)
        finding_add_evidence(f, "peer", "%s waited for it last and %s",
                             words_actor(p, o->last_waiter).text,
                             words_actor_state(p, o->last_waiter).text);
    if (o != NULL && o->creator != 0)
        finding_add_evidence(f, "maker", "%s made it and %s", words_actor(p, o->creator).text,
                             words_actor_state(p, o->creator).text);
}

static const struct model_site *site_of(const struct leak_group *g)
{
    enum el_site_kind kind = g->tasks ? EL_SITE_TASK : EL_SITE_THREAD;
    for (size_t i = 0; i < g->p->nsites; i++)
        if (g->p->sites[i].kind == kind &&
            g->p->sites[i].stack == g->members[0]->actor->created_stack)
            return &g->p->sites[i];
    return NULL;
}

static struct words buffer_words(const struct model_object *o)
{
    struct words w;
    if (o->capacity == 0)
        snprintf(w.text, sizeof w.text, "without a buffer");
    else
        snprintf(w.text, sizeof w.text, "%" PRIu64 " of the %" PRIu64 " places of its buffer full",
                 o->items, o->capacity);
    return w;
}

#define NAMED_MOST 5

/* What the tasks call themselves: task 12 "reader" {request=17} */
static void add_names(struct finding *f, const struct leak_group *g)
{
    size_t said = 0, more = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct model_actor *a = g->members[i]->actor;
        if (a->named == NULL)
            continue;
        if (said == NAMED_MOST) {
            more++;
            continue;
        }
        bool labels = a->named->labels[0] != '\0';
        finding_add_evidence(f, "named", "%s%s%s%s", words_actor(g->p, a->id).text,
                             labels ? " {" : "", a->named->labels, labels ? "}" : "");
        said++;
    }
    if (more > 0)
        finding_add_evidence(f, "named", "and %zu more", more);
}

static void add_evidence(struct finding *f, const struct leak_group *g)
{
    const struct model_actor *a = g->worst->actor;
    const struct model_object *o = g->worst->object;
    if (o != NULL && o->kind == EL_OBJ_CHAN)
        finding_add_evidence(f, "object", "channel at 0x%" PRIx64 ", %s%s", o->address,
                             buffer_words(o).text, o->state == EL_CLOSED ? ", closed" : "");
    else if (a->object != 0 && a->wait_kind != EL_WAIT_JOIN)
        finding_add_evidence(
            f, "object", "%s at 0x%" PRIx64 "%s%s",
            o != NULL ? el_object_kind_word(o->kind) : "object", a->object,
            o != NULL && o->storage != EL_STORAGE_UNKNOWN ? ", storage: " : "",
            o != NULL && o->storage != EL_STORAGE_UNKNOWN ? el_storage_word(o->storage) : "");
    if (g->objects > 1)
        finding_add_evidence(f, "objects", "they wait for %zu different objects", g->objects);
    add_peer(f, g);
    if (g->growing)
        finding_add_evidence(f, "growth", "each was left behind before the next was made");
    if (g->alone)
        finding_add_evidence(f, "alone", "nobody is left in the process who could end the wait");
    if (g->stopping && g->worst->cause == WAITER_NEVER)
        finding_add_evidence(f, "exit",
                             "it began to wait just before the program exited, which may "
                             "have stopped it on purpose");
    if (a->state == EL_ACTOR_ABANDONED)
        finding_add_evidence(f, "run", "the runtime that ran it has ended");
    const struct model_site *site = site_of(g);
    if (site != NULL && site->count > g->n)
        finding_add_evidence(f, "made", "%" PRIu64 " %s were made there, %" PRIu64 " have ended",
                             site->count, noun(g->tasks, 2),
                             site->count > site->live ? site->count - site->live : 0);
    if (g->behind > 0)
        finding_add_evidence(
            f, "behind", "also stuck behind it: %s",
            words_count(g->behind, "other thread or task", "other threads or tasks").text);
}

static void add_costs(struct finding *f, const struct leak_group *g)
{
    uint64_t stack_bytes = 0, capture_bytes = 0, oldest = 0;
    for (size_t i = 0; i < g->n; i++) {
        const struct model_actor *a = g->members[i]->actor;
        stack_bytes += a->stack_bytes;
        capture_bytes += a->capture_bytes;
        if (age_ns(g->p, a->since_ns) > oldest)
            oldest = age_ns(g->p, a->since_ns);
    }
    finding_add_cost(f, g->tasks ? "tasks leaked" : "threads leaked", (double)g->n,
                     noun(g->tasks, 2));
    if (stack_bytes > 0)
        finding_add_cost(f, "stack reserved", (double)stack_bytes, "bytes");
    if (capture_bytes > 0)
        finding_add_cost(f, "memory of their arguments", (double)capture_bytes, "bytes");
    finding_add_cost(f, "longest wait", (double)oldest, "ns");
}

static void add_stacks(struct finding *f, const struct leak_group *g)
{
    const struct waiter *w = g->worst;
    const struct model_object *o = w->object;
    finding_add_stack(f, "blocked at", w->actor->wait_stack, true, NULL);
    finding_add_stack(f, "created at", w->actor->created_stack, true, NULL);
    if (el_wait_is_lock(w->actor->wait_kind)) {
        finding_add_stack(f, "lock taken at", w->peer_stack, false, NULL);
        return;
    }
    if (o == NULL)
        return;
    finding_add_stack(f, "object made at", o->created_stack, false, NULL);
    if (o->last_waker != 0 && o->last_waker != w->actor->id)
        finding_add_stack(f, "last woken at", o->last_waker_stack, false, NULL);
}

struct finding *leak_finding(const struct rule *rule, const struct leak_group *g)
{
    struct finding *f = finding_create(rule, g->p);
    f->severity = g->severity;
    f->confidence = g->confidence;
    f->count = g->n;
    finding_set_kind(f, el_wait_kind_word(g->worst->actor->wait_kind));
    set_title(f, g);
    set_fix(f, g);
    finding_set_times(f, g->members[0]->actor->created_ns, g->members[g->n - 1]->actor->created_ns);
    finding_set_growth(f, g->n);
    add_stacks(f, g);
    add_evidence(f, g);
    add_names(f, g);
    add_costs(f, g);
    return f;
}

/* ---- cycles ---- */

/* What it holds that the one before it in the cycle waits for, and what it waits for itself. */
static void add_member(struct finding *f, const struct model_process *p, const struct waiter *w,
                       uint64_t next)
{
    struct words who = words_actor(p, w->actor->id), other = words_actor(p, next);
    enum el_wait_kind kind = w->actor->wait_kind;
    bool sure = el_wait_is_lock(kind) || kind == EL_WAIT_JOIN;
    finding_add_evidence(f, "cycle", "%s waits %s (0x%" PRIx64 "), and %s is who %s", who.text,
                         words_wait(kind), w->actor->object, other.text,
                         sure ? "can end it" : "ended such a wait last");
    finding_add_stack(f, "blocked at", w->actor->wait_stack, true, who.text);
    for (uint32_t i = 0; w->actor->held != NULL && i < 6 && i < w->actor->held->count; i++)
        finding_add_stack(f, "lock taken at", w->actor->held->locks[i].stack, false, who.text);
}

/* Who is in the cycle: tasks, threads, or both. */
static const char *cycle_noun(const struct model_process *p, const struct waiters *all,
                              const struct waiter *first)
{
    bool tasks = model_is_task(first->actor->id);
    const struct waiter *w = first;
    uint32_t stack;
    for (uint32_t i = 1; i < first->cycle && w != NULL; i++) {
        w = waiters_find(all, waiters_next(p, w, &stack));
        if (w != NULL && model_is_task(w->actor->id) != tasks)
            return "threads and tasks";
    }
    return noun(tasks, first->cycle);
}

struct finding *leak_cycle_finding(const struct rule *rule, const struct model_process *p,
                                   const struct waiters *all, const struct waiter *first)
{
    struct finding *f = finding_create(rule, p);
    const struct waiter *w = first;
    bool tasks = model_is_task(first->actor->id);
    uint64_t oldest = 0, stack_bytes = 0;
    f->severity = SEVERITY_ERROR;
    f->confidence = CONFIDENCE_PROVEN;
    f->count = first->cycle;
    finding_set_times(f, first->actor->since_ns, first->actor->since_ns);
    finding_set_kind(f, "deadlock");
    finding_set_title(f, "deadlock: %u %s wait for each other", first->cycle,
                      cycle_noun(p, all, first));
    finding_set_fix(f, "Take the locks in one order everywhere, and let go of them before waiting "
                       "for what another holder of them must do.");
    for (uint32_t i = 0; i < first->cycle && w != NULL; i++) {
        uint32_t stack;
        uint64_t next = waiters_next(p, w, &stack);
        add_member(f, p, w, next);
        stack_bytes += w->actor->stack_bytes;
        if (age_ns(p, w->actor->since_ns) > oldest)
            oldest = age_ns(p, w->actor->since_ns);
        w = waiters_find(all, next);
    }
    finding_add_stack(f, "created at", first->actor->created_stack, false, NULL);
    finding_add_cost(f, tasks ? "tasks leaked" : "threads leaked", first->cycle, noun(tasks, 2));
    if (stack_bytes > 0)
        finding_add_cost(f, "stack reserved", (double)stack_bytes, "bytes");
    finding_add_cost(f, "longest wait", (double)oldest, "ns");
    return f;
}
