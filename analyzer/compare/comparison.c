/*
 * comparison.c - see comparison.h.
 */
#include "analyzer/compare/comparison.h"

#include <math.h>

#include "analyzer/gate/gate.h"
#include "analyzer/model/memory.h"
#include "analyzer/report/report.h"
#include "analyzer/report/words.h"
#include "analyzer/rules/rule.h"

void comparison_init(struct comparison *c)
{
    *c = (struct comparison){0};
    metrics_init(&c->metrics);
}

void comparison_clear(struct comparison *c)
{
    for (int side = 0; side < SIDES; side++) {
        for (size_t i = 0; i < c->nruns[side]; i++)
            free(c->runs[side][i]);
        free(c->runs[side]);
    }
    for (size_t i = 0; i < c->nrows; i++) {
        free(c->rows[i].values[BEFORE]);
        free(c->rows[i].values[AFTER]);
    }
    for (size_t i = 0; i < c->nfindings; i++) {
        struct comparison_finding *f = &c->findings[i];
        char *const texts[] = {f->fingerprint, f->rule,         f->title,
                               f->place,       f->cost[BEFORE], f->cost[AFTER]};
        for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
            free(texts[k]);
    }
    for (size_t i = 0; i < c->nbars; i++) {
        bar_clear(&c->bars[i].bar);
        free(c->bars[i].why);
    }
    for (size_t i = 0; i < c->nwarnings; i++)
        free(c->warnings[i]);
    free(c->rows);
    free(c->findings);
    free(c->bars);
    free(c->warnings);
    metrics_clear(&c->metrics);
    *c = (struct comparison){0};
}

char *comparison_add_bar(struct comparison *c, const char *text)
{
    struct bar bar;
    char *error = bar_parse(&bar, text, &c->metrics);
    if (error)
        return error;
    XGROW(c->bars, c->nbars);
    c->bars[c->nbars++] = (struct comparison_bar){.bar = bar};
    return NULL;
}

void comparison_warn(struct comparison *c, char *text)
{
    XGROW(c->warnings, c->nwarnings);
    c->warnings[c->nwarnings++] = text;
}

/* ---- findings ---- */

static struct comparison_finding *find(struct comparison *c, const char *fingerprint)
{
    for (size_t i = 0; i < c->nfindings; i++)
        if (strcmp(c->findings[i].fingerprint, fingerprint) == 0)
            return &c->findings[i];
    XGROW(c->findings, c->nfindings);
    struct comparison_finding *f = &c->findings[c->nfindings++];
    *f = (struct comparison_finding){.fingerprint = xstrdup(fingerprint)};
    return f;
}

static void replace(char **old, char *text)
{
    free(*old);
    *old = text;
}

static void add_finding(struct comparison *c, enum side side, const struct finding *from)
{
    struct comparison_finding *f = find(c, from->fingerprint);
    double count = (double)from->count;
    if (f->runs[side]++ == 0 || count > f->count[side]) {
        f->count[side] = count;
        replace(&f->cost[side], from->ncosts ? report_cost(&from->costs[0]) : NULL);
    }
    replace(&f->rule, xstrdup(from->rule->id));
    replace(&f->title, report_clean(from->title ? from->title : from->rule->summary));
    char *place = from->place ? report_place(from->place, NULL) : NULL;
    replace(&f->place, report_clean(place));
    free(place);
    f->severity = from->severity;
}

void comparison_add_run(struct comparison *c, enum side side, double *values,
                        const struct gate *gate)
{
    XGROW(c->runs[side], c->nruns[side]);
    c->runs[side][c->nruns[side]++] = values;
    for (size_t i = 0; i < gate->n; i++) {
        const struct gate_item *item = &gate->items[i];
        if (gate_is_active(item) && item->finding->severity > SEVERITY_NOTE)
            add_finding(c, side, item->finding);
    }
}

enum finding_fate comparison_fate(const struct comparison_finding *f)
{
    return !f->runs[AFTER] ? FINDING_GONE : !f->runs[BEFORE] ? FINDING_NEW : FINDING_KEPT;
}

size_t comparison_count(const struct comparison *c, enum finding_fate fate)
{
    size_t n = 0;
    for (size_t i = 0; i < c->nfindings; i++)
        n += comparison_fate(&c->findings[i]) == fate;
    return n;
}

/* The most severe first, else in the order in which they came. */
static void sort_findings(struct comparison *c)
{
    for (size_t i = 1; i < c->nfindings; i++)
        for (size_t k = i; k > 0 && c->findings[k].severity > c->findings[k - 1].severity; k--) {
            struct comparison_finding f = c->findings[k];
            c->findings[k] = c->findings[k - 1];
            c->findings[k - 1] = f;
        }
}

/* ---- metrics ---- */

static void compare_row(struct comparison_row *r)
{
    double before = r->summary[BEFORE].median, after = r->summary[AFTER].median;
    r->both = true;
    r->change = before != 0 ? (after - before) / fabs(before) : NAN;
    r->p = stats_u_test(r->values[BEFORE], r->n[BEFORE], r->values[AFTER], r->n[AFTER]);
    r->can_tell = stats_can_tell(r->n[BEFORE], r->n[AFTER]);
    r->significant = r->can_tell && r->p <= STATS_ALPHA;
    bool more = after > before, differs = more || after < before;
    if (differs && (r->significant || !r->can_tell))
        r->better = more == r->metric->more_is_better ? 1 : -1;
}

static void add_row(struct comparison *c, size_t metric)
{
    struct comparison_row r = {.metric = &c->metrics.items[metric]};
    bool any = false;
    for (int side = 0; side < SIDES; side++) {
        r.values[side] = xcalloc(c->nruns[side], sizeof(double));
        for (size_t i = 0; i < c->nruns[side]; i++) {
            double value = c->runs[side][i][metric];
            if (isnan(value))
                continue;
            r.values[side][r.n[side]++] = value;
            any = any || value != 0;
        }
        if (r.n[side])
            stats_summarize(&r.summary[side], r.values[side], r.n[side]);
    }
    if (!any && metric < METRICS_BUILTIN) {
        free(r.values[BEFORE]);
        free(r.values[AFTER]);
        return;
    }
    if (r.n[BEFORE] && r.n[AFTER])
        compare_row(&r);
    XGROW(c->rows, c->nrows);
    c->rows[c->nrows++] = r;
}

/* ---- bars ---- */

static const struct comparison_row *find_row(const struct comparison *c, size_t metric)
{
    for (size_t i = 0; i < c->nrows; i++)
        if (c->rows[i].metric == &c->metrics.items[metric])
            return &c->rows[i];
    return NULL;
}

static double count_new(const struct comparison *c, size_t extra)
{
    double n = 0;
    for (size_t i = 0; i < c->nfindings; i++)
        n += comparison_fate(&c->findings[i]) == FINDING_NEW &&
             (extra == BAR_NEW_FINDINGS || c->findings[i].severity == SEVERITY_ERROR);
    return n;
}

static void judge_new(struct comparison *c, struct comparison_bar *b)
{
    double n = count_new(c, b->bar.metric - c->metrics.n);
    b->broken = bar_is_broken(&b->bar, 0, n);
    if (b->broken)
        b->why = xasprintf(n == 1 ? "%.0f finding is new" : "%.0f findings are new", n);
}

/* A change that chance explains does not break a bar, where there are runs enough to tell. What
 * one side does not know cannot be called good. */
static void judge_bar(struct comparison *c, struct comparison_bar *b)
{
    if (b->bar.metric >= c->metrics.n) {
        judge_new(c, b);
        return;
    }
    static const struct comparison_row zero = {.both = true};
    const struct metric *m = &c->metrics.items[b->bar.metric];
    const struct comparison_row *r = find_row(c, b->bar.metric);
    bool known = r && r->both;
    if (!r && !isnan(c->runs[BEFORE][0][b->bar.metric]) &&
        !isnan(c->runs[AFTER][0][b->bar.metric])) {
        r = &zero;
        known = true;
    }
    if (!known) {
        b->broken = true;
        b->why = xasprintf("%s is not known of both sides", m->name);
        return;
    }
    double before = r->summary[BEFORE].median, after = r->summary[AFTER].median;
    bool told = b->bar.kind == BAR_VALUE || r->significant || !r->can_tell;
    b->broken = told && bar_is_broken(&b->bar, before, after);
    if (!b->broken)
        return;
    char from[REPORT_WORDS_MAX], to[REPORT_WORDS_MAX];
    b->why = xasprintf("%s went from %s to %s", m->name, report_amount(from, before, m->unit),
                       report_amount(to, after, m->unit));
}

void comparison_settle(struct comparison *c)
{
    for (size_t i = 0; i < c->metrics.n; i++)
        add_row(c, i);
    sort_findings(c);
    for (size_t i = 0; i < c->nbars; i++)
        judge_bar(c, &c->bars[i]);
}

bool comparison_is_worse(const struct comparison *c)
{
    for (size_t i = 0; i < c->nbars; i++)
        if (c->bars[i].broken)
            return true;
    return false;
}
