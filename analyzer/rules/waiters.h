/*
 * waiters.h - why a waiting actor will never go on. For the two rules on leaks; judges each actor
 * by itself, and knows nothing of groups, severities or texts.
 *
 * An actor is hopeless when nobody who could end its wait will: the greatest set of waiting actors
 * in which each one's wait can only be ended by members of the set, by somebody who has ended, or
 * by nobody known. docs/ARCHITECTURE.md says what is known of whom.
 */
#ifndef RULES_WAITERS_H
#define RULES_WAITERS_H

#include "analyzer/model/model.h"

enum waiter_cause {
    WAITER_FINE,         /* somebody can end the wait */
    WAITER_SELF,         /* waits for a lock that it holds, joins itself */
    WAITER_CYCLE,        /* in a cycle of waits */
    WAITER_HOLDER_ENDED, /* the lock's holder ended without unlocking */
    WAITER_HOLDER_GONE,  /* nobody who lives holds the lock */
    WAITER_WAKER_ENDED,  /* who woke this object has ended */
    WAITER_OWNER_ENDED,  /* never woken, and who made the object has ended */
    WAITER_WAKER_STUCK,  /* who woke it waits for ever too */
    WAITER_NEVER,        /* never got what it waits for, and nobody is known who would give it */
    WAITER_BEHIND,       /* a consequence: behind the one in `behind` */
};

/* What the rules on leaks start with. */
#define WAITERS_LOCK_AGE_S     0.1
#define WAITERS_SHUTDOWN_SHARE 0.01

struct waiter {
    const struct model_actor *actor;
    const struct model_object *object; /* NULL when unknown */
    enum waiter_cause cause;
    bool served; /* got what it waited for at this place before, it or others at the object */
    bool has_active_child; /* it made somebody who can act */
    uint64_t peer;         /* the actor that the cause is about, 0 for none */
    uint32_t peer_stack;   /* where the peer took the lock or woke the object last */
    uint32_t cycle;        /* members of the cycle */
    const struct model_actor *behind;
};

struct waiters {
    struct waiter *items; /* by actor id; all that wait inside the program without a time limit */
    size_t n;
    double
        shutdown_share; /* of its life: who ended in the last part lived as long as the process */
    bool nobody_else;   /* all that live are among them, and the process did not exit */
};

struct waiters waiters_judge(const struct model_process *p, uint64_t lock_age_ns,
                             double shutdown_share);
void waiters_finish(struct waiters *w);
/* NULL when that actor is none of them. */
const struct waiter *waiters_find(const struct waiters *w, uint64_t actor);
/* The actor that this one's wait depends on most directly (a lock's holder, a joined thread, the
 * one that woke the object last), 0 when none is known. */
uint64_t waiters_next(const struct model_process *p, const struct waiter *w, uint32_t *stack);

#endif
