/* recursion.h - places whose tasks or threads make further ones there. Facts only; no rule. */
#ifndef RULES_RECURSION_H
#define RULES_RECURSION_H

#include "analyzer/model/model.h"

/* From where on recursion runs away: what recursive-spawn starts with, and what other rules on the
 * same place go by. */
#define RECURSION_GENERATIONS   3
#define RECURSION_GROWTH        1.2
#define RECURSION_MADE          100
#define RECURSION_AWAITED_SHARE 0.5

struct recursion {
    const struct model_lineage *lineage;
    uint32_t largest;   /* the generation in which most were made */
    uint64_t recursive; /* made by those that were made there */
    double growth;      /* from one generation to the next, up to the largest */
};

/* false: nobody who was made there made another there. */
bool recursion_get(const struct model_process *p, const struct model_site *site,
                   struct recursion *r);

/* What there is too much of at this place comes of its recursion. */
bool recursion_runs_away(const struct model_process *p, const struct model_site *site);

#endif
