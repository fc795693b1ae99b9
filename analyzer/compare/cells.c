/*
 * cells.c - see cells.h.
 */
#include "analyzer/compare/cells.h"

#include <math.h>

#include "analyzer/gate/gate.h"
#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"

/* A count needs no unit in a table whose rows are named after it. */
static char *amount(char buf[REPORT_WORDS_MAX], double value, const char *unit, bool printed)
{
    bool scaled = strcmp(unit, "ns") == 0 || strcmp(unit, "bytes") == 0;
    return report_amount(buf, value, scaled || printed ? unit : "");
}

static bool is_printed(const struct metric *m)
{
    return strcmp(m->text, "printed by the program") == 0;
}

char *cell_value(const struct comparison_row *r, enum side side)
{
    char buf[REPORT_WORDS_MAX];
    if (!r->n[side])
        return xstrdup("unknown");
    const struct stats_summary *s = &r->summary[side];
    amount(buf, s->median, r->metric->unit, is_printed(r->metric));
    double spread = stats_spread(s);
    if (spread == 0)
        return xstrdup(buf);
    if (isnan(spread))
        return xasprintf("%s ± ?", buf);
    return xasprintf("%s ± %.0f%%", buf, 100 * spread);
}

/* Three significant digits, and what tells nearly all from all. */
static int percent_digits(double change)
{
    double percent = fabs(100 * change);
    return percent >= 100 ? 0 : percent < 9.95 || percent > 99 ? 2 : 1;
}

char *cell_change(const struct comparison_row *r)
{
    if (!r->both)
        return xstrdup("");
    char *change;
    if (r->summary[BEFORE].median == r->summary[AFTER].median)
        change = xstrdup(r->can_tell && r->significant ? "differs" : "same");
    else if (r->can_tell && !r->significant)
        change = xstrdup("~");
    else if (isnan(r->change))
        change = xstrdup("from 0");
    else if (r->change >= 9.995)
        change = xasprintf("x%.*f", r->change < 99 ? 1 : 0, r->change + 1);
    else
        change = xasprintf("%+.*f%%", percent_digits(r->change), 100 * r->change);
    if (!r->can_tell || (r->p >= 1 && strcmp(change, "same") == 0))
        return change;
    char *both = xasprintf("%s (p=%.3f)", change, r->p);
    free(change);
    return both;
}

char *cell_side(const struct comparison *c, enum side side)
{
    char runs[REPORT_WORDS_MAX];
    char *label = report_clean(c->label[side]);
    char *text = xasprintf("%s (%s)", label, report_count(runs, c->nruns[side], "run"));
    free(label);
    return text;
}

/* "; tasks leaked: 14 before, 3 now", where the two name the same cost. */
static char *both_costs(const char *before, const char *after)
{
    const char *colon = strchr(after, ':');
    size_t named = colon ? (size_t)(colon - after) + 1 : 0;
    bool same = named && strncmp(before, after, named) == 0;
    return xasprintf("; %s before,%s now", before, same ? after + named : after);
}

static char *costs(const struct comparison_finding *f, enum side side)
{
    const char *before = f->cost[BEFORE], *after = f->cost[AFTER];
    if (before && after && strcmp(before, after) != 0)
        return both_costs(before, after);
    return f->cost[side] ? xasprintf("; %s", f->cost[side]) : xstrdup("");
}

char *cell_finding(const struct comparison *c, const struct comparison_finding *f)
{
    enum side side = f->runs[AFTER] ? AFTER : BEFORE;
    char *cost = costs(f, side), *some = NULL;
    if (f->runs[side] < c->nruns[side])
        some = xasprintf("; in %zu of %zu runs", f->runs[side], c->nruns[side]);
    char *text =
        xasprintf("%s: %s: %s%s%s%s%s", severity_name(f->severity), f->rule, f->title,
                  f->place ? ", at " : "", f->place ? f->place : "", cost, some ? some : "");
    free(cost);
    free(some);
    return text;
}

char *cell_footnote(const struct comparison *c)
{
    const size_t before = c->nruns[BEFORE], after = c->nruns[AFTER];
    if (!stats_can_tell(before, after))
        return xasprintf("With fewer than %zu runs a side a change cannot be told from chance: "
                         "what is shown may be either.",
                         stats_least());
    bool interval = before >= STATS_INTERVAL_LEAST && after >= STATS_INTERVAL_LEAST;
    return xasprintf("Medians; ± is %s. ~: chance explains the difference (p > %.2f, "
                     "Mann-Whitney U).",
                     interval ? "the 95% interval of the median" : "the range of the values",
                     STATS_ALPHA);
}

const char *fate_name(enum finding_fate fate)
{
    static const char *const names[FINDING_FATES] = {"gone", "new", "kept"};
    return names[fate];
}
