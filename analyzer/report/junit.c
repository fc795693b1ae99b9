/*
 * junit.c - the report as JUnit XML, for CI servers. See report.h.
 *
 * One suite: a test case for each finding, which fails at or above the bar; one for each rule that
 * found nothing; and one for the record, which is an error when it is incomplete. A finding's case
 * is known by its rule and function, so that a CI server sees the same case fail from run to run:
 * counts and lines are in the message. An importer that checks a schema refuses the whole file for
 * an attribute more or less, so what is written is what both Jenkins's and Ant's have: the latter
 * wants every attribute, and the output of cases in one element of the suite.
 */
#include <inttypes.h>
#include <time.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/report.h"
#include "analyzer/report/words.h"
#include "analyzer/rules/rule.h"

static void escape(FILE *out, const char *s)
{
    char *clean = report_clean(s ? s : "");
    for (const char *c = clean; *c; c++) {
        switch (*c) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*c, out);
        }
    }
    free(clean);
}

static void attribute(FILE *out, const char *name, const char *value)
{
    fprintf(out, " %s=\"", name);
    escape(out, value);
    fputc('"', out);
}

static void body_line(FILE *out, const char *label, const char *value)
{
    if (!value)
        return;
    escape(out, label);
    fputs(": ", out);
    escape(out, value);
    fputc('\n', out);
}

static void body(FILE *out, const struct gate_item *item)
{
    const struct finding *f = item->finding;
    for (size_t i = 0; i < f->ncosts; i++) {
        char *cost = report_cost(&f->costs[i]);
        escape(out, cost);
        fputc('\n', out);
        free(cost);
    }
    for (size_t i = 0; i < f->nstacks; i++) {
        body_line(out, f->stacks[i].role, f->stacks[i].note ? f->stacks[i].note : "");
        for (size_t k = 0; k < f->stacks[i].nframes; k++) {
            char *place = report_place(&f->stacks[i].frames[k], NULL);
            fputs("    ", out);
            escape(out, place);
            fputc('\n', out);
            free(place);
        }
    }
    for (size_t i = 0; i < f->nevidence; i++)
        body_line(out, f->evidence[i].name, f->evidence[i].text);
    char *processes = report_processes(item), *line = suppression_for(f);
    body_line(out, "process", processes);
    body_line(out, "fix", f->fix);
    body_line(out, "suppress", line);
    body_line(out, "fingerprint", f->fingerprint);
    free(processes);
    free(line);
}

static char *place_of(const struct finding *f)
{
    return f->place ? report_place(f->place, NULL) : xstrdup("unknown place");
}

static void skipped(FILE *out, const char *message)
{
    fputs("      <skipped", out);
    attribute(out, "message", message);
    fputs("/>\n", out);
}

static bool passes(const struct gate_item *item, enum severity bar)
{
    return !item->suppressed && !item->known && item->finding->severity < bar;
}

/* What is told of a case that does not pass. */
static void verdict(FILE *out, const struct gate_item *item, enum severity bar)
{
    const struct finding *f = item->finding;
    char *place = place_of(f), *message = xasprintf("%s at %s", f->title, place);
    if (item->suppressed) {
        char *why = xasprintf("suppressed by %s:%u%s%s", item->suppressed->file,
                              item->suppressed->line, item->suppressed->reason ? ": " : "",
                              item->suppressed->reason ? item->suppressed->reason : "");
        skipped(out, why);
        free(why);
    } else if (item->known) {
        skipped(out, "in the baseline");
    } else if (!passes(item, bar)) {
        fputs("      <failure", out);
        attribute(out, "type", severity_name(f->severity));
        attribute(out, "message", message);
        fputs(">", out);
        body(out, item);
        fputs("</failure>\n", out);
    }
    free(message);
    free(place);
}

/* What stays the same of where it is. */
static char *label(const struct finding *f)
{
    char *place = f->place && f->place->function ? xstrdup(f->place->function) : place_of(f);
    char *text = f->mark ? xasprintf("%s: %s", f->mark, place) : xstrdup(place);
    free(place);
    return text;
}

static bool has_namesake(const struct gate *g, const struct finding *f, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < g->n && !found; i++) {
        const struct finding *other = g->items[i].finding;
        if (other == f || other->rule != f->rule)
            continue;
        char *its = label(other);
        found = strcmp(its, name) == 0;
        free(its);
    }
    return found;
}

static void finding_case(FILE *out, const struct gate *g, const struct gate_item *item)
{
    const struct finding *f = item->finding;
    char *name = label(f);
    if (has_namesake(g, f, name)) {
        char *longer = xasprintf("%s (%s)", name, f->fingerprint);
        free(name);
        name = longer;
    }
    fputs("    <testcase", out);
    attribute(out, "classname", f->rule->id);
    attribute(out, "name", name);
    fputs(" time=\"0\"", out);
    if (passes(item, g->bar)) {
        fputs("/>\n", out);
    } else {
        fputs(">\n", out);
        verdict(out, item, g->bar);
        fputs("    </testcase>\n", out);
    }
    free(name);
}

static bool found_something(const struct gate *g, const struct rule *rule)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->items[i].finding->rule == rule)
            return true;
    return false;
}

static void record_case(FILE *out, const struct record *c)
{
    fputs("    <testcase classname=\"loiter\" name=\"the record is complete\" time=\"0\"", out);
    if (!c->incomplete) {
        fputs("/>\n", out);
        return;
    }
    fputs(">\n      <error", out);
    attribute(out, "type", "incomplete");
    attribute(out, "message", c->nreasons ? c->reasons[0] : "the record is incomplete");
    fputs(">", out);
    for (size_t i = 0; i < c->nreasons; i++) {
        escape(out, c->reasons[i]);
        fputc('\n', out);
    }
    fputs("</error>\n    </testcase>\n", out);
}

/* ---- the suite ---- */

struct span {
    int64_t began_ns, ended_ns; /* CLOCK_REALTIME */
};

/* Of the run; where the launcher's word is missing, from the first process's start to the last's
 * end. */
static struct span span_of(const struct report *r)
{
    struct span s = {0};
    if (r->run->command && r->run->ended_ns > r->run->started_ns)
        return (struct span){r->run->started_ns, r->run->ended_ns};
    for (size_t i = 0; i < r->model->nprocesses; i++) {
        const struct model_process *p = &r->model->processes[i];
        const int64_t began = (int64_t)p->realtime_ns, ended = began + (int64_t)p->end_ns;
        s.began_ns = i == 0 || began < s.began_ns ? began : s.began_ns;
        s.ended_ns = ended > s.ended_ns ? ended : s.ended_ns;
    }
    return s;
}

static void suite_begin(FILE *out, const struct report *r, size_t tests)
{
    const struct gate *g = r->gate;
    const struct span s = span_of(r);
    const time_t began = (time_t)(s.began_ns / 1000000000);
    char when[sizeof("2000-01-01T00:00:00")] = "1970-01-01T00:00:00";
    struct tm utc;
    if (gmtime_r(&began, &utc))
        strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &utc);
    fputs("  <testsuite package=\"loiter\" id=\"0\" name=\"loiter\"", out);
    /* The record does not say on which machine it was made. */
    attribute(out, "hostname", "localhost");
    attribute(out, "timestamp", when);
    fprintf(out, " time=\"%" PRId64 ".%03" PRId64 "\"", (s.ended_ns - s.began_ns) / 1000000000,
            (s.ended_ns - s.began_ns) / 1000000 % 1000);
    fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\">\n", tests,
            g->failing, r->record->incomplete, g->suppressed + g->known);
}

static void property(FILE *out, const char *name, const char *value)
{
    if (!value)
        return;
    fputs("      <property", out);
    attribute(out, "name", name);
    attribute(out, "value", value);
    fputs("/>\n", out);
}

static void properties(FILE *out, const struct report *r)
{
    char *ending = run_info_ending(r->run);
    fputs("    <properties>\n", out);
    property(out, "loiter", r->version);
    property(out, "log", r->log);
    property(out, "program", r->run->command);
    property(out, "ending", ending);
    fputs("    </properties>\n", out);
    free(ending);
}

/* Findings that fail nothing, and what else a reader of the report should know. */
static void outputs(FILE *out, const struct report *r)
{
    fputs("    <system-out>", out);
    for (size_t i = 0; i < r->gate->n; i++) {
        const struct finding *f = r->gate->items[i].finding;
        if (!passes(&r->gate->items[i], r->gate->bar))
            continue;
        char *place = place_of(f), *message = xasprintf("%s at %s", f->title, place);
        body_line(out, severity_name(f->severity), message);
        body(out, &r->gate->items[i]);
        fputc('\n', out);
        free(message);
        free(place);
    }
    fputs("</system-out>\n    <system-err>", out);
    for (size_t i = 0; i < r->nwarnings; i++)
        body_line(out, "loiter", r->warnings[i]);
    fputs("</system-err>\n", out);
}

void report_junit(FILE *out, const struct report *r)
{
    const struct gate *g = r->gate;
    size_t quiet = 0;
    for (size_t i = 0; r->rules[i]; i++)
        quiet += !found_something(g, r->rules[i]);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n", out);
    suite_begin(out, r, g->n + quiet + 1);
    properties(out, r);
    for (size_t i = 0; i < g->n; i++)
        finding_case(out, g, &g->items[i]);
    for (size_t i = 0; r->rules[i]; i++) {
        if (found_something(g, r->rules[i]))
            continue;
        fputs("    <testcase classname=\"loiter\"", out);
        attribute(out, "name", r->rules[i]->id);
        fputs(" time=\"0\"/>\n", out);
    }
    record_case(out, r->record);
    outputs(out, r);
    fputs("  </testsuite>\n</testsuites>\n", out);
}
