/*
 * lock_use.h - what the record says of one lock: for the rules on locks that are waited for. No
 * judgement.
 */
#ifndef RULES_LOCK_USE_H
#define RULES_LOCK_USE_H

#include "analyzer/model/model.h"
#include "analyzer/rules/finding.h"

struct lock_use {
    const struct model_object *lock;
    uint64_t waits, waited_ns; /* without the time its holder was in IO */
    struct model_spread wait;  /* of the places where it was waited for */
    struct model_spread held;  /* from taking it to giving it back there, of samples */
    uint64_t taken;            /* how often, by the samples */
    uint32_t stack, other;     /* where most was waited, and next most; 0: nowhere */
    uint64_t reading, writing; /* waits of a reader-writer lock, of those recorded one by one */
    uint64_t first_ns, last_ns;
};

/* Locks only; false for other objects, and where nobody waited. */
bool lock_use_get(const struct model_process *p, const struct model_object *object,
                  struct lock_use *use);

/* What was waited, over the time in which waits were recorded: 1 is one that waits at any time. */
double lock_use_waiting(const struct model_process *p, const struct lock_use *use);

/* For how many ns it was held in all, by the median; and for what share of that time. */
double lock_use_held(const struct lock_use *use);
double lock_use_busy(const struct model_process *p, const struct lock_use *use);

/* A duration of some instructions, given for a machine on which two locked ones take 5 ns, as this
 * process measures it: longer where they take longer, and with the reading of a clock. */
double lock_use_brief(const struct model_process *p, double ns);

/* Places, evidence and costs that are the same for every such finding. */
void lock_use_describe(const struct lock_use *use, struct finding *f);

#endif
