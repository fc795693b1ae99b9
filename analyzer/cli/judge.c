/*
 * judge.c - see judge.h.
 */
#include "analyzer/cli/judge.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/ioctl.h>

#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/log_replace.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/output_file.h"
#include "analyzer/cli/pages.h"
#include "analyzer/cli/progress.h"
#include "analyzer/cli/unrecorded.h"
#include "analyzer/model/memory.h"
#include "analyzer/read/read_log.h"
#include "analyzer/rules/rule.h"
#include "analyzer/symbols/symbols.h"

static void show_reading(void *arg, uint64_t done, uint64_t total)
{
    progress_show(arg, "reading the log", done, total);
}

void judged_warn(struct judged *j, char *text)
{
    XGROW(j->warnings, j->nwarnings);
    j->warnings[j->nwarnings++] = text;
}

/* Whether the report will tell it, if nothing hides it. */
static bool is_told(const struct finding *f, const struct judge_options *o)
{
    return f->severity > SEVERITY_NOTE || o->notes || o->format != FORMAT_TEXT;
}

/* Those that are told first: what the others' names lack is nobody's concern. */
static void name_findings(struct judged *j, struct findings *all, const struct judge_options *o,
                          struct progress *progress)
{
    struct symbols *s = symbols_create((const char *const *)o->debug_dirs, o->ndebug_dirs);
    const char *const *notes;
    size_t nnotes = 0;
    for (int told = 1; told >= 0; told--) {
        for (size_t i = 0; i < all->n; i++) {
            if (is_told(all->items[i], o) != told)
                continue;
            progress_show(progress, "looking up functions and lines", i, all->n);
            symbols_name(s, all->items[i]);
            finding_settle(all->items[i]);
        }
        if (told)
            nnotes = symbols_notes(s, &notes);
    }
    symbols_notes(s, &notes);
    for (size_t i = 0; i < nnotes; i++)
        judged_warn(j, xstrdup(notes[i]));
    symbols_destroy(s);
}

static void warn_of_suppressions(struct judged *j, const struct suppressions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct suppression *s = &all->items[i];
        if (s->expired)
            judged_warn(j, xasprintf("%s:%u: expired on %s, and is not applied: %s:%s", s->file,
                                     s->line, s->until, s->rule, s->pattern));
        else if (!s->used)
            judged_warn(j,
                        xasprintf("%s:%u: unused: %s:%s", s->file, s->line, s->rule, s->pattern));
    }
}

/* The processes that came from one log: those of the model from `from` on. */
struct log_part {
    const char *dir;
    size_t from;
    bool empty;
    struct run_info run;
};

/* A program that hangs, or is killed, records nothing more: how long it went on so, whoever started
 * it knows. */
static void lived_on(struct judged *j, const struct log_part *part)
{
    const struct run_info *run = &part->run;
    if (!run->command || run->exited || run->ended_ns <= run->started_ns)
        return;
    for (size_t i = part->from; i < j->model->nprocesses; i++) {
        struct model_process *p = &j->model->processes[i];
        uint64_t ended = (uint64_t)run->ended_ns, most = ended - (uint64_t)run->started_ns;
        if ((int64_t)p->pid != run->pid || p->exited || p->replaced || p->realtime_ns >= ended)
            continue;
        uint64_t lived = ended - p->realtime_ns < most ? ended - p->realtime_ns : most;
        p->end_ns = lived > p->end_ns ? lived : p->end_ns;
    }
}

/* Leaks were asked for, and not looked for: silence must not look like none. Where they were not
 * asked for, many processes may have no time for it, so all of these are one line. */
static void check_heap(struct judged *j)
{
    const struct model_process *first = NULL;
    size_t nsampled = 0;
    for (size_t i = 0; i < j->model->nprocesses; i++) {
        const struct model_process *p = &j->model->processes[i];
        const bool at_end = p->heap.scanned && !p->heap.scanned_at_mark;
        if (at_end || !p->exited || p->exit_how != EL_EXIT_CALL)
            continue;
        if (!p->heap.full && p->heap.not_scanned) {
            first = first ? first : p;
            nsampled++;
        }
        if (!p->heap.full)
            continue;
        judged_warn(j, xasprintf("process %u (%s): lost memory was not looked for: %s", p->pid,
                                 p->command ? p->command : "?",
                                 p->heap.not_scanned ? p->heap.not_scanned : "it ended before"));
    }
    if (nsampled > 0)
        judged_warn(j, xasprintf("lost memory was not looked for in %zu process%s (%s%s): %s; "
                                 "--heap=full takes the time for it",
                                 nsampled, nsampled > 1 ? "es" : "",
                                 first->command ? first->command : "?", nsampled > 1 ? ", ..." : "",
                                 first->heap.not_scanned));
}

static void take_processes(struct model *all, struct model *m)
{
    for (size_t i = 0; i < m->nprocesses; i++) {
        XGROW(all->processes, all->nprocesses);
        all->processes[all->nprocesses++] = m->processes[i];
    }
    free(m->processes);
    m->processes = NULL;
    m->nprocesses = 0;
    for (size_t i = 0; i < m->nsilent; i++) {
        XGROW(all->silent, all->nsilent);
        all->silent[all->nsilent++] = m->silent[i];
    }
}

/* Of one log, the run is told in the report; of several, how those ended that went wrong. */
static void keep_run(struct judged *j, struct log_part *part, bool only)
{
    const struct run_info *run = &part->run;
    if (only) {
        j->run = *run;
        return;
    }
    if (run->command && !(run->exited && run->status == 0)) {
        char *ending = run_info_ending(run);
        judged_warn(j, xasprintf("%s: %s %s", part->dir, run->command, ending));
        free(ending);
    }
    run_info_clear(&part->run);
}

/* A directory in which nothing was recorded: whether there is anything else. Then that is said. */
static bool is_none(const struct log_part *part)
{
    char *stranger = log_stranger(part->dir);
    if (stranger)
        message("%s: is no record: there is no run.json, nor a folder of a process, but %s",
                part->dir, stranger);
    free(stranger);
    return stranger != NULL;
}

static bool read_part(struct judged *j, struct log_part *part, struct read_problems *problems,
                      struct progress *progress)
{
    struct model *m;
    int error = read_log(part->dir, show_reading, progress, &m, problems);
    if (error) {
        progress_end(progress);
        message("%s: cannot read the log: %s", part->dir, strerror(-error));
        return false;
    }
    part->from = j->model->nprocesses;
    part->empty = m->nprocesses == 0;
    take_processes(j->model, m);
    char *wrong = run_info_read(&part->run, part->dir);
    if (wrong)
        judged_warn(j, wrong);
    bool is_record = !part->empty || m->nsilent > 0 || part->run.command;
    if (!is_record) {
        progress_end(progress);
        is_record = !is_none(part);
    }
    lived_on(j, part);
    unrecorded_tell(j, &(struct unrecorded){.log = m, .from = part->from, .run = &part->run},
                    problems);
    model_destroy(m);
    return is_record;
}

/* All logs into one model, and what is wrong with them. */
static bool read_parts(struct judged *j, const char *const *dirs, size_t ndirs,
                       struct progress *progress)
{
    struct read_problems problems = {0};
    uint64_t bytes = 0;
    bool ok = true;
    for (size_t i = 0; i < ndirs && ok; i++) {
        struct log_part part = {.dir = dirs[i]};
        ok = read_part(j, &part, &problems, progress);
        keep_run(j, &part, ndirs == 1);
        bytes += log_dir_bytes(dirs[i]);
        if (ok && part.empty && ndirs > 1) {
            XGROW(problems.items, problems.n);
            problems.items[problems.n++] = xasprintf("%s: nothing was recorded", dirs[i]);
        }
    }
    record_judge(&j->record, j->model, bytes);
    for (size_t i = 0; i < problems.n; i++)
        record_add_reason(&j->record, problems.items[i]);
    read_problems_clear(&problems);
    return ok;
}

bool judge_logs(struct judged *j, const char *const *dirs, size_t ndirs, struct judge_options *o)
{
    struct findings all = {0};
    struct progress progress;
    *j = (struct judged){.model = xcalloc(1, sizeof(*j->model))};
    progress_begin(&progress);
    if (!read_parts(j, dirs, ndirs, &progress)) {
        judge_clear(j);
        return false;
    }
    check_heap(j);
    progress_show(&progress, "judging", 0, 0);
    rules_run(j->model, o->rules.enabled, &all);
    name_findings(j, &all, o, &progress);
    progress_end(&progress);
    gate_judge(&j->gate, &all, &o->suppressions, &o->baseline, o->bar);
    warn_of_suppressions(j, &o->suppressions);
    return true;
}

bool judge_log(struct judged *j, const char *dir, struct judge_options *o)
{
    return judge_logs(j, &dir, 1, o);
}

void judge_clear(struct judged *j)
{
    gate_clear(&j->gate);
    record_clear(&j->record);
    run_info_clear(&j->run);
    for (size_t i = 0; i < j->nwarnings; i++)
        free(j->warnings[i]);
    free(j->warnings);
    if (j->model)
        model_destroy(j->model);
    *j = (struct judged){0};
}

/* ---- reporting ---- */

bool judge_use_color(enum judge_color color, FILE *out)
{
    const char *term = getenv("TERM");
    if (color != COLOR_AUTO)
        return color == COLOR_ALWAYS;
    return isatty(fileno(out)) && !getenv("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

/* Of the terminal; 0 where it is none, or will not say. */
static unsigned columns_of(FILE *out)
{
    struct winsize size;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void print(FILE *out, const struct report *r, const struct judge_options *o)
{
    char base_dir[PATH_MAX];
    struct text_options t = {.color = judge_use_color(o->color, out),
                             .notes = o->notes || o->bar == SEVERITY_NOTE,
                             .quiet = o->quiet,
                             .excerpt = o->excerpt,
                             .frames_max = o->frames_max,
                             .columns = columns_of(out),
                             .base_dir = getcwd(base_dir, sizeof(base_dir))};
    if (o->format == FORMAT_JSON)
        report_json(out, r);
    else if (o->format == FORMAT_JUNIT)
        report_junit(out, r);
    else if (o->format == FORMAT_SARIF)
        report_sarif(out, r, &t);
    else
        report_text(out, r, &t);
}

bool judge_report(const struct judged *j, const char *log, const struct judge_options *o, FILE *out)
{
    const struct rule **rules = xcalloc(o->rules.n + 1, sizeof(*rules));
    for (size_t i = 0, n = 0; i < o->rules.n; i++)
        if (o->rules.enabled[i])
            rules[n++] = rules_all[i];
    struct report r = {.version = LOITER_VERSION,
                       .log = log,
                       .gate = &j->gate,
                       .model = j->model,
                       .record = &j->record,
                       .run = &j->run,
                       .rules = rules,
                       .warnings = (const char *const *)j->warnings,
                       .nwarnings = j->nwarnings,
                       .page = page_find};
    FILE *to = output_file_open(o->report_file, out);
    if (to)
        print(to, &r, o);
    free(rules);
    return output_file_close(to, o->report_file, out, "report");
}
