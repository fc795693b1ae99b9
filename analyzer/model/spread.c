/* spread.c - what a spread of durations says, and finding one. See model.h. */
#include "analyzer/model/model.h"

const struct model_spread *model_find_spread(const struct model_process *p,
                                             enum el_spread_kind kind, uint32_t stack)
{
    for (size_t i = 0; i < p->nspreads; i++)
        if (p->spreads[i].kind == kind && p->spreads[i].stack == stack)
            return &p->spreads[i];
    return NULL;
}

const struct model_site *model_find_site(const struct model_process *p, enum el_site_kind kind,
                                         uint32_t stack)
{
    for (size_t i = 0; i < p->nsites; i++)
        if (p->sites[i].kind == kind && p->sites[i].stack == stack)
            return &p->sites[i];
    return NULL;
}

static uint64_t bins_sum(const struct model_spread *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < EL_SPREAD_BINS; i++)
        sum += s->bins[i];
    return sum;
}

/* Where a duration would stand in its bin: the members of a bin are taken to lie evenly in it. */
uint64_t model_spread_quantile(const struct model_spread *s, double share)
{
    double rank = share * (double)bins_sum(s), before = 0;
    for (uint32_t i = 0; i < EL_SPREAD_BINS; i++) {
        if (s->bins[i] == 0)
            continue;
        if (before + s->bins[i] >= rank) {
            double from = (double)el_spread_from(i);
            double to = i + 1 < EL_SPREAD_BINS ? (double)el_spread_from(i + 1) : (double)s->max_ns;
            double at = from + (to > from ? (to - from) * (rank - before) / s->bins[i] : 0);
            return s->max_ns > 0 && at > (double)s->max_ns ? s->max_ns : (uint64_t)at;
        }
        before += s->bins[i];
    }
    return s->max_ns;
}

double model_spread_below(const struct model_spread *s, uint64_t ns)
{
    uint64_t sum = bins_sum(s);
    uint32_t last = el_spread_bin(ns);
    double below = 0;
    for (uint32_t i = 0; i < last; i++)
        below += s->bins[i];
    if (last + 1 < EL_SPREAD_BINS) {
        double from = (double)el_spread_from(last), to = (double)el_spread_from(last + 1);
        below += s->bins[last] * ((double)ns - from) / (to - from);
    }
    return sum > 0 ? below / (double)sum : 0;
}
