/*
 * analyze.c - loiter analyze: a report on a record.
 */
#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/judge.h"
#include "analyzer/model/memory.h"

struct options {
    struct judge_options judge;
    const char **dirs;
    size_t ndirs;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->judge;
        return 0;
    case ARGP_KEY_ARG:
        XGROW(o->dirs, o->ndirs);
        o->dirs[o->ndirs++] = arg;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected the directory of a log");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&judge_argp, 0, "Report:", 0}, {0}};
static const struct argp argp = {.parser = parse,
                                 .args_doc = "LOG...",
                                 .doc = "Reports on a record that `loiter run` or `loiter "
                                        "record` made; on several as if "
                                        "they were one.\vExit status: 0 clean, 1 findings, 2 a "
                                        "mistake in the call, 3 the record is incomplete.",
                                 .children = children};

/* The directories with blanks between, to be freed. */
static char *join(const char *const *dirs, size_t n)
{
    char *all = xstrdup(n ? dirs[0] : "");
    for (size_t i = 1; i < n; i++) {
        char *longer = xasprintf("%s %s", all, dirs[i]);
        free(all);
        all = longer;
    }
    return all;
}

int command_analyze(int argc, char **argv)
{
    struct options o = {0};
    struct judged j;
    int status = EXIT_CODE_USAGE;
    judge_options_init(&o.judge);
    command_parse(&argp, argc, argv, false, &o);
    char *logs = join(o.dirs, o.ndirs);
    if (judge_options_ready(&o.judge) && judge_logs(&j, o.dirs, o.ndirs, &o.judge)) {
        if (judge_report(&j, logs, &o.judge, stdout))
            status = j.gate.failing        ? EXIT_CODE_FINDINGS
                     : j.record.incomplete ? EXIT_CODE_INCOMPLETE
                                           : EXIT_CODE_OK;
        judge_clear(&j);
    }
    judge_options_clear(&o.judge);
    free(logs);
    free(o.dirs);
    return status;
}
