/*
 * sarif.c - the report as SARIF 2.1.0, for code scanning. See report.h.
 *
 * The parts of it are those that GitHub reads: a result has a place, a text, a fingerprint and a
 * rule with help. What a suppression or the baseline hides is left out: there a result is an alert.
 * Files below `base_dir` are named from there, as in the repository.
 */
#include <ctype.h>
#include <inttypes.h>
#include <jansson.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/json_text.h"
#include "analyzer/report/report.h"
#include "analyzer/report/words.h"
#include "analyzer/rules/rule.h"

#define SCHEMA                                                                                     \
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
/* What code scanning shows of one result. */
#define FRAMES_MOST 100

static json_t *text(const char *s)
{
    return report_json_text(s ? s : "");
}

static json_t *message(const char *s)
{
    return json_pack("{so}", "text", text(s));
}

/* ---- places ---- */

static json_t *escaped_uri(const char *scheme, const char *path)
{
    char *uri = xcalloc(strlen(scheme) + 3 * strlen(path) + 1, 1), *to = stpcpy(uri, scheme);
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        if (isalnum(c) || strchr("/-._~+@", c))
            *to++ = *path;
        else
            to += sprintf(to, "%%%02X", c);
    }
    json_t *value = json_string(uri);
    free(uri);
    return value;
}

static json_t *artifact(const char *path, const char *base_dir)
{
    size_t n = base_dir ? strlen(base_dir) : 0;
    if (n > 1 && strncmp(path, base_dir, n) == 0 && path[n] == '/')
        return json_pack("{so ss}", "uri", escaped_uri("", path + n + 1), "uriBaseId", "%SRCROOT%");
    return json_pack("{so}", "uri", escaped_uri(path[0] == '/' ? "file://" : "", path));
}

/* A place that has no file in the source is one in the program's file. */
static json_t *location(const struct finding_frame *f, const char *base_dir)
{
    json_t *physical = json_object();
    const char *path = f && f->file ? f->file : f && f->module ? f->module : "unknown";
    json_object_set_new(physical, "artifactLocation", artifact(path, base_dir));
    json_object_set_new(physical, "region",
                        json_pack("{si}", "startLine", f && f->file && f->line ? (int)f->line : 1));
    json_t *all = json_pack("{so}", "physicalLocation", physical);
    if (f && f->function)
        json_object_set_new(
            all, "logicalLocations",
            json_pack("[{so ss}]", "fullyQualifiedName", text(f->function), "kind", "function"));
    return all;
}

static const struct finding_frame *first_own(const struct finding_stack *s)
{
    for (size_t i = 0; i < s->nframes; i++)
        if (s->frames[i].in_app && s->frames[i].file)
            return &s->frames[i];
    return NULL;
}

/* The other stacks of the finding, each by its innermost frame in the program. */
static json_t *related(const struct finding *f, const char *base_dir)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->nstacks; i++) {
        const struct finding_frame *frame = first_own(&f->stacks[i]);
        if (!frame || frame == f->place)
            continue;
        json_t *one = location(frame, base_dir);
        json_object_set_new(one, "id", json_integer((json_int_t)i + 1));
        json_object_set_new(one, "message", message(f->stacks[i].role));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *stack_json(const struct finding_stack *s, const char *base_dir)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < s->nframes && i < FRAMES_MOST; i++) {
        json_t *frame = json_pack("{so}", "location", location(&s->frames[i], base_dir));
        if (s->frames[i].module)
            json_object_set_new(frame, "module", text(s->frames[i].module));
        json_array_append_new(frames, frame);
    }
    return json_pack("{so so}", "message", message(s->role), "frames", frames);
}

/* ---- results ---- */

/* Cause, cost and fix: what stands beside the line. */
static char *sentences(const struct finding *f)
{
    char *all = xasprintf("%s.", f->title ? f->title : f->rule->summary);
    for (size_t i = 0; i < f->ncosts; i++) {
        char *cost = report_cost(&f->costs[i]);
        char *longer = xasprintf("%s%s%s", all, i ? ", " : " Cost: ", cost);
        free(cost);
        free(all);
        all = longer;
    }
    char *with_fix = xasprintf("%s%s%s%s", all, f->ncosts ? "." : "", f->fix ? " Fix: " : "",
                               f->fix ? f->fix : "");
    free(all);
    return with_fix;
}

static int rule_index(const struct report *r, const struct rule *rule)
{
    for (int i = 0; r->rules[i]; i++)
        if (r->rules[i] == rule)
            return i;
    return -1;
}

static json_t *result(const struct report *r, const struct finding *f, const char *base_dir)
{
    char *words = sentences(f);
    json_t *stacks = json_array(), *evidence = json_object();
    for (size_t i = 0; i < f->nstacks; i++)
        json_array_append_new(stacks, stack_json(&f->stacks[i], base_dir));
    for (size_t i = 0; i < f->nevidence; i++)
        json_object_set_new(evidence, f->evidence[i].name, text(f->evidence[i].text));
    json_t *o = json_pack("{ss si ss so s[o] s{ss} so so s{ss sI so}}", "ruleId", f->rule->id,
                          "ruleIndex", rule_index(r, f->rule), "level", severity_name(f->severity),
                          "message", message(words), "locations", location(f->place, base_dir),
                          "partialFingerprints", "loiterFingerprint/v1", f->fingerprint,
                          "relatedLocations", related(f, base_dir), "stacks", stacks, "properties",
                          "confidence", f->confidence == CONFIDENCE_PROVEN ? "proven" : "probable",
                          "count", (json_int_t)f->count, "evidence", evidence);
    free(words);
    return o;
}

/* ---- the run ---- */

static json_t *rule_json(const struct report *r, const struct rule *rule)
{
    const char *page = r->page ? r->page(rule->id) : NULL;
    const char *title = rule->title_many ? rule->title_many : rule->id;
    return json_pack("{ss ss so so s{ss} s{so so} s{s[ss]}}", "id", rule->id, "name", rule->id,
                     "shortDescription", message(title), "fullDescription", message(rule->summary),
                     "defaultConfiguration", "level", severity_name(rule->severity), "help", "text",
                     json_string(rule->summary), "markdown",
                     json_string(page ? page : rule->summary), "properties", "tags", "concurrency",
                     "reliability");
}

static json_t *notifications(const struct report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->record->nreasons; i++)
        json_array_append_new(list, json_pack("{ss so}", "level", "error", "message",
                                              message(r->record->reasons[i])));
    for (size_t i = 0; i < r->nwarnings; i++)
        json_array_append_new(
            list, json_pack("{ss so}", "level", "warning", "message", message(r->warnings[i])));
    return list;
}

void report_sarif(FILE *out, const struct report *r, const struct text_options *o)
{
    json_t *results = json_array(), *rules = json_array();
    for (size_t i = 0; i < r->gate->n; i++) {
        const struct gate_item *item = &r->gate->items[i];
        if (gate_is_active(item) && (item->finding->severity > SEVERITY_NOTE || o->notes))
            json_array_append_new(results, result(r, item->finding, o->base_dir));
    }
    for (size_t i = 0; r->rules[i]; i++)
        json_array_append_new(rules, rule_json(r, r->rules[i]));
    json_t *driver =
        json_pack("{ss ss so}", "name", "Loiter", "semanticVersion", r->version, "rules", rules);
    json_t *run = json_pack("{s{so} s[{sb so}] so}", "tool", "driver", driver, "invocations",
                            "executionSuccessful", !r->record->incomplete,
                            "toolExecutionNotifications", notifications(r), "results", results);
    json_t *root = json_pack("{ss ss s[o]}", "$schema", SCHEMA, "version", "2.1.0", "runs", run);
    if (!root)
        memory_out();
    json_dumpf(root, out, JSON_INDENT(2));
    fputc('\n', out);
    json_decref(root);
}
