/*
 * judge.c - see judge.h.
 */
#include "analyzer/cli/judge.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>

#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/pages.h"
#include "analyzer/cli/progress.h"
#include "analyzer/model/memory.h"
#include "analyzer/read/read_log.h"
#include "analyzer/rules/rule.h"
#include "analyzer/symbols/symbols.h"

static void show_reading(void *arg, uint64_t done, uint64_t total)
{
    progress_show(arg, "reading the log", done, total);
}

static void add_warning(struct judged *j, char *text)
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
        add_warning(j, xstrdup(notes[i]));
    symbols_destroy(s);
}

static void warn_of_suppressions(struct judged *j, const struct suppressions *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct suppression *s = &all->items[i];
        if (s->expired)
            add_warning(j, xasprintf("%s:%u: expired on %s, and is not applied: %s:%s", s->file,
                                     s->line, s->until, s->rule, s->pattern));
        else if (!s->used)
            add_warning(j,
                        xasprintf("%s:%u: unused: %s:%s", s->file, s->line, s->rule, s->pattern));
    }
}

static bool has_image(const struct model *m, uint32_t pid, uint32_t image)
{
    for (size_t i = 0; i < m->nprocesses; i++)
        if (m->processes[i].pid == pid && m->processes[i].image == image)
            return true;
    return false;
}

/* A process became a program that the library is not in. If it is the one that was started, most
 * of the run is not recorded. */
static void check_execs(struct judged *j)
{
    for (size_t i = 0; i < j->model->nprocesses; i++) {
        const struct model_process *p = &j->model->processes[i];
        if (!p->replaced || has_image(j->model, p->pid, p->image + 1))
            continue;
        char *text = xasprintf("process %u (%s) became another program, which was not recorded: it "
                               "may be static, setuid, or not followed",
                               p->pid, p->command ? p->command : "?");
        if (j->run.command && (int64_t)p->pid == j->run.pid) {
            record_add_reason(&j->record, text);
            free(text);
        } else {
            add_warning(j, text);
        }
    }
}

bool judge_log(struct judged *j, const char *dir, struct judge_options *o)
{
    struct read_problems problems = {0};
    struct findings all = {0};
    struct progress progress;
    *j = (struct judged){0};
    progress_begin(&progress);
    int error = read_log(dir, show_reading, &progress, &j->model, &problems);
    if (error) {
        progress_end(&progress);
        message("%s: cannot read the log: %s", dir, strerror(-error));
        read_problems_clear(&problems);
        return false;
    }
    record_judge(&j->record, j->model, log_dir_bytes(dir));
    for (size_t i = 0; i < problems.n; i++)
        record_add_reason(&j->record, problems.items[i]);
    read_problems_clear(&problems);
    char *wrong = run_info_read(&j->run, dir);
    if (wrong)
        add_warning(j, wrong);
    check_execs(j);

    progress_show(&progress, "judging", 0, 0);
    rules_run(j->model, o->rules.enabled, &all);
    name_findings(j, &all, o, &progress);
    progress_end(&progress);
    gate_judge(&j->gate, &all, &o->suppressions, &o->baseline, o->bar);
    warn_of_suppressions(j, &o->suppressions);
    return true;
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

static void print(FILE *out, const struct report *r, const struct judge_options *o)
{
    char base_dir[PATH_MAX];
    struct text_options t = {.color = judge_use_color(o->color, out),
                             .notes = o->notes || o->bar == SEVERITY_NOTE,
                             .quiet = o->quiet,
                             .excerpt = o->excerpt,
                             .frames_max = o->frames_max,
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
    FILE *to = o->report_file ? fopen(o->report_file, "we") : out;
    bool ok = to != NULL;
    if (ok) {
        print(to, &r, o);
        ok = fflush(to) == 0 && !ferror(to);
    }
    if (!ok)
        message("%s: cannot write the report: %s", o->report_file ? o->report_file : "output",
                strerror(errno));
    if (to && to != out)
        fclose(to);
    free(rules);
    return ok;
}
