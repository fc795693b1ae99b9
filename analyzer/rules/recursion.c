/* recursion.c - see recursion.h. */
#include "analyzer/rules/recursion.h"

#include <math.h>

enum { GENERATIONS = sizeof((struct model_lineage *)0)->made / sizeof(uint64_t) };

static const struct model_lineage *lineage_of(const struct model_process *p,
                                              const struct model_site *site)
{
    for (size_t i = 0; i < p->nlineages; i++)
        if (p->lineages[i].kind == site->kind && p->lineages[i].stack == site->stack)
            return &p->lineages[i];
    return NULL;
}

bool recursion_get(const struct model_process *p, const struct model_site *site,
                   struct recursion *r)
{
    const struct model_lineage *l = lineage_of(p, site);
    *r = (struct recursion){.lineage = l, .growth = 1};
    if (l == NULL)
        return false;
    for (uint32_t i = 1; i < GENERATIONS; i++) {
        r->recursive += l->made[i];
        /* The last slot also has those of all later generations. */
        if (i + 1 < GENERATIONS && l->made[i] > l->made[r->largest])
            r->largest = i;
    }
    uint64_t first = site->count > r->recursive ? site->count - r->recursive : 1;
    if (r->largest > 0)
        r->growth = pow((double)l->made[r->largest] / (double)first, 1.0 / r->largest);
    return true;
}

bool recursion_runs_away(const struct model_process *p, const struct model_site *site)
{
    struct recursion r;
    return recursion_get(p, site, &r) && r.lineage->deepest >= RECURSION_GENERATIONS &&
           r.growth >= RECURSION_GROWTH && r.recursive >= RECURSION_MADE &&
           (double)r.lineage->awaited < RECURSION_AWAITED_SHARE * (double)r.lineage->parents;
}
