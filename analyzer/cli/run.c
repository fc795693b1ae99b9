/*
 * run.c - loiter run: records and reports in one go.
 *
 * A text report goes to standard error, below what the program wrote. A document (JSON, JUnit)
 * without --report goes to standard output, alone: the program's output goes to standard error
 * then.
 */
#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/judge.h"
#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/session.h"
#include "analyzer/model/memory.h"

enum { KEY_ERROR_EXITCODE = 0x400, KEY_KEEP, KEY_NO_KEEP };

enum keep { KEEP_WORTHWHILE, KEEP_ALWAYS, KEEP_NEVER };

struct options {
    struct session_options session;
    struct judge_options judge;
    enum keep keep;
    int error_exitcode;
};

static const struct argp_option own_options[] = {
    {"error-exitcode", KEY_ERROR_EXITCODE, "N", 0, "exit status when something fails (23)", 2},
    {"keep", KEY_KEEP, 0, 0,
     "keep the log (else it is kept with -o, or when there is something to look into)", 2},
    {"no-keep", KEY_NO_KEEP, 0, 0, "remove the log after the report", 2},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->session;
        state->child_inputs[1] = &o->judge;
        return 0;
    case KEY_ERROR_EXITCODE:
        o->error_exitcode = (int)command_number(state, "--error-exitcode", arg, 0, 255);
        return 0;
    case KEY_KEEP:
        o->keep = KEEP_ALWAYS;
        return 0;
    case KEY_NO_KEEP:
        o->keep = KEEP_NEVER;
        return 0;
    case ARGP_KEY_ARG:
        session_take_program(&o->session, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected a program to run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {
    {&session_argp, 0, "Recording:", 1}, {&judge_argp, 0, "Report:", 10}, {0}};
static const struct argp argp = {
    .options = own_options,
    .parser = parse,
    .args_doc = "[--] PROGRAM [ARG...]",
    .doc = "Runs a program, records it, and reports what lingers.\v"
           "Exit status: 23 (--error-exitcode) when something fails; else the program's own (128 "
           "+ n for signal n), 124 when it hung, 3 when the record is incomplete or the program "
           "cannot be recorded; 2 a mistake in the call, 126 and 127 the program cannot be "
           "executed or found.",
    .children = children};

/* What is left of a run when its program has ended or hangs. */
struct outcome {
    struct options *options;
    struct session *session;
    struct judged judged;
    bool ready; /* judged */
};

static void judge(void *arg)
{
    struct outcome *out = arg;
    out->ready = judge_log(&out->judged, out->session->dir, &out->options->judge);
}

static bool keep_log(const struct outcome *out)
{
    const struct options *o = out->options;
    if (o->keep != KEEP_WORTHWHILE)
        return o->keep == KEEP_ALWAYS;
    const struct gate *g = &out->judged.gate;
    return o->session.dir || !out->ready || out->judged.record.incomplete || g->failing ||
           g->active[SEVERITY_ERROR] || g->active[SEVERITY_WARNING];
}

static int verdict(const struct outcome *out, bool reported)
{
    int status = session_status(out->session);
    if (out->ready && out->judged.gate.failing)
        return out->options->error_exitcode;
    if (status != 0)
        return status;
    if (!out->ready || !reported)
        return EXIT_CODE_USAGE;
    return out->judged.record.incomplete ? EXIT_CODE_INCOMPLETE : EXIT_CODE_OK;
}

static int report(struct outcome *out)
{
    const struct options *o = out->options;
    bool keep = keep_log(out), reported = false;
    if (out->ready) {
        FILE *to = o->judge.format == FORMAT_TEXT ? stderr : stdout;
        const char *shown = o->session.dir ? o->session.dir : out->session->dir;
        reported = judge_report(&out->judged, keep ? shown : NULL, &o->judge, to);
    }
    int status = verdict(out, reported);
    if (!keep)
        log_dir_remove(out->session->dir, out->session->hold.made);
    if (out->ready)
        judge_clear(&out->judged);
    return status;
}

static int run(struct options *o)
{
    struct session s;
    int code = session_begin(&s, &o->session);
    if (code)
        return code;
    struct outcome out = {.options = o, .session = &s};
    if (o->judge.format != FORMAT_TEXT && !o->judge.report_file)
        s.out_fd = STDERR_FILENO;
    s.hung = judge;
    s.arg = &out;
    code = session_run(&s);
    if (!code) {
        if (!s.info.timed_out)
            judge(&out);
        code = report(&out);
    }
    session_end(&s);
    return code;
}

int command_run(int argc, char **argv)
{
    struct options o = {.error_exitcode = EXIT_CODE_RUN_FINDINGS};
    int status = EXIT_CODE_USAGE;
    judge_options_init(&o.judge);
    command_parse(&argp, argc, argv, true, &o);
    if (judge_options_ready(&o.judge))
        status = run(&o);
    judge_options_clear(&o.judge);
    free(o.session.library_options);
    return status;
}
