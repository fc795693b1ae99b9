/*
 * metrics.c - see metrics.h.
 */
#include "analyzer/compare/metrics.h"

#include <ctype.h>
#include <math.h>

#include "analyzer/compare/units.h"
#include "analyzer/model/memory.h"
#include "analyzer/model/model.h"
#include "analyzer/report/run_info.h"

#define NAME_MOST 40

/* ---- the list ---- */

void metrics_init(struct metrics *all)
{
    static const struct {
        const char *name, *unit, *text;
    } builtin[] = {
#define METRIC(name, unit, over, text) {#name, unit, text},
#include "analyzer/compare/metrics.def"
    };
    *all = (struct metrics){0};
    for (size_t i = 0; i < METRICS_BUILTIN; i++) {
        XGROW(all->items, all->n);
        all->items[all->n++] = (struct metric){.name = xstrdup(builtin[i].name),
                                               .unit = xstrdup(builtin[i].unit),
                                               .text = xstrdup(builtin[i].text)};
    }
}

void metrics_clear(struct metrics *all)
{
    for (size_t i = 0; i < all->n; i++) {
        free(all->items[i].name);
        free(all->items[i].unit);
        free(all->items[i].text);
    }
    free(all->items);
    *all = (struct metrics){0};
}

size_t metrics_find(const struct metrics *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->items[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static bool is_name(const char *text, size_t n)
{
    bool ok = n > 0 && n <= NAME_MOST && isalpha((unsigned char)text[0]);
    for (size_t i = 0; i < n; i++)
        ok = ok && (isalnum((unsigned char)text[i]) || text[i] == '_');
    return ok;
}

char *metrics_add_printed(struct metrics *all, const char *text)
{
    size_t n = strcspn(text, ":");
    bool more = strcmp(text + n, ":more") == 0;
    if (text[n] && !more && strcmp(text + n, ":less") != 0)
        return xasprintf("expected NAME, NAME:more or NAME:less: \"%s\"", text);
    if (!is_name(text, n))
        return xasprintf("a name is a letter, then letters, digits and _: \"%.*s\"", (int)n, text);
    char *name = xstrndup(text, n);
    if (metrics_find(all, name) != SIZE_MAX) {
        char *error = xasprintf("there is a metric \"%s\" already", name);
        free(name);
        return error;
    }
    XGROW(all->items, all->n);
    all->items[all->n++] = (struct metric){.name = name,
                                           .unit = xstrdup(""),
                                           .text = xstrdup("printed by the program"),
                                           .more_is_better = more};
    return NULL;
}

/* ---- what one process gives ---- */

static const bool takes_most[METRICS_BUILTIN] = {
#define SUM                            false
#define MOST                           true
#define RUN                            false
#define METRIC(name, unit, over, text) [METRIC_##name] = over,
#include "analyzer/compare/metrics.def"
#undef SUM
#undef MOST
#undef RUN
};

static void add(double *values, enum metric_id id, double value)
{
    values[id] = takes_most[id] ? fmax(values[id], value) : values[id] + value;
}

static void add_sites(double *v, const struct model_process *p)
{
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        double count = (double)s->count, peak = (double)s->peak;
        if (s->kind == EL_SITE_TASK) {
            add(v, METRIC_peak_tasks, peak);
        } else if (s->kind == EL_SITE_THREAD) {
            add(v, METRIC_peak_threads, peak);
        } else if (s->kind == EL_SITE_BLOCKED) {
            add(v, METRIC_blocked_threads, peak);
        } else if (s->kind == EL_SITE_ALLOC) {
            add(v, METRIC_allocations, count);
            add(v, METRIC_alloc_bytes, (double)s->bytes);
        }
    }
}

static void add_outcomes(double *v, const struct model_process *p)
{
    for (size_t i = 0; i < p->noutcomes; i++) {
        const struct model_outcome *o = &p->outcomes[i];
        if (o->kind >= EL_OBJ_TIMER && o->kind <= EL_OBJ_ALARM) {
            add(v, METRIC_timers, (double)o->made);
            add(v, METRIC_peak_timers, (double)o->peak);
            add(v, METRIC_timers_lost, (double)o->lost);
        } else if (o->kind == EL_OBJ_CONTEXT) {
            add(v, METRIC_contexts, (double)o->made);
            add(v, METRIC_contexts_lost, (double)o->lost);
        } else if (o->kind == EL_OBJ_FD) {
            add(v, METRIC_fds, (double)o->made);
            add(v, METRIC_peak_fds, (double)o->peak);
            add(v, METRIC_fds_left, (double)(o->made - (o->gone < o->made ? o->gone : o->made)));
        } else if (o->kind == EL_OBJ_CHAN) {
            add(v, METRIC_items_lost, (double)o->items);
        }
    }
}

/* All places together. */
static void add_spreads(double *v, const struct model_process *p)
{
    struct model_spread starts = {.kind = EL_SPREAD_TASK_START};
    for (size_t i = 0; i < p->nspreads; i++) {
        const struct model_spread *s = &p->spreads[i];
        if (s->kind == EL_SPREAD_THREAD_MAKE)
            add(v, METRIC_thread_make, (double)s->total_ns * (double)(s->every ? s->every : 1));
        if (s->kind != EL_SPREAD_TASK_START)
            continue;
        starts.count += s->count;
        starts.max_ns = s->max_ns > starts.max_ns ? s->max_ns : starts.max_ns;
        for (size_t k = 0; k < EL_SPREAD_BINS; k++)
            starts.bins[k] += s->bins[k];
    }
    if (starts.count == 0)
        return;
    add(v, METRIC_start_latency, (double)model_spread_quantile(&starts, 0.5));
    add(v, METRIC_start_latency_p99, (double)model_spread_quantile(&starts, 0.99));
}

static void add_habits(double *v, const struct model_process *p)
{
    for (size_t i = 0; i < p->nspins; i++) {
        add(v, METRIC_spins, (double)p->spins[i].count);
        add(v, METRIC_spin_cpu, (double)p->spins[i].cpu_ns);
    }
    for (size_t i = 0; i < p->ngroups; i++)
        add(v, METRIC_group_waste, (double)p->groups[i].wasted_ns);
    add(v, METRIC_misuses, (double)p->nmisuses);
}

/* A site counts every wait, but not what kind it was; events tell the kind, within a budget. */
static void add_lock_waits(double *v, const struct model_process *p)
{
    bool *is_lock = xcalloc(p->nstacks, sizeof(*is_lock)); /* by stack */
    for (size_t i = 0; i < p->nwaits; i++)
        if (p->waits[i].stack < p->nstacks && el_wait_is_lock(p->waits[i].kind))
            is_lock[p->waits[i].stack] = true;
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        if (s->kind != EL_SITE_WAIT || s->stack >= p->nstacks || !is_lock[s->stack])
            continue;
        add(v, METRIC_lock_waits, (double)s->count);
        add(v, METRIC_lock_wait, (double)s->total_ns);
        add(v, METRIC_lock_wait_max, (double)s->max_ns);
    }
    free(is_lock);
}

static void add_alive(double *v, const struct model_process *p)
{
    for (size_t i = 0; i < p->nactors; i++) {
        const struct model_actor *a = &p->actors[i];
        bool alive = a->has_cell && a->state != EL_ACTOR_ENDED && a->state != EL_ACTOR_FREE;
        if (!alive || (a->flags & (EL_ACTOR_MAIN | EL_ACTOR_WORKER | EL_ACTOR_SYSTEM)))
            continue;
        add(v, model_is_task(a->id) ? METRIC_tasks_left : METRIC_threads_left, 1);
    }
    for (size_t i = 0; i < p->ntimers; i++) {
        const struct model_timer *t = &p->timers[i];
        add(v, METRIC_timers_left, t->state == EL_TIMER_ARMED || (t->flags & EL_TIMER_ABANDONED));
        add(v, METRIC_ticks_dropped, (double)t->drops);
    }
}

static void add_process(double *v, const struct model_process *p)
{
    add(v, METRIC_threads, (double)p->threads_made);
    add(v, METRIC_tasks, (double)p->tasks_made);
    add(v, METRIC_log_events, (double)p->events);
    for (size_t i = 0; i < p->nlock_ios; i++) {
        add(v, METRIC_lock_io_calls, (double)p->lock_ios[i].count);
        add(v, METRIC_lock_io, (double)p->lock_ios[i].total_ns);
    }
    add_sites(v, p);
    add_outcomes(v, p);
    add_spreads(v, p);
    add_habits(v, p);
    add_lock_waits(v, p);
    add_alive(v, p);
}

/* ---- what the run gives ---- */

static void add_run(double *v, const struct metric_source *from)
{
    const struct run_usage *u = &from->run->usage;
    v[METRIC_processes] = (double)from->model->nprocesses;
    v[METRIC_errors] = (double)from->errors;
    v[METRIC_warnings] = (double)from->warnings;
    v[METRIC_log_bytes] = (double)from->log_bytes;
    const struct {
        enum metric_id id;
        double value;
    } measured[] = {
        {METRIC_wall, (double)u->wall_ns},
        {METRIC_cpu, (double)(u->user_ns + u->system_ns)},
        {METRIC_cpu_user, (double)u->user_ns},
        {METRIC_cpu_system, (double)u->system_ns},
        {METRIC_max_rss, (double)u->max_rss_bytes},
        {METRIC_page_faults, (double)u->page_faults},
        {METRIC_waits, (double)u->waits},
        {METRIC_preemptions, (double)u->preemptions},
    };
    for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++)
        v[measured[i].id] = u->known ? measured[i].value : NAN;
}

void metrics_measure(double *values, const struct metric_source *from)
{
    for (size_t i = 0; i < METRICS_BUILTIN; i++)
        values[i] = 0;
    add_run(values, from);
    for (size_t i = 0; i < from->model->nprocesses; i++)
        add_process(values, &from->model->processes[i]);
}

/* ---- what the program prints ---- */

/* What stands after "NAME:" at the line's begin; NULL when it is another line. */
static const char *after_name(const char *line, const char *name)
{
    size_t n = strlen(name);
    line += strspn(line, " \t");
    if (strncmp(line, name, n) != 0)
        return NULL;
    line += n + strspn(line + n, " \t");
    if (*line != ':' && *line != '=')
        return NULL;
    line++;
    return line + strspn(line, " \t");
}

/* Times and sizes become nanoseconds and bytes, so that runs may print them in units that differ.
 */
static double take_unit(struct metric *m, const char *rest, double value)
{
    rest += strspn(rest, " \t");
    size_t n = strcspn(rest, " \t\r\n");
    const char *base;
    double factor = 1;
    char *unit = unit_find(rest, n, &base, &factor) ? xstrdup(base) : xstrndup(rest, n);
    bool same = strcmp(unit, m->unit) == 0;
    if (!same && !*m->unit && n <= NAME_MOST) {
        free(m->unit);
        m->unit = unit;
        return value * factor;
    }
    free(unit);
    return same ? value * factor : NAN;
}

static double read_number(struct metric *m, const char *line)
{
    const char *number = after_name(line, m->name);
    if (!number || *number == '\n' || *number == '\0')
        return NAN;
    char *end;
    double value = strtod(number, &end);
    return end == number || !isfinite(value) ? NAN : take_unit(m, end, value);
}

void metrics_read_printed(struct metrics *all, double *values, const char *output)
{
    for (size_t i = METRICS_BUILTIN; i < all->n; i++)
        values[i] = NAN;
    for (const char *line = output; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        for (size_t i = METRICS_BUILTIN; i < all->n; i++) {
            double value = read_number(&all->items[i], line);
            if (isfinite(value))
                values[i] = value;
        }
    }
}
