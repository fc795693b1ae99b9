/*
 * lock-held-across-io.c - locks that are held while their holder waits for the outside: what others
 * wait for then is a disk, a peer or a clock.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"
#include "analyzer/rules/turns.h"
#include "analyzer/rules/words.h"

static struct rule_threshold thresholds[] = {
    {"waited", 0.01, 0.01, "s", "others waited that long in all: an error, with waited-share"},
    {"waited-share", 0.01, 0.01, "of the run", "others waited that share of the process's time"},
    {"waited-call", 0.1, 0.1, "s", "one call that long that others waited for: an error by itself"},
    {"waited-least", 0.001, 0.001, "s", "others waited that long in all: a warning"},
    {"mean-call", 0.0001, 0.0001, "s", "calls that are shorter on average do not wait: no error"},
    {"minor-share", 0.1, 0.1, "of the main call's", "a second call under one lock that costs less"},
    {"places", 8, 8, "calls", "different ones under one lock: its owner keeps it: no error"},
    {"held-least", 0.001, 0.001, "s", "nobody waited, but the calls took that long: a note"},
    {0},
};

/* Different places that call with the lock held that was taken at this one. */
static size_t count_places(const struct model_process *p, uint32_t acquired_stack)
{
    size_t n = 0;
    for (size_t i = 0; i < p->nlock_ios; i++)
        n += p->lock_ios[i].acquired_stack == acquired_stack;
    return n;
}

/* A lock that its owner keeps through all that it does is a gate: the others are meant to wait. */
static bool is_gate(const struct rule *rule, const struct model_process *p, uint32_t acquired_stack)
{
    return (double)count_places(p, acquired_stack) >= rule_threshold(rule, "places");
}

/* The same of a lock that is taken at several places, whichever of them this is. */
static bool is_of_gate(const struct rule *rule, const struct model_process *p,
                       const struct model_lock_io *io)
{
    for (size_t i = 0; i < p->nlock_ios; i++)
        if (turns_of_one_lock(&p->lock_ios[i], io) &&
            is_gate(rule, p, p->lock_ios[i].acquired_stack))
            return true;
    return false;
}

/* false: not worth a word. */
static bool weigh(const struct rule *rule, const struct model_process *p,
                  const struct model_lock_io *io, enum severity *severity)
{
    double waited = (double)io->waited_ns / 1e9, run = (double)p->end_ns / 1e9;
    bool long_in_all = waited >= rule_threshold(rule, "waited") &&
                       waited >= rule_threshold(rule, "waited-share") * run;
    bool long_at_once = io->waiters > 0 && waited >= rule_threshold(rule, "waited") &&
                        (double)io->max_ns / 1e9 >= rule_threshold(rule, "waited-call");
    /* A write into a file takes microseconds. Of thousands a few are long, because their thread was
     * preempted in them: that is the machine's load and not the lock's. */
    bool waits = io->count > 0 && (double)io->total_ns / (double)io->count / 1e9 >=
                                      rule_threshold(rule, "mean-call");
    bool gate = is_gate(rule, p, io->acquired_stack);
    if (waits && !gate && (long_in_all || long_at_once))
        *severity = SEVERITY_ERROR;
    else if (waits && waited >= rule_threshold(rule, "waited-least"))
        *severity = SEVERITY_WARNING;
    else if ((double)io->total_ns / 1e9 >= rule_threshold(rule, "held-least"))
        *severity = SEVERITY_NOTE;
    else
        return false;
    return true;
}

static const char *doing(enum el_wait_kind kind)
{
    switch (kind) {
    case EL_WAIT_READ:
        return "its holder reads";
    case EL_WAIT_WRITE:
        return "its holder writes";
    case EL_WAIT_ACCEPT:
        return "its holder waits for a connection";
    case EL_WAIT_CONNECT:
        return "its holder connects";
    case EL_WAIT_POLL:
        return "its holder polls";
    case EL_WAIT_SLEEP:
        return "its holder sleeps";
    case EL_WAIT_FSYNC:
        return "its holder syncs a file to the disk";
    case EL_WAIT_DNS:
        return "its holder looks up a name";
    case EL_WAIT_FLOCK:
        return "its holder waits for a file lock";
    case EL_WAIT_CHILD:
        return "its holder waits for a child process";
    case EL_WAIT_OPEN:
        return "its holder opens a file";
    case EL_WAIT_BLOCKING:
        return "its holder is in a blocking call";
    case EL_WAIT_CHAN_SEND:
    case EL_WAIT_CHAN_RECV:
        return "its holder waits on a channel";
    case EL_WAIT_JOIN:
        return "its holder waits for a thread to end";
    case EL_WAIT_COND:
        return "its holder waits for a condition";
    case EL_WAIT_SEM:
        return "its holder waits for a semaphore";
    case EL_WAIT_FUTEX:
        return "its holder waits on a futex";
    case EL_WAIT_BARRIER:
        return "its holder waits at a barrier";
    case EL_WAIT_GROUP:
        return "its holder waits for a wait group";
    case EL_WAIT_SELECT:
        return "its holder waits in a select";
    default:
        return "its holder waits for something else";
    }
}

static const char *fix_of(bool gate)
{
    return gate ? "If the lock is kept on purpose, so that others stay parked on it: hide this, or "
                  "park them on a condition or a semaphore, which says what it is. Else take it "
                  "for what needs it only, and make such calls without it."
                : "Make the call before the lock is taken or after it is let go; under the lock "
                  "only take what the call needs and put in place what it gave.";
}

static struct finding *finding_of(const struct rule *rule, const struct model_process *p,
                                  const struct model_lock_io *io, enum severity severity, bool gate)
{
    struct finding *f = finding_create(rule, p);
    const char *lock =
        io->lock_kind != EL_WAIT_NONE ? words_plain(el_wait_kind_word(io->lock_kind)) : "lock";
    f->severity = severity;
    /* That others waited was measured; without that it is only a chance. */
    f->confidence = io->waited_ns > 0 ? CONFIDENCE_PROVEN : CONFIDENCE_PROBABLE;
    f->count = io->count;
    finding_set_times(f, io->first_ns, io->last_ns);
    finding_set_kind(f, el_wait_kind_word(io->io_kind));
    finding_set_title(f, "%s is held while %s", words_a(lock).text, doing(io->io_kind));
    finding_set_fix(f, "%s", fix_of(gate));
    finding_add_stack(f, "waits at", io->io_stack, true, NULL);
    finding_add_stack(f, "acquired at", io->acquired_stack, true, NULL);
    if (io->waiters == 0)
        finding_add_evidence(f, "waiters", "nobody waited for the lock meanwhile");
    size_t places = count_places(p, io->acquired_stack);
    if (places > 1)
        finding_add_evidence(f, "places", "%zu different calls are made with the lock held%s",
                             places, gate ? ": its owner keeps it through all that it does" : "");
    if (io->lock != 0)
        finding_add_evidence(f, "object", "%s at 0x%" PRIx64, lock, io->lock);
    if (io->waited_ns > 0)
        finding_add_cost(f, "others waited for it", (double)io->waited_ns, "ns");
    finding_add_cost(f, "held in such calls", (double)io->total_ns, "ns");
    finding_add_cost(f, "longest call", (double)io->max_ns, "ns");
    finding_add_cost(f, "calls", (double)io->count, "calls");
    if (io->waiters > 0)
        finding_add_cost(f, "waits", (double)io->waiters, "waits");
    return f;
}

/* Another call under the same lock cost far more: mending that one is what matters. */
static bool is_minor(const struct rule *rule, const struct model_process *p,
                     const struct model_lock_io *io)
{
    uint64_t most = 0;
    for (size_t i = 0; i < p->nlock_ios; i++)
        if (p->lock_ios[i].acquired_stack == io->acquired_stack && p->lock_ios[i].waited_ns > most)
            most = p->lock_ios[i].waited_ns;
    return (double)io->waited_ns < rule_threshold(rule, "minor-share") * (double)most;
}

static int by_cost(const void *a, const void *b)
{
    const struct model_lock_io *x = *(const struct model_lock_io *const *)a;
    const struct model_lock_io *y = *(const struct model_lock_io *const *)b;
    if (x->waited_ns != y->waited_ns)
        return x->waited_ns < y->waited_ns ? 1 : -1;
    return (x->total_ns < y->total_ns) - (x->total_ns > y->total_ns);
}

/* One of the calls that are made under a gate tells of it: there is one thing to decide. */
static bool is_told(const struct model_lock_io *const *told, size_t n,
                    const struct model_lock_io *io)
{
    for (size_t i = 0; i < n; i++)
        if (turns_of_one_lock(told[i], io))
            return true;
    return false;
}

/* The costliest first: where several have one place by name, its words stand for all. */
static void judge(const struct rule *rule, const struct model_process *p, struct findings *out)
{
    const struct model_lock_io **list = xcalloc(p->nlock_ios, sizeof *list);
    size_t ngates = 0; /* told of already: the first of the list, which are done with */
    for (size_t i = 0; i < p->nlock_ios; i++)
        list[i] = &p->lock_ios[i];
    if (p->nlock_ios > 1)
        qsort(list, p->nlock_ios, sizeof *list, by_cost);
    for (size_t i = 0; i < p->nlock_ios; i++) {
        enum severity severity;
        const struct model_lock_io *io = list[i];
        if (turns_is(p, io) || is_minor(rule, p, io) || !weigh(rule, p, io, &severity))
            continue;
        bool gate = severity != SEVERITY_ERROR && is_of_gate(rule, p, io);
        if (gate && is_told(list, ngates, io))
            continue;
        if (gate)
            list[ngates++] = io;
        findings_add(out, finding_of(rule, p, io, severity, gate));
    }
    free(list);
}

const struct rule rule_lock_held_across_io = {
    .id = "lock-held-across-io",
    .title_one = "lock held across IO",
    .title_many = "locks held across IO",
    .summary = "Locks held while their holder waits for the outside, and what others wait for it.",
    .severity = SEVERITY_ERROR,
    .callers_aside = true,
    .thresholds = thresholds,
    .judge = judge,
};
