/*
 * record.c - loiter record: a record for a report later.
 */
#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/session.h"
#include "analyzer/model/memory.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct session_options *o = state->input;
    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case ARGP_KEY_ARG:
        session_take_program(o, state);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "expected a program to run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&session_argp, 0, "Recording:", 0}, {0}};
static const struct argp argp = {
    .parser = parse,
    .args_doc = "[--] PROGRAM [ARG...]",
    .doc = "Runs a program and records it. `loiter analyze` reports on the record.\v"
           "Exit status: the program's own (128 + n for signal n); 2 a mistake in the call, 3 the "
           "program cannot be recorded, 124 it hung, 126 and 127 it cannot be executed or found.",
    .children = children};

int command_record(int argc, char **argv)
{
    struct session_options o = {0};
    struct session s;
    command_parse(&argp, argc, argv, true, &o);
    int code = session_begin(&s, &o);
    if (!code) {
        code = session_run(&s);
        if (!code) {
            code = session_status(&s);
            message("the log is in %s", s.dir);
        }
        session_end(&s);
    }
    free(o.library_options);
    return code;
}
