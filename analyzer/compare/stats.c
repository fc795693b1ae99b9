/*
 * stats.c - see stats.h.
 */
#include "analyzer/compare/stats.h"

#include <math.h>

#include "analyzer/model/memory.h"

#define EXACT_MOST 50

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest k such that the interval from the k-th least to the k-th greatest of n values holds
 * the median with 95 %: each value lies below it as a coin falls, so both tails are binomial. 0
 * when even the whole range does not. */
static size_t interval_order(size_t n)
{
    double term = pow(0.5, (double)n), tail = 0;
    size_t k = 0;
    for (size_t i = 0; i < n / 2; i++) {
        tail += term;
        if (2 * tail > STATS_ALPHA)
            break;
        k = i + 1;
        term *= (double)(n - i) / (double)(i + 1);
    }
    return k;
}

void stats_summarize(struct stats_summary *s, double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_value);
    size_t k = interval_order(n);
    s->median = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    s->interval = k > 0;
    s->low = values[k ? k - 1 : 0];
    s->high = values[n - (k ? k : 1)];
}

double stats_spread(const struct stats_summary *s)
{
    double far = fmax(s->high - s->median, s->median - s->low);
    if (far == 0)
        return 0;
    return s->median == 0 ? NAN : fabs(far / s->median);
}

/* ---- Mann-Whitney ---- */

struct ranks {
    size_t *rank2; /* twice the rank of each value of both samples, the mean rank where they tie */
    size_t n, na;
    double ties; /* sum of t^3 - t over groups of t equal values */
};

struct value {
    double value;
    size_t at;
};

static int by_ranked_value(const void *a, const void *b)
{
    return by_value(&((const struct value *)a)->value, &((const struct value *)b)->value);
}

static void rank_all(struct ranks *r, const double *a, size_t na, const double *b, size_t nb)
{
    size_t n = na + nb;
    struct value *all = xcalloc(n, sizeof(*all));
    *r = (struct ranks){.rank2 = xcalloc(n, sizeof(*r->rank2)), .n = n, .na = na};
    for (size_t i = 0; i < n; i++)
        all[i] = (struct value){i < na ? a[i] : b[i - na], i};
    qsort(all, n, sizeof(*all), by_ranked_value);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && all[to].value <= all[from].value; to++)
            continue;
        double t = (double)(to - from);
        r->ties += t * t * t - t;
        for (size_t i = from; i < to; i++)
            r->rank2[all[i].at] = from + 1 + to;
    }
    free(all);
}

/* Over all ways to choose which values are the first sample's: how many give a rank sum up to
 * `sum2`, and how many one from there on, as fractions. */
static double exact_p(const struct ranks *r, size_t sum2)
{
    size_t most = r->n * (r->n + 1);
    /* ways[k * (most + 1) + s]: choices of k of the values so far with a doubled rank sum of s */
    double *ways = xcalloc((r->na + 1) * (most + 1), sizeof(*ways));
    ways[0] = 1;
    for (size_t i = 0; i < r->n; i++)
        for (size_t k = r->na; k > 0; k--)
            for (size_t s = r->rank2[i]; s <= most; s++)
                ways[k * (most + 1) + s] += ways[(k - 1) * (most + 1) + s - r->rank2[i]];
    double below = 0, above = 0, all = 0;
    for (size_t s = 0; s <= most; s++) {
        double w = ways[r->na * (most + 1) + s];
        all += w;
        below += s <= sum2 ? w : 0;
        above += s >= sum2 ? w : 0;
    }
    free(ways);
    return fmin(1, 2 * fmin(below, above) / all);
}

static double normal_p(const struct ranks *r, size_t sum2)
{
    double n = (double)r->n, na = (double)r->na, nb = n - na;
    double off = fabs((double)sum2 / 2 - na * (n + 1) / 2);
    double variance = na * nb / 12 * (n + 1 - r->ties / (n * (n - 1)));
    if (variance <= 0)
        return 1;
    return fmin(1, erfc(fmax(0, off - 0.5) / sqrt(2 * variance)));
}

double stats_u_test(const double *a, size_t na, const double *b, size_t nb)
{
    struct ranks r;
    size_t sum2 = 0;
    if (na == 0 || nb == 0)
        return 1;
    rank_all(&r, a, na, b, nb);
    for (size_t i = 0; i < na; i++)
        sum2 += r.rank2[i];
    double p = r.n <= EXACT_MOST ? exact_p(&r, sum2) : normal_p(&r, sum2);
    free(r.rank2);
    return p;
}

bool stats_can_tell(size_t na, size_t nb)
{
    /* The least p: all of one sample below all of the other, one choice of all, on either side. */
    double choices = 1;
    for (size_t i = 1; i <= na; i++)
        choices = choices * (double)(nb + i) / (double)i;
    return na && nb && 2 / choices <= STATS_ALPHA;
}

size_t stats_least(void)
{
    size_t n = 1;
    while (!stats_can_tell(n, n))
        n++;
    return n;
}
