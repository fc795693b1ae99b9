/*
 * print_json.c - a comparison as one JSON document; the schema is docs/schema/comparison-1.json.
 *
 * Version 1 may gain keys; a key never changes its meaning.
 */
#include <jansson.h>
#include <math.h>

#include "analyzer/compare/cells.h"
#include "analyzer/compare/compare_report.h"
#include "analyzer/gate/gate.h"
#include "analyzer/model/memory.h"
#include "analyzer/report/json_text.h"

#define COMPARISON_VERSION 1

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *sample_json(const struct comparison_row *r, enum side side)
{
    if (!r->n[side])
        return json_null();
    const struct stats_summary *s = &r->summary[side];
    json_t *values = json_array();
    for (size_t i = 0; i < r->n[side]; i++)
        json_array_append_new(values, number(r->values[side][i]));
    return json_pack("{so so so sb so}", "median", number(s->median), "low", number(s->low), "high",
                     number(s->high), "interval", s->interval, "values", values);
}

static json_t *row_json(const struct comparison_row *r)
{
    return json_pack(
        "{so so so ss so so so so sb}", "name", report_json_text(r->metric->name), "unit",
        report_json_text(r->metric->unit), "text", report_json_text(r->metric->text), "better",
        r->metric->more_is_better ? "more" : "less", "before", sample_json(r, BEFORE), "after",
        sample_json(r, AFTER), "change", r->both ? number(r->change) : json_null(), "p",
        r->both ? number(r->p) : json_null(), "significant", r->significant);
}

static json_t *presence_json(const struct comparison_finding *f, enum side side)
{
    return json_pack("{sI so so}", "runs", (json_int_t)f->runs[side], "count",
                     json_integer((json_int_t)f->count[side]), "cost",
                     report_json_text(f->cost[side]));
}

static json_t *finding_json(const struct comparison_finding *f)
{
    return json_pack("{so ss so so so ss so so}", "rule", report_json_text(f->rule), "severity",
                     severity_name(f->severity), "fingerprint", report_json_text(f->fingerprint),
                     "title", report_json_text(f->title), "place", report_json_text(f->place),
                     "fate", fate_name(comparison_fate(f)), "before", presence_json(f, BEFORE),
                     "after", presence_json(f, AFTER));
}

static json_t *side_json(const struct comparison *c, enum side side)
{
    return json_pack("{so sI}", "label", report_json_text(c->label[side]), "runs",
                     (json_int_t)c->nruns[side]);
}

void compare_json(FILE *out, const struct comparison *c, const char *version)
{
    json_t *rows = json_array(), *findings = json_array(), *bars = json_array(),
           *warnings = json_array();
    for (size_t i = 0; i < c->nrows; i++)
        json_array_append_new(rows, row_json(&c->rows[i]));
    for (size_t i = 0; i < c->nfindings; i++)
        json_array_append_new(findings, finding_json(&c->findings[i]));
    for (size_t i = 0; i < c->nbars; i++)
        json_array_append_new(
            bars, json_pack("{so sb so}", "bar", report_json_text(c->bars[i].bar.text), "broken",
                            c->bars[i].broken, "why", report_json_text(c->bars[i].why)));
    for (size_t i = 0; i < c->nwarnings; i++)
        json_array_append_new(warnings, report_json_text(c->warnings[i]));
    json_t *root =
        json_pack("{si s{ss ss} so so so so so so sb}", "version", COMPARISON_VERSION, "tool",
                  "name", "loiter", "version", version, "before", side_json(c, BEFORE), "after",
                  side_json(c, AFTER), "metrics", rows, "findings", findings, "bars", bars,
                  "warnings", warnings, "doubtful", c->doubtful);
    if (!root)
        memory_out();
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}
