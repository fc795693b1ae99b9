/*
 * chrome.c - see chrome.h.
 */
#include "analyzer/export/chrome.h"

#include <inttypes.h>
#include <jansson.h>

#include "analyzer/model/memory.h"
#include "analyzer/model/model.h"
#include "analyzer/model/table.h"
#include "analyzer/report/json_text.h"
#include "eventlog/reader.h"

/* Tasks and threads share the viewer's thread ids. */
#define TASK_TRACK (1 << 30)

struct writing {
    FILE *out;
    const struct model_process *p;
    chrome_place_fn place;
    void *arg;
    struct table named; /* actors that have a name in the viewer */
    uint64_t hz, base_ns;
    bool first;
};

static json_t *clean_string(const char *s)
{
    return report_json_text(s ? s : "");
}

/* Takes `event`. */
static void emit(struct writing *w, json_t *event)
{
    if (!event)
        memory_out();
    fputs(w->first ? "\n" : ",\n", w->out);
    w->first = false;
    json_dumpf(event, w->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    json_decref(event);
}

static double us_of(const struct writing *w, uint64_t ticks)
{
    uint64_t begin = w->p->realtime_ns > w->base_ns ? w->p->realtime_ns - w->base_ns : 0;
    return (double)(begin + el_hz_to_ns(ticks, w->hz)) / 1e3;
}

static int track_of(uint64_t actor)
{
    int number = (int)(actor & (TASK_TRACK - 1));
    return el_actor_is_task(actor) ? TASK_TRACK | number : number;
}

static void name_process(struct writing *w)
{
    emit(w, json_pack("{ss ss si s{so}}", "ph", "M", "name", "process_name", "pid", (int)w->p->pid,
                      "args", "name", clean_string(w->p->command)));
}

static void name_actor(struct writing *w, uint64_t actor)
{
    if (table_get(&w->named, actor, 0) != TABLE_NONE)
        return;
    *table_slot(&w->named, actor, 0) = 0;
    char *name = xasprintf("%s %" PRIu64, el_actor_is_task(actor) ? "task" : "thread",
                           actor & ~EL_ACTOR_TASK);
    emit(w, json_pack("{ss ss si si s{ss}}", "ph", "M", "name", "thread_name", "pid",
                      (int)w->p->pid, "tid", track_of(actor), "args", "name", name));
    free(name);
}

static json_t *place_json(struct writing *w, uint32_t stack)
{
    return clean_string(stack ? w->place(w->arg, w->p, stack) : NULL);
}

/* Takes `args`. */
static void slice(struct writing *w, uint64_t actor, const char *name, uint64_t began,
                  uint64_t ended, json_t *args)
{
    double from = us_of(w, began), to = us_of(w, ended);
    name_actor(w, actor);
    emit(w,
         json_pack("{ss ss si si sf sf so}", "ph", "X", "name", name, "pid", (int)w->p->pid, "tid",
                   track_of(actor), "ts", from, "dur", to > from ? to - from : 0.0, "args", args));
}

static void instant(struct writing *w, uint64_t actor, uint64_t at, const char *text)
{
    name_actor(w, actor);
    emit(w, json_pack("{ss ss so si si sf}", "ph", "i", "s", "p", "name", clean_string(text), "pid",
                      (int)w->p->pid, "tid", track_of(actor), "ts", us_of(w, at)));
}

/* A thread's life: the slice that holds its others. */
static void edge(struct writing *w, const char *phase, uint32_t thread, uint64_t at)
{
    name_actor(w, thread);
    emit(w, json_pack("{ss ss si si sf}", "ph", phase, "name", "thread", "pid", (int)w->p->pid,
                      "tid", track_of(thread), "ts", us_of(w, at)));
}

static void on_wait(struct writing *w, const struct el_wait *e)
{
    slice(w, e->actor, el_wait_kind_word(e->kind), e->began, e->ended,
          json_pack("{so sI}", "at", place_json(w, e->stack), "object", (json_int_t)e->object));
}

static void on_lock_io(struct writing *w, const struct el_lock_io *e)
{
    char *name = xasprintf("%s with a %s held", el_wait_kind_word(e->io_kind),
                           el_wait_kind_word(e->lock_kind));
    slice(w, e->actor, name, e->began, e->ended,
          json_pack("{so so}", "at", place_json(w, e->io_stack), "acquired",
                    place_json(w, e->acquired_stack)));
    free(name);
}

static void on_population(struct writing *w, const struct el_population *e, uint64_t at)
{
    const char *place = w->place(w->arg, w->p, e->stack);
    char *name = xasprintf("%s: %s", el_site_kind_word(e->site_kind), place ? place : "?");
    emit(w, json_pack("{ss so si sf s{sI}}", "ph", "C", "name", clean_string(name), "pid",
                      (int)w->p->pid, "ts", us_of(w, at), "args", "alive", (json_int_t)e->live));
    free(name);
}

static void on_event(struct writing *w, const struct el_record *r)
{
    switch (r->info->id) {
    case EL_ID_thread_begin:
        edge(w, "B", r->any.thread_begin.thread,
             r->any.thread_begin.began != 0 ? r->any.thread_begin.began : r->time);
        break;
    case EL_ID_thread_end:
        edge(w, "E", r->any.thread_end.thread, r->time);
        break;
    case EL_ID_wait:
        on_wait(w, &r->any.wait);
        break;
    case EL_ID_lock_io:
        on_lock_io(w, &r->any.lock_io);
        break;
    case EL_ID_population:
        on_population(w, &r->any.population, r->time);
        break;
    case EL_ID_mark:
        instant(w, r->any.mark.actor, r->time, r->any.mark.text);
        break;
    case EL_ID_misuse:
        instant(w, r->any.misuse.actor, r->time, r->any.misuse.text);
        break;
    default:
        break;
    }
}

static bool write_process(struct writing *w)
{
    struct el_reader *reader;
    struct el_record record;
    if (el_reader_open(w->p->dir, &reader) != EL_READ_OK)
        return false;
    w->hz = el_reader_clock_hz(reader);
    name_process(w);
    while (el_reader_next(reader, &record))
        on_event(w, &record);
    el_reader_close(reader);
    table_finish(&w->named);
    return true;
}

bool chrome_write(FILE *out, const struct model *m, chrome_place_fn place, void *arg)
{
    struct writing w = {
        .out = out, .place = place, .arg = arg, .base_ns = UINT64_MAX, .first = true};
    bool ok = true;
    for (size_t i = 0; i < m->nprocesses; i++)
        if (m->processes[i].realtime_ns < w.base_ns)
            w.base_ns = m->processes[i].realtime_ns;
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", out);
    for (size_t i = 0; i < m->nprocesses; i++) {
        w.p = &m->processes[i];
        ok = write_process(&w) && ok;
    }
    fputs("\n]}\n", out);
    return ok;
}
