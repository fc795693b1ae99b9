/*
 * json.c - the report as one JSON document. See report.h; the schema is
 * docs/schema/findings-1.json.
 *
 * Version 1 may gain keys; a key never changes its meaning.
 */
#include <inttypes.h>
#include <jansson.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/json_text.h"
#include "analyzer/report/report.h"
#include "analyzer/rules/rule.h"

#define REPORT_VERSION 1

static json_t *count(uint64_t n)
{
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

static json_t *place_json(const struct finding_frame *f)
{
    if (!f)
        return json_null();
    return json_pack("{so so si so}", "function", report_json_text(f->function), "file",
                     report_json_text(f->file), "line", (int)f->line, "module",
                     report_json_text(f->module));
}

static json_t *frame_json(const struct finding_frame *f)
{
    char address[24], offset[24];
    snprintf(address, sizeof(address), "0x%" PRIx64, f->address);
    snprintf(offset, sizeof(offset), "0x%" PRIx64, f->offset);
    json_t *frame = place_json(f);
    json_t *rest = json_pack("{ss ss sb sb}", "address", address, "offset", offset, "inlined",
                             f->inlined, "in_app", f->in_app);
    json_object_update(frame, rest);
    json_decref(rest);
    return frame;
}

static json_t *stacks_json(const struct finding *f)
{
    json_t *stacks = json_array();
    for (size_t i = 0; i < f->nstacks; i++) {
        const struct finding_stack *s = &f->stacks[i];
        json_t *frames = json_array();
        for (size_t k = 0; k < s->nframes; k++)
            json_array_append_new(frames, frame_json(&s->frames[k]));
        json_array_append_new(stacks, json_pack("{so so sb so}", "role", report_json_text(s->role),
                                                "note", report_json_text(s->note), "primary",
                                                s->primary, "frames", frames));
    }
    return stacks;
}

static json_t *evidence_json(const struct finding *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->nevidence; i++)
        json_array_append_new(list,
                              json_pack("{so so}", "name", report_json_text(f->evidence[i].name),
                                        "text", report_json_text(f->evidence[i].text)));
    return list;
}

static json_t *cost_json(const struct finding *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->ncosts; i++)
        json_array_append_new(
            list, json_pack("{so sf so}", "what", report_json_text(f->costs[i].what), "amount",
                            f->costs[i].amount, "unit", report_json_text(f->costs[i].unit)));
    return list;
}

static json_t *item_processes_json(const struct gate_item *item)
{
    json_t *list = json_array();
    for (size_t i = 0; i < item->nprocesses; i++) {
        const struct model_process *p = item->processes[i].process;
        json_array_append_new(list, json_pack("{sI so so}", "pid", (json_int_t)p->pid, "command",
                                              report_json_text(p->command), "count",
                                              count(item->processes[i].count)));
    }
    return list;
}

static json_t *finding_json(const struct gate_item *item)
{
    const struct finding *f = item->finding;
    json_t *o = json_pack("{ss ss ss ss so so so so so so so so}", "rule", f->rule->id, "severity",
                          severity_name(f->severity), "confidence",
                          f->confidence == CONFIDENCE_PROVEN ? "proven" : "probable", "fingerprint",
                          f->fingerprint, "title", report_json_text(f->title), "kind",
                          report_json_text(f->kind), "count", count(f->count), "place",
                          place_json(f->place), "stacks", stacks_json(f), "evidence",
                          evidence_json(f), "cost", cost_json(f), "fix", report_json_text(f->fix));
    char *line = suppression_for(f);
    json_object_set_new(o, "first_seen_ns", count(f->first_ns));
    json_object_set_new(o, "last_seen_ns", count(f->last_ns));
    json_object_set_new(o, "growth_per_s", json_real(f->growth_per_s));
    json_object_set_new(o, "mark", report_json_text(f->mark));
    json_object_set_new(o, "processes", item_processes_json(item));
    json_object_set_new(o, "suppression", report_json_text(line));
    free(line);
    return o;
}

/* Those that a suppression or the baseline hides, in short. */
static json_t *hidden_json(const struct gate_item *item)
{
    const struct finding *f = item->finding;
    json_t *o = json_pack("{ss ss ss so so}", "rule", f->rule->id, "severity",
                          severity_name(f->severity), "fingerprint", f->fingerprint, "title",
                          report_json_text(f->title), "place", place_json(f->place));
    const struct suppression *s = item->suppressed;
    if (s)
        json_object_set_new(o, "by",
                            json_pack("{so si so}", "file", report_json_text(s->file), "line",
                                      (int)s->line, "reason", report_json_text(s->reason)));
    else
        json_object_set_new(o, "first", report_json_text(item->known->first));
    return o;
}

/* Null where the allocator says nothing of itself. */
static json_t *allocator_json(const struct model_heap *h)
{
    if (!h->allocator)
        return json_null();
    return json_pack("{ss so so so so so so so so}", "name", h->allocator, "arenas",
                     count(h->arenas), "allocated", count(h->allocated), "active", count(h->active),
                     "resident", count(h->resident), "retained", count(h->retained), "mapped",
                     count(h->mapped), "readings", count(h->readings), "resident_most",
                     count(h->resident_most));
}

static json_t *process_json(const struct model_process *p)
{
    char *ending = record_ending(p);
    json_t *o = json_pack("{sI sI so so ss so so so so so so}", "pid", (json_int_t)p->pid, "ppid",
                          (json_int_t)p->ppid, "command", report_json_text(p->command), "ending",
                          report_json_text(ending), "state", el_record_state_word(p->state),
                          "events", count(p->events), "lost", count(p->lost), "lost_cells",
                          count(p->lost_cells), "stack_walks", count(p->unwinds), "threads",
                          count(p->threads_made), "tasks", count(p->tasks_made));
    json_object_set_new(o, "allocator", allocator_json(&p->heap));
    json_object_set_new(o, "duration_ns", count(p->end_ns));
    json_object_set_new(o, "stop_reason",
                        p->stop_reason == EL_STOP_NONE
                            ? json_null()
                            : report_json_text(el_stop_reason_word(p->stop_reason)));
    free(ending);
    return o;
}

static json_t *texts_json(const char *const *items, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, report_json_text(items[i]));
    return list;
}

static json_t *run_json(const struct report *r)
{
    const struct record *c = r->record;
    const struct run_info *run = r->run;
    json_t *processes = json_array();
    for (size_t i = 0; i < r->model->nprocesses; i++)
        json_array_append_new(processes, process_json(&r->model->processes[i]));
    json_t *o = json_pack(
        "{so sb so so}", "log", report_json_text(r->log), "complete", !c->incomplete, "problems",
        texts_json((const char *const *)c->reasons, c->nreasons), "processes", processes);
    json_object_set_new(o, "silent", count(c->silent));
    json_object_set_new(o, "overhead",
                        json_pack("{so so so so so so so}", "events", count(c->events), "lost",
                                  count(c->lost + c->lost_cells), "bytes", count(c->bytes),
                                  "stack_walks", count(c->unwinds), "lived_ns", count(c->lived_ns),
                                  "waits_recorded_ns", count(c->recorded_ns), "waits_outside",
                                  count(c->outside)));
    if (run->own.looks > 0)
        json_object_set_new(o, "own",
                            json_pack("{sI sI sI}", "looks", (json_int_t)run->own.looks, "inside",
                                      (json_int_t)run->own.inside, "inside_ns",
                                      (json_int_t)run->own.inside_ns));
    json_object_set_new(o, "command", report_json_text(run->command));
    if (!run->command)
        return o;
    json_object_set_new(o, "pid", json_integer(run->pid));
    json_object_set_new(o, "started_ns", json_integer(run->started_ns));
    json_object_set_new(o, "ended_ns", run->ended_ns ? json_integer(run->ended_ns) : json_null());
    json_object_set_new(o, "exit_status", run->exited ? json_integer(run->status) : json_null());
    json_object_set_new(o, "signal", run->signal ? json_integer(run->signal) : json_null());
    json_object_set_new(o, "hung", json_boolean(run->timed_out));
    return o;
}

static json_t *summary_json(const struct gate *g)
{
    return json_pack("{sI sI sI sI sI sI ss}", "error", (json_int_t)g->active[SEVERITY_ERROR],
                     "warning", (json_int_t)g->active[SEVERITY_WARNING], "note",
                     (json_int_t)g->active[SEVERITY_NOTE], "suppressed", (json_int_t)g->suppressed,
                     "baseline", (json_int_t)g->known, "failing", (json_int_t)g->failing, "fail_on",
                     severity_name(g->bar));
}

void report_json(FILE *out, const struct report *r)
{
    json_t *active = json_array(), *suppressed = json_array(), *known = json_array();
    for (size_t i = 0; i < r->gate->n; i++) {
        const struct gate_item *item = &r->gate->items[i];
        if (item->suppressed)
            json_array_append_new(suppressed, hidden_json(item));
        else if (item->known)
            json_array_append_new(known, hidden_json(item));
        else
            json_array_append_new(active, finding_json(item));
    }
    json_t *root =
        json_pack("{si s{ss ss} so so so so so so}", "version", REPORT_VERSION, "tool", "name",
                  "loiter", "version", r->version, "findings", active, "suppressed", suppressed,
                  "baseline", known, "summary", summary_json(r->gate), "warnings",
                  texts_json(r->warnings, r->nwarnings), "run", run_json(r));
    if (!root)
        memory_out();
    json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    fputc('\n', out);
    json_decref(root);
}
