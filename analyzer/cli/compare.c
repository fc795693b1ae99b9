/*
 * compare.c - loiter compare: what changed between two sides, from logs or from programs that are
 * run for it.
 */

#include "analyzer/cli/command.h"
#include "analyzer/cli/compare_runs.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/output_file.h"
#include "analyzer/compare/compare_report.h"
#include "analyzer/model/memory.h"

enum {
    KEY_RUN = 0x500,
    KEY_COUNT,
    KEY_PLAIN,
    KEY_MEASURE,
    KEY_FAIL_ON,
    KEY_IGNORE_STATUS,
    KEY_FORMAT,
    KEY_REPORT,
    KEY_COLOR
};

enum format { FORM_TEXT, FORM_JSON, FORM_MARKDOWN };

#define COUNT_USUAL 5

struct texts {
    char **items;
    size_t n;
};

struct options {
    struct compare_source source;
    struct comparison *comparison;
    char *logs[SIDES], *commands[SIDES];
    unsigned nlogs, ncommands;
    struct texts bars;
    enum format format;
    enum judge_color color;
    const char *report_file;
};

static const struct argp_option own_options[] = {
    {"run", KEY_RUN, "COMMAND", 0, "run this; twice: before, then after", 0},
    {"count", KEY_COUNT, "N", 0, "how often each is run, in turn (5)", 0},
    {"plain", KEY_PLAIN, 0, 0, "take times and memory from further runs that are not recorded", 0},
    {"measure", KEY_MEASURE, "NAME[:more|:less]", 0,
     "compare a number that the program prints as NAME: NUMBER; more or less (the usual) is better",
     0},
    {"ignore-status", KEY_IGNORE_STATUS, 0, 0, "a program may exit with a status other than 0", 0},
    {"fail-on", KEY_FAIL_ON, "METRIC>LIMIT", 0,
     "what is worse, as 'peak_tasks>+10%'; may be given several times", 5},
    {"format", KEY_FORMAT, "FORMAT", 0, "text (the default), json or markdown", 5},
    {"report", KEY_REPORT, "FILE", 0, "write the report to FILE", 5},
    {"color", KEY_COLOR, "WHEN", 0, "auto (the default), always or never", 5},
    {0}};

static void take(struct argp_state *state, char **list, unsigned *n, char *arg, const char *what)
{
    if (*n == SIDES)
        argp_error(state, "expected two %s, found also \"%s\"", what, arg);
    list[(*n)++] = arg;
}

/* What the options mean together. */
static void check(struct argp_state *state, struct options *o)
{
    if (o->nlogs && o->ncommands)
        argp_error(state, "expected two logs or two --run, not both");
    if (o->ncommands == 1)
        argp_error(state, "expected --run twice: the program before, and the program after");
    if (!o->ncommands && o->nlogs < SIDES)
        argp_error(state, "expected two logs, BEFORE and AFTER, or --run twice");
    if (o->nlogs && (o->source.count || o->source.plain || o->source.session.dir ||
                     o->source.session.timeout_s > 0))
        argp_error(state, "--count, --plain, --output and --timeout are for --run");
    if (!o->source.count)
        o->source.count = COUNT_USUAL;
    for (size_t i = 0; i < o->bars.n; i++) {
        char *error = comparison_add_bar(o->comparison, o->bars.items[i]);
        if (error)
            argp_error(state, "--fail-on: %s", error);
        free(error);
    }
}

static error_t parse_report(int key, char *arg, struct argp_state *state, struct options *o)
{
    static const char *const formats[] = {"text", "json", "markdown", NULL};
    switch (key) {
    case KEY_FAIL_ON:
        XGROW(o->bars.items, o->bars.n);
        o->bars.items[o->bars.n++] = arg;
        return 0;
    case KEY_FORMAT:
        o->format = (enum format)command_word(state, "format", arg, formats);
        return 0;
    case KEY_REPORT:
        o->report_file = output_file_named(arg);
        return 0;
    case KEY_COLOR:
        o->color = judge_color_word(state, arg);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    char *error;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->source.session;
        state->child_inputs[1] = &o->source.judge;
        return 0;
    case KEY_RUN:
        take(state, o->commands, &o->ncommands, arg, "--run");
        return 0;
    case KEY_COUNT:
        o->source.count = (unsigned)command_number(state, "--count", arg, 1, 1000);
        return 0;
    case KEY_PLAIN:
        o->source.plain = true;
        return 0;
    case KEY_MEASURE:
        error = metrics_add_printed(&o->comparison->metrics, arg);
        if (error)
            argp_error(state, "--measure: %s", error);
        free(error);
        return 0;
    case KEY_IGNORE_STATUS:
        o->source.any_status = true;
        return 0;
    case ARGP_KEY_ARG:
        take(state, o->logs, &o->nlogs, arg, "logs");
        return 0;
    case ARGP_KEY_END:
        check(state, o);
        return 0;
    default:
        return parse_report(key, arg, state, o);
    }
}

static const struct argp_child children[] = {
    {&session_argp, 0, "Recording (--run):", 1}, {&judge_choice_argp, 0, "Findings:", 10}, {0}};
static const struct argp argp = {
    .options = own_options,
    .parser = parse,
    .args_doc = "BEFORE AFTER\n--run COMMAND --run COMMAND",
    .doc = "Compares two records, or two programs that it runs in turn: what they used and did, "
           "and which findings are gone, new or kept. BEFORE and AFTER are logs, or folders of "
           "logs of several runs.\v"
           "--fail-on takes METRIC>+10% (rose by more), METRIC>+3 or METRIC>+2ms (rose by more "
           "than that), METRIC>100 (is above), and < for what should not fall. A wrong metric "
           "lists them all.\n\n"
           "Exit status: 0 compared, and not worse; 1 worse than --fail-on allows; 2 a mistake in "
           "the call; 3 a program failed or a record is incomplete.",
    .children = children};

static void print(FILE *out, const struct options *o)
{
    if (o->format == FORM_JSON)
        compare_json(out, o->comparison, LOITER_VERSION);
    else if (o->format == FORM_MARKDOWN)
        compare_markdown(out, o->comparison);
    else
        compare_text(out, o->comparison, judge_use_color(o->color, out));
}

static bool report(const struct options *o)
{
    FILE *to = output_file_open(o->report_file, stdout);
    if (to)
        print(to, o);
    return output_file_close(to, o->report_file, stdout, "report");
}

static int compare(struct options *o)
{
    struct comparison *c = o->comparison;
    int code = 0;
    for (int side = 0; side < SIDES; side++)
        c->label[side] = o->ncommands ? o->commands[side] : o->logs[side];
    if (o->ncommands)
        code = compare_run(c, o->commands, &o->source);
    for (int side = 0; side < SIDES && !o->ncommands && !code; side++)
        code = compare_add_logs(c, (enum side)side, o->logs[side], &o->source);
    if (code)
        return code;
    comparison_settle(c);
    if (!report(o))
        return EXIT_CODE_USAGE;
    return comparison_is_worse(c) ? EXIT_CODE_FINDINGS
           : c->doubtful          ? EXIT_CODE_INCOMPLETE
                                  : EXIT_CODE_OK;
}

int command_compare(int argc, char **argv)
{
    struct comparison c;
    struct options o = {.comparison = &c};
    comparison_init(&c);
    judge_options_init(&o.source.judge);
    command_parse(&argp, argc, argv, false, &o);
    int status = EXIT_CODE_USAGE;
    if (judge_options_ready(&o.source.judge) && output_file_usable(o.report_file, "report"))
        status = compare(&o);
    judge_options_clear(&o.source.judge);
    free(o.source.session.library_options);
    free(o.bars.items);
    comparison_clear(&c);
    return status;
}
