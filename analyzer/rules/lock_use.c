/* lock_use.c - see lock_use.h. */
#include "analyzer/rules/lock_use.h"

#include <inttypes.h>

#include "analyzer/rules/words.h"

#define PAIR_NS 5.0
/* What is measured as a record begins may be interrupted, and no machine is as fast or slow as
 * this: then it says nothing. */
#define PAIR_LEAST 1.0
#define PAIR_MOST  100.0

double lock_use_brief(const struct model_process *p, double ns)
{
    if (p->pair_ns < PAIR_LEAST || p->pair_ns > PAIR_MOST)
        return ns;
    return ns * p->pair_ns / PAIR_NS + p->clock_ns;
}

static void spread_merge(struct model_spread *into, const struct model_spread *s)
{
    if (s == NULL)
        return;
    into->count += s->count;
    into->total_ns += s->total_ns;
    into->max_ns = s->max_ns > into->max_ns ? s->max_ns : into->max_ns;
    for (uint32_t i = 0; i < EL_SPREAD_BINS; i++)
        into->bins[i] += s->bins[i];
}

static bool is_reading(enum el_wait_kind kind)
{
    return kind == EL_WAIT_RWLOCK_READ || kind == EL_WAIT_WEFT_READ;
}

/* How often a lock was taken at a place where it was waited for so often. Where that place takes
 * others too, it has its part by the waits. */
static uint64_t taken_at(const struct model_process *p, uint32_t stack, uint64_t waits)
{
    const struct model_site *site = model_find_site(p, EL_SITE_LOCK, stack);
    uint64_t all = 0;
    for (size_t i = 0; i < p->nwaits; i++)
        all += p->waits[i].stack == stack ? p->waits[i].count : 0;
    return site == NULL || all == 0 ? 0
                                    : (uint64_t)((double)site->count * (double)waits / (double)all);
}

/* A destroyed lock stands for all that were waited for last at its place. */
static bool is_wait_for(const struct model_process *p, const struct model_object *lock,
                        const struct model_wait *w)
{
    if (lock->kind == EL_OBJ_FUTEX)
        return w->kind == EL_WAIT_FUTEX && w->object == lock->address;
    if (!el_wait_is_lock(w->kind))
        return false;
    if (w->object == lock->address)
        return true;
    if (lock->state != EL_GONE || w->stack != lock->last_waiter_stack)
        return false;
    const struct model_object *other = model_find_object(p, w->object);
    return other == NULL || other->state == EL_GONE;
}

/* A word that the program waits for by itself is a lock if all who waited expected the same value,
 * hardly anybody gave it back while another one had it, and it went from one to the other: a flag
 * does not, and workers that give each other jobs work at the same time. */
enum { TURNS = 8 };

static bool is_lock(const struct model_object *o)
{
    return el_object_is_lock(o->kind) || (o->kind == EL_OBJ_FUTEX && o->items >= TURNS &&
                                          o->capacity != 0 && o->capacity != UINT64_MAX);
}

bool lock_use_get(const struct model_process *p, const struct model_object *object,
                  struct lock_use *use)
{
    *use = (struct lock_use){.lock = object, .waits = object->waits};
    if (!is_lock(object) || object->waits == 0)
        return false;
    use->waited_ns =
        object->wait_ns > object->wait_io_ns ? object->wait_ns - object->wait_io_ns : 0;
    uint64_t most = 0, next = 0;
    for (size_t i = 0; i < p->nwaits; i++) {
        const struct model_wait *w = &p->waits[i];
        if (!is_wait_for(p, object, w))
            continue;
        spread_merge(&use->wait, model_find_spread(p, EL_SPREAD_LOCK_WAIT, w->stack));
        spread_merge(&use->held, model_find_spread(p, EL_SPREAD_LOCK_HELD, w->stack));
        use->taken += taken_at(p, w->stack, w->count);
        *(is_reading(w->kind) ? &use->reading : &use->writing) += w->count;
        if (use->first_ns == 0 || w->first_ns < use->first_ns)
            use->first_ns = w->first_ns;
        if (w->last_ns > use->last_ns)
            use->last_ns = w->last_ns;
        if (w->total_ns > most) {
            use->other = use->stack;
            next = most;
            use->stack = w->stack;
            most = w->total_ns;
        } else if (w->total_ns > next) {
            use->other = w->stack;
            next = w->total_ns;
        }
    }
    return true;
}

static double share_of_run(const struct model_process *p, double ns)
{
    uint64_t run = p->recorded_ns != 0 ? p->recorded_ns : p->end_ns;
    return run == 0 ? 0 : ns / (double)run;
}

double lock_use_waiting(const struct model_process *p, const struct lock_use *use)
{
    return share_of_run(p, (double)use->waited_ns);
}

double lock_use_held(const struct lock_use *use)
{
    return (double)use->taken * (double)model_spread_quantile(&use->held, 0.5);
}

double lock_use_busy(const struct model_process *p, const struct lock_use *use)
{
    return share_of_run(p, lock_use_held(use));
}

static void describe_object(const struct model_object *lock, struct finding *f)
{
    const char *kind = el_object_kind_word(lock->kind);
    if (lock->state == EL_GONE && lock->items > 1)
        finding_add_evidence(f, "objects",
                             "%" PRIu64 " of this kind, destroyed by now, one at 0x%" PRIx64,
                             lock->items, lock->address);
    else
        finding_add_evidence(f, "object", "%s at 0x%" PRIx64 "%s", kind, lock->address,
                             lock->state == EL_GONE ? ", destroyed by now" : "");
}

void lock_use_describe(const struct lock_use *use, struct finding *f)
{
    f->confidence = CONFIDENCE_PROVEN;
    f->count = use->waits;
    finding_set_times(f, use->first_ns, use->last_ns);
    finding_set_kind(f, el_object_kind_word(use->lock->kind));
    finding_add_stack(f, "waits at", use->stack, true, NULL);
    finding_add_stack(f, "waits also at", use->other, false, NULL);
    finding_add_stack(f, "created at", use->lock->created_stack, false, NULL);
    finding_add_evidence(f, "waits", "of %" PRIu64 " waits half took over %s, one in 100 over %s",
                         use->waits, words_duration(model_spread_quantile(&use->wait, 0.5)).text,
                         words_duration(model_spread_quantile(&use->wait, 0.99)).text);
    if (use->taken != 0) /* samples of these very stacks */
        finding_add_evidence(
            f, "held", "taken about %" PRIu64 " times, and held for %s at the median", use->taken,
            words_duration(model_spread_quantile(&use->held, 0.5)).text);
    describe_object(use->lock, f);
    finding_add_cost(f, "waited for it", (double)use->waited_ns, "ns");
    finding_add_cost(f, "waits", (double)use->waits, "waits");
}
