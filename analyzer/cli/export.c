/*
 * export.c - loiter export: a record in another tool's form.
 */

#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/output_file.h"
#include "analyzer/export/chrome.h"
#include "analyzer/model/memory.h"
#include "analyzer/read/read_log.h"
#include "analyzer/report/report.h"
#include "analyzer/rules/rule.h"
#include "analyzer/symbols/symbols.h"

enum { KEY_FORMAT = 0x600, KEY_DEBUG_DIR };

struct options {
    const char *dir, *file; /* file: NULL for standard output */
    const char **debug_dirs;
    size_t ndebug_dirs;
};

static const struct argp_option own_options[] = {
    {"format", KEY_FORMAT, "FORMAT", 0, "chrome (the only one): trace events in JSON", 0},
    {"output", 'o', "FILE", 0, "write to FILE (standard output)", 0},
    {"debug-dir", KEY_DEBUG_DIR, "DIR", 0,
     "look here too for programs, libraries and debug information", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case KEY_FORMAT:
        if (strcmp(arg, "chrome") != 0)
            argp_error(state, "--format: unknown \"%s\"; there is chrome", arg);
        return 0;
    case 'o':
        o->file = output_file_named(arg);
        return 0;
    case KEY_DEBUG_DIR:
        XGROW(o->debug_dirs, o->ndebug_dirs);
        o->debug_dirs[o->ndebug_dirs++] = command_folder(state, "--debug-dir", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (o->dir)
            argp_error(state, "expected one log, found also \"%s\"", arg);
        o->dir = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected the directory of a log");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = own_options,
    .parser = parse,
    .args_doc = "LOG",
    .doc = "Writes a record as a timeline for Perfetto (ui.perfetto.dev) or chrome://tracing: "
           "waits and calls with a lock held, by thread and task.\v"
           "Exit status: 0 done, 2 a mistake in the call or nothing can be read or written, 3 the "
           "record is incomplete."};

/* Places of stacks, each looked up once. */
struct places {
    struct symbols *symbols;
    const struct model *model;
    char ***names; /* [process][stack]; NULL where it was not looked up */
};

/* symbols/ names the stacks of findings: this one is made for its stack. */
static char *look_up(struct places *s, const struct model_process *p, uint32_t stack)
{
    struct finding *f = finding_create(rules_all[0], p);
    finding_add_stack(f, "at", stack, true, NULL);
    symbols_name(s->symbols, f);
    finding_settle(f);
    char *name = f->place ? report_place(f->place, NULL) : xstrdup("?");
    finding_destroy(f);
    return name;
}

static const char *place_of(void *arg, const struct model_process *p, uint32_t stack)
{
    struct places *s = arg;
    size_t process = (size_t)(p - s->model->processes);
    if (stack >= p->nstacks || !p->stacks[stack])
        return NULL;
    if (!s->names[process])
        s->names[process] = xcalloc(p->nstacks, sizeof(char *));
    char **name = &s->names[process][stack];
    if (!*name)
        *name = look_up(s, p, stack);
    return *name;
}

static void places_clear(struct places *s)
{
    for (size_t i = 0; i < s->model->nprocesses; i++) {
        for (size_t k = 0; s->names[i] && k < s->model->processes[i].nstacks; k++)
            free(s->names[i][k]);
        free(s->names[i]);
    }
    free(s->names);
    symbols_destroy(s->symbols);
}

static bool write_all(const struct options *o, const struct model *m)
{
    struct places places = {.symbols = symbols_create(o->debug_dirs, o->ndebug_dirs),
                            .model = m,
                            .names = xcalloc(m->nprocesses, sizeof(char **))};
    FILE *out = output_file_open(o->file, stdout);
    bool whole = out && chrome_write(out, m, place_of, &places);
    places_clear(&places);
    return output_file_close(out, o->file, stdout, "timeline") && whole;
}

static int export_log(const struct options *o)
{
    struct read_problems problems = {0};
    struct model *m;
    int error = read_log(o->dir, NULL, NULL, &m, &problems), status = EXIT_CODE_USAGE;
    if (error)
        message("%s: cannot read the log: %s", o->dir, strerror(-error));
    else if (m->nprocesses == 0)
        message("%s: nothing was recorded", o->dir);
    else if (write_all(o, m))
        status = problems.n ? EXIT_CODE_INCOMPLETE : EXIT_CODE_OK;
    for (size_t i = 0; i < problems.n; i++)
        message("%s", problems.items[i]);
    read_problems_clear(&problems);
    if (!error)
        model_destroy(m);
    return status;
}

int command_export(int argc, char **argv)
{
    struct options o = {0};
    command_parse(&argp, argc, argv, false, &o);
    int status = export_log(&o);
    free(o.debug_dirs);
    return status;
}
