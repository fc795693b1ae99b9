/*
 * groups.h - things of one sort (timers, descriptors, ...), taken together by their place. Picks
 * those that a rule wants, sorts them, and hands over each group; judges nothing.
 */
#ifndef RULES_GROUPS_H
#define RULES_GROUPS_H

#include "analyzer/rules/rule.h"

/* -1, 0 or 1 */
#define GROUPS_COMPARE(a, b) (((a) > (b)) - ((a) < (b)))

struct group_judge {
    const struct rule *rule;
    const struct model_process *p;
    struct findings *out;
};

struct grouping {
    bool (*is_wanted)(const void *thing);
    int (*place)(const void *a, const void *b);  /* 0: of one group */
    int (*within)(const void *a, const void *b); /* the order of a group's members */
    /* `members` are n pointers into the array, and gone after the call. */
    void (*on_group)(const struct group_judge *j, const void **members, size_t n);
};

/* `things` is an array of n things of that size. */
void groups_walk(const struct grouping *how, const void *things, size_t n, size_t size,
                 const struct group_judge *j);

#endif
