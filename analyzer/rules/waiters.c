/* waiters.c - see waiters.h. */
#include "analyzer/rules/waiters.h"

#include <stdlib.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/life.h"

/* ---- who waits ---- */

static bool is_candidate(const struct model_actor *a)
{
    if (a->state != EL_ACTOR_WAITING && a->state != EL_ACTOR_ABANDONED)
        return false;
    if ((a->flags & (EL_ACTOR_TIMED | EL_ACTOR_WORKER | EL_ACTOR_SYSTEM)) != 0)
        return false;
    return el_wait_is_inside(a->wait_kind);
}

static struct waiter *find(const struct waiters *all, uint64_t actor)
{
    size_t low = 0, high = all->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (all->items[mid].actor->id < actor)
            low = mid + 1;
        else
            high = mid;
    }
    return low < all->n && all->items[low].actor->id == actor ? &all->items[low] : NULL;
}

const struct waiter *waiters_find(const struct waiters *w, uint64_t actor)
{
    return find(w, actor);
}

/* ---- what can end a wait ---- */

/* Ended before the end. Who ended just before the process did was there all along: a
 * program that shuts down ends its threads one after the other. */
static bool has_ended(const struct model_process *p, const struct waiters *all, uint64_t actor)
{
    const struct model_actor *a = model_find_actor(p, actor);
    if (life_of(p, actor) != LIFE_ENDED)
        return false;
    if (a == NULL || a->ended_ns == 0)
        return true;
    return (double)(p->end_ns - a->ended_ns) >= all->shutdown_share * (double)p->end_ns;
}

/* Lives, and does not itself wait for ever as far as is known by now. */
static bool can_act(const struct model_process *p, const struct waiters *all, uint64_t actor)
{
    if (life_of(p, actor) == LIFE_UNKNOWN || has_ended(p, all, actor))
        return false;
    const struct waiter *w = find(all, actor);
    return w == NULL || w->cause == WAITER_FINE;
}

/* A queue's condition in static storage is where a service waits that nobody has asked yet. Such a
 * service holds nothing meanwhile. */
static bool is_unused_service(const struct waiter *w)
{
    return w->actor->held == NULL && w->object != NULL && w->object->storage == EL_STORAGE_STATIC &&
           w->object->wakes == 0 &&
           (w->actor->wait_kind == EL_WAIT_COND || w->actor->wait_kind == EL_WAIT_SEM ||
            w->actor->wait_kind == EL_WAIT_FUTEX);
}

static bool overflows(const struct model_process *p)
{
    for (size_t i = 0; i < p->nhelds; i++)
        if (p->helds[i].count > sizeof p->helds[i].locks / sizeof p->helds[i].locks[0])
            return true;
    return false;
}

/* The list of held locks cannot be wrong about a lock that nobody holds. */
static bool knows_all_holders(const struct model_process *p, const struct waiter *w,
                              uint64_t lock_age_ns)
{
    bool local = w->object != NULL && w->object->storage != EL_STORAGE_UNKNOWN &&
                 w->object->storage != EL_STORAGE_SHARED;
    return local && p->lost_cells == 0 && p->end_ns - w->actor->since_ns >= lock_age_ns &&
           !overflows(p);
}

static bool lock_will_come(const struct model_process *p, const struct waiters *all,
                           const struct waiter *w, uint64_t lock_age_ns)
{
    size_t n;
    const struct model_holding *h = model_find_holdings(p, w->actor->object, &n);
    if (h == NULL)
        return !knows_all_holders(p, w, lock_age_ns);
    /* All readers must let go: one that will not is enough. */
    for (size_t i = 0; i < n; i++)
        if (h[i].actor == w->actor->id || !can_act(p, all, h[i].actor))
            return life_of(p, h[i].actor) == LIFE_UNKNOWN;
    return true;
}

/* Who woke the object last, apart from the waiter itself; 0 when nobody is known. */
static uint64_t waker_of(const struct waiter *w)
{
    const struct model_object *o = w->object;
    if (o != NULL && o->last_waker != 0 && o->last_waker != w->actor->id)
        return o->last_waker;
    return w->actor->waits_here > 1 ? w->actor->waker : 0;
}

/* Who joins it has nothing else to do. */
static bool is_joined(const struct waiters *all, const struct waiter *w)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].actor->wait_kind == EL_WAIT_JOIN &&
            all->items[i].actor->object == w->actor->id)
            return true;
    return false;
}

static bool will_go_on(const struct model_process *p, const struct waiters *all,
                       const struct waiter *w, uint64_t lock_age_ns)
{
    const struct model_actor *a = w->actor;
    if (el_wait_is_lock(a->wait_kind))
        return lock_will_come(p, all, w, lock_age_ns);
    if (a->wait_kind == EL_WAIT_JOIN)
        /* A thread that has ended is joined at once. */
        return a->object != a->id &&
               (find(all, a->object) == NULL || find(all, a->object)->cause == WAITER_FINE);
    if (w->has_active_child || (is_unused_service(w) && !(all->nobody_else && is_joined(all, w))))
        return true;
    if (w->object != NULL && w->object->storage == EL_STORAGE_SHARED)
        return true; /* another process may end it */
    if (!w->served)
        return false;
    return can_act(p, all, waker_of(w)) || (a->waits_here > 1 && can_act(p, all, a->waker));
}

/* ---- why it will not ---- */

uint64_t waiters_next(const struct model_process *p, const struct waiter *w, uint32_t *stack)
{
    size_t n;
    const struct model_holding *h;
    *stack = 0;
    if (el_wait_is_lock(w->actor->wait_kind)) {
        h = model_find_holdings(p, w->actor->object, &n);
        for (size_t i = 0; i < n; i++)
            if (i + 1 == n || h[i].actor == w->actor->id || life_of(p, h[i].actor) == LIFE_ENDED) {
                *stack = h[i].stack;
                return h[i].actor;
            }
        return 0;
    }
    if (w->actor->wait_kind == EL_WAIT_JOIN)
        return w->actor->object;
    uint64_t waker = waker_of(w);
    if (w->object != NULL && waker != 0 && waker == w->object->last_waker)
        *stack = w->object->last_waker_stack;
    return waker;
}

/* The length of the cycle of waits that leads back to `start`, 0 when there is none. */
static uint32_t cycle_length(const struct model_process *p, const struct waiters *all,
                             const struct waiter *start)
{
    const struct waiter *w = start;
    uint32_t stack;
    for (uint32_t length = 1; length <= all->n; length++) {
        w = find(all, waiters_next(p, w, &stack));
        if (w == NULL || w->cause == WAITER_FINE)
            return 0;
        if (w == start)
            return length;
    }
    return 0;
}

static enum waiter_cause cause_of_lock(const struct model_process *p, const struct waiters *all,
                                       const struct waiter *w)
{
    if (w->peer == w->actor->id)
        return WAITER_SELF;
    if (w->peer == 0)
        return WAITER_HOLDER_GONE;
    return has_ended(p, all, w->peer) ? WAITER_HOLDER_ENDED : WAITER_BEHIND;
}

static enum waiter_cause cause_of_signal(const struct model_process *p, const struct waiters *all,
                                         struct waiter *w)
{
    const struct model_object *o = w->object;
    const struct waiter *peer = find(all, w->peer);
    bool beside = peer != NULL && peer->actor->object == w->actor->object;
    if (w->peer != 0 && !beside) {
        if (has_ended(p, all, w->peer))
            return WAITER_WAKER_ENDED;
        if (w->served)
            return WAITER_WAKER_STUCK;
    }
    if (o != NULL && o->wakes == 0 && o->creator != w->actor->id && has_ended(p, all, o->creator)) {
        w->peer = o->creator;
        w->peer_stack = o->created_stack;
        return WAITER_OWNER_ENDED;
    }
    return WAITER_NEVER;
}

static void explain(const struct model_process *p, const struct waiters *all, struct waiter *w)
{
    w->peer = waiters_next(p, w, &w->peer_stack);
    w->cycle = cycle_length(p, all, w);
    if (el_wait_is_lock(w->actor->wait_kind))
        w->cause = cause_of_lock(p, all, w);
    else if (w->actor->wait_kind == EL_WAIT_JOIN)
        w->cause = w->peer == w->actor->id ? WAITER_SELF : WAITER_BEHIND;
    else
        w->cause = cause_of_signal(p, all, w);
    if (w->cycle > 1 && (w->cause == WAITER_BEHIND || w->cause == WAITER_WAKER_STUCK))
        w->cause = WAITER_CYCLE;
    if (w->cause == WAITER_BEHIND || w->cause == WAITER_WAKER_STUCK) {
        const struct waiter *other = find(all, w->peer);
        w->behind = other != NULL ? other->actor : NULL;
    }
}

/* ---- all together ---- */

/* Who comes to a barrier, ends a part of a group's work or runs a once serves nobody by that. */
static bool was_served(const struct waiter *w)
{
    enum el_wait_kind kind = w->actor->wait_kind;
    if (kind == EL_WAIT_BARRIER || kind == EL_WAIT_GROUP || kind == EL_WAIT_ONCE)
        return false;
    return w->actor->waits_here > 1 ||
           (w->object != NULL && w->object->wakes > 0 && w->object->last_waker != w->actor->id);
}

/* All that live wait inside the process, which did not exit: only a signal's handler could end one
 * of these waits. */
static bool has_nobody_else(const struct model_process *p, const struct waiters *all)
{
    for (size_t i = 0; i < p->nactors && !p->exited; i++) {
        const struct model_actor *a = &p->actors[i];
        if (a->state != EL_ACTOR_ENDED && a->state != EL_ACTOR_FREE &&
            (a->flags & (EL_ACTOR_WORKER | EL_ACTOR_SYSTEM)) == 0 && find(all, a->id) == NULL)
            return false;
    }
    return !p->exited;
}

/* Whoever waits for the first time for something of its own making, as a parent for its children,
 * is served by them as long as one of them can act. */
static void mark_parents(const struct model_process *p, struct waiters *all)
{
    for (size_t i = 0; i < all->n; i++)
        all->items[i].has_active_child = false;
    for (size_t i = 0; i < p->nactors; i++) {
        struct waiter *parent = find(all, p->actors[i].creator);
        if (parent != NULL && !parent->has_active_child)
            parent->has_active_child = can_act(p, all, p->actors[i].id);
    }
}

struct waiters waiters_judge(const struct model_process *p, uint64_t lock_age_ns,
                             double shutdown_share)
{
    struct waiters all = {.shutdown_share = shutdown_share};
    for (size_t i = 0; i < p->nactors; i++) {
        if (!is_candidate(&p->actors[i]))
            continue;
        XGROW(all.items, all.n);
        struct waiter *w = &all.items[all.n++];
        *w = (struct waiter){.actor = &p->actors[i], .cause = WAITER_NEVER};
        if (w->actor->object != 0 && w->actor->wait_kind != EL_WAIT_JOIN)
            w->object = model_find_object(p, w->actor->object);
        w->served = was_served(w);
    }
    all.nobody_else = has_nobody_else(p, &all);
    /* All are hopeless but those that are shown not to be, one after the other. */
    for (bool changed = true; changed;) {
        changed = false;
        mark_parents(p, &all);
        for (size_t i = 0; i < all.n; i++)
            if (all.items[i].cause != WAITER_FINE &&
                will_go_on(p, &all, &all.items[i], lock_age_ns)) {
                all.items[i].cause = WAITER_FINE;
                changed = true;
            }
    }
    for (size_t i = 0; i < all.n; i++)
        if (all.items[i].cause != WAITER_FINE)
            explain(p, &all, &all.items[i]);
    return all;
}

void waiters_finish(struct waiters *w)
{
    free(w->items);
    *w = (struct waiters){0};
}
