/*
 * judge_options.c - the options of judge.h.
 */
#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/judge.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/output_file.h"
#include "analyzer/model/memory.h"

enum {
    KEY_FORMAT = 0x200,
    KEY_REPORT,
    KEY_COLOR,
    KEY_FAIL_ON,
    KEY_NOTES,
    KEY_ONLY,
    KEY_DISABLE,
    KEY_SET,
    KEY_SUPPRESSIONS,
    KEY_DEBUG_DIR,
    KEY_EXCERPT,
    KEY_FRAMES,
};

static const struct argp_option report_options[] = {
    {"format", KEY_FORMAT, "FORMAT", 0, "text (the default), json, junit or sarif", 10},
    {"report", KEY_REPORT, "FILE", 0, "write the report to FILE", 10},
    {"color", KEY_COLOR, "WHEN", 0, "auto (the default), always or never", 10},
    {"notes", KEY_NOTES, 0, 0, "show notes too", 10},
    {"quiet", 'q', 0, 0, "print nothing when there is nothing to say", 10},
    {"source-lines", KEY_EXCERPT, "N", 0, "lines of source around a place (2)", 10},
    {"frames", KEY_FRAMES, "N", 0, "frames shown of a stack (12)", 10},
    {"fail-on", KEY_FAIL_ON, "SEVERITY", 0, "error (the default), warning or note", 11},
    {"baseline", 'b', "FILE", 0, "findings in FILE do not fail", 11},
    {0}};

static const struct argp_option choice_options[] = {
    {"only", KEY_ONLY, "RULES", 0, "run these rules, with commas between", 11},
    {"disable", KEY_DISABLE, "RULES", 0, "do not run these rules", 11},
    {"set", KEY_SET, "RULE.NAME=VALUE", 0, "set a threshold; see `loiter explain RULE`", 11},
    {"suppressions", KEY_SUPPRESSIONS, "FILE", 0, "hide findings that FILE lists", 11},
    {"debug-dir", KEY_DEBUG_DIR, "DIR", 0,
     "look here too for programs, libraries and debug information", 12},
    {0}};

static const char *today(char buf[11])
{
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(buf, 11, "%Y-%m-%d", &tm);
    return buf;
}

static void add_debug_dir(struct judge_options *o, const char *dir)
{
    XGROW(o->debug_dirs, o->ndebug_dirs);
    o->debug_dirs[o->ndebug_dirs++] = xstrdup(dir);
}

static error_t parse_choice(int key, char *arg, struct argp_state *state)
{
    struct judge_options *o = state->input;
    char date[11];
    switch (key) {
    case KEY_ONLY:
        command_stop_if(state, choose_only(&o->rules, arg));
        return 0;
    case KEY_DISABLE:
        command_stop_if(state, choose_disable(&o->rules, arg));
        return 0;
    case KEY_SET:
        command_stop_if(state, choose_set(arg));
        return 0;
    case KEY_SUPPRESSIONS:
        command_stop_if(state, suppressions_read(&o->suppressions, arg, today(date)));
        return 0;
    case KEY_DEBUG_DIR:
        add_debug_dir(o, command_folder(state, "--debug-dir", arg));
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp judge_choice_argp = {.options = choice_options, .parser = parse_choice};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const severities[] = {"note", "warning", "error", NULL};
    static const char *const formats[] = {"text", "json", "junit", "sarif", NULL};
    struct judge_options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = o;
        return 0;
    case KEY_FORMAT:
        o->format = (enum judge_format)command_word(state, "format", arg, formats);
        return 0;
    case KEY_REPORT:
        o->report_file = output_file_named(arg);
        return 0;
    case KEY_COLOR:
        o->color = judge_color_word(state, arg);
        return 0;
    case KEY_NOTES:
        o->notes = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case KEY_EXCERPT:
        o->excerpt = (unsigned)command_number(state, "--source-lines", arg, 0, 100);
        return 0;
    case KEY_FRAMES:
        o->frames_max = (unsigned)command_number(state, "--frames", arg, 1, 1000);
        return 0;
    case KEY_FAIL_ON:
        o->bar = (enum severity)command_word(state, "fail-on", arg, severities);
        return 0;
    case 'b':
        o->baseline_file = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&judge_choice_argp, 0, NULL, 0}, {0}};
const struct argp judge_argp = {.options = report_options, .parser = parse, .children = children};

enum judge_color judge_color_word(struct argp_state *state, const char *word)
{
    static const char *const colors[] = {"auto", "always", "never", NULL};
    return (enum judge_color)command_word(state, "color", word, colors);
}

void judge_options_init(struct judge_options *o)
{
    *o = (struct judge_options){.bar = SEVERITY_ERROR, .excerpt = 2, .frames_max = 12};
    choose_all(&o->rules);
    char *copy = xstrdup(getenv("LOITER_DEBUG_PATH")), *rest = copy, *dir;
    while (rest && (dir = strsep(&rest, ":")))
        if (*dir)
            add_debug_dir(o, dir);
    free(copy);
}

bool judge_options_ready(struct judge_options *o)
{
    if (!output_file_usable(o->report_file, "report"))
        return false;
    if (!o->baseline_file)
        return true;
    char *error = baseline_read(&o->baseline, o->baseline_file, NULL);
    if (error)
        message_take(error);
    return !error;
}

void judge_options_clear(struct judge_options *o)
{
    choose_clear(&o->rules);
    suppressions_clear(&o->suppressions);
    baseline_clear(&o->baseline);
    for (size_t i = 0; i < o->ndebug_dirs; i++)
        free(o->debug_dirs[i]);
    free(o->debug_dirs);
}
