/*
 * leaks.h - what the rules on leaked tasks and on leaked threads share: waiting actors that will
 * never go on, in groups of one place each, as findings. waiters.h says who is hopeless; the groups
 * and how severe each is: leaks.c; the words: leak_words.c.
 */
#ifndef RULES_LEAKS_H
#define RULES_LEAKS_H

#include "analyzer/rules/rule.h"
#include "analyzer/rules/waiters.h"

/* Those of one place: made at one, waiting at one. */
struct leak_group {
    const struct model_process *p;
    const struct waiters *all;
    struct waiter const **members; /* by time of creation */
    size_t n;
    bool tasks;
    bool growing;               /* served once, each left behind before the next was made */
    bool alone;                 /* nobody is left who could do anything */
    bool stopping;              /* threads that wait since the program began to exit, about */
    size_t objects;             /* different ones that they wait for, static ones not counted */
    size_t behind;              /* actors that wait behind members */
    size_t siblings;            /* of the same place, parked and served by somebody who lives */
    const struct waiter *worst; /* the member whose cause is told */
    enum severity severity;
    enum confidence confidence;
};

/* Thresholds that both rules have: see the X-macro's users. */
#define LEAK_THRESHOLDS(kind)                                                                      \
    {"own-objects", 2, 2, "objects",                                                               \
     kind " of one place that each wait for an object of their own"},                              \
        {"growth-count", 3, 3, kind, "served " kind " that were left behind one after the other"}, \
        {"shutdown-share", WAITERS_SHUTDOWN_SHARE, WAITERS_SHUTDOWN_SHARE, "of the run",           \
         "who ended in that last part of it was there to the end"},                                \
        {"lock-age", WAITERS_LOCK_AGE_S, WAITERS_LOCK_AGE_S, "s",                                  \
         "wait for a lock that nobody holds"},                                                     \
    {                                                                                              \
        "young", 1, 1, "s", "a single wait of a killed process that may just have begun"           \
    }

/* What happened no longer than that before the end may be of the making of a program that exits. A
 * threshold of threads. */
double leaks_stopping_ns(const struct rule *rule, const struct model_process *p);
/* Judges the tasks or the threads of a process. */
void leaks_judge(const struct rule *rule, const struct model_process *p, bool tasks,
                 struct findings *out);
/* The finding of a group that is settled. */
struct finding *leak_finding(const struct rule *rule, const struct leak_group *g);
/* The finding of the cycle that `first` is in. */
struct finding *leak_cycle_finding(const struct rule *rule, const struct model_process *p,
                                   const struct waiters *all, const struct waiter *first);

#endif
