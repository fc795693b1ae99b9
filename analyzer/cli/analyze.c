/*
 * analyze.c - loiter analyze: a report on a record.
 */
#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/judge.h"

struct options {
    struct judge_options judge;
    const char *dir;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->judge;
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

static const struct argp_child children[] = {{&judge_argp, 0, "Report:", 0}, {0}};
static const struct argp argp = {.parser = parse,
                                 .args_doc = "LOG",
                                 .doc = "Reports on a record that `loiter run` or `loiter "
                                        "record` made.\vExit status: 0 clean, 1 findings, 2 a "
                                        "mistake in the call, 3 the record is incomplete.",
                                 .children = children};

int command_analyze(int argc, char **argv)
{
    struct options o = {0};
    struct judged j;
    int status = EXIT_CODE_USAGE;
    judge_options_init(&o.judge);
    command_parse(&argp, argc, argv, false, &o);
    if (judge_options_ready(&o.judge) && judge_log(&j, o.dir, &o.judge)) {
        if (judge_report(&j, o.dir, &o.judge, stdout))
            status = j.gate.failing        ? EXIT_CODE_FINDINGS
                     : j.record.incomplete ? EXIT_CODE_INCOMPLETE
                                           : EXIT_CODE_OK;
        judge_clear(&j);
    }
    judge_options_clear(&o.judge);
    return status;
}
