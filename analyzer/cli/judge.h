/*
 * judge.h - from a log directory to a report and a verdict: what `run`, `analyze` and `baseline`
 * share, with the options for it.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include "analyzer/gate/baseline.h"
#include "analyzer/gate/choose.h"
#include "analyzer/gate/gate.h"
#include "analyzer/gate/suppress.h"
#include "analyzer/report/report.h"

enum judge_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JUNIT, FORMAT_SARIF };
enum judge_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct judge_options {
    enum judge_format format;
    enum judge_color color;
    const char *report_file; /* NULL: the stream that the caller gives */
    enum severity bar;
    bool notes, quiet;
    unsigned excerpt, frames_max;
    struct chosen_rules rules;
    struct suppressions suppressions;
    const char *baseline_file; /* NULL for none */
    struct baseline baseline;
    char **debug_dirs;
    size_t ndebug_dirs;
};

/* For argp's children; its input is a struct judge_options, set up by judge_options_init. */
extern const struct argp judge_argp;
/* A part of it: which rules run, with what thresholds, and what is hidden. */
extern const struct argp judge_choice_argp;

/* The argument of --color, and what it means for a stream. */
enum judge_color judge_color_word(struct argp_state *state, const char *word);
bool judge_use_color(enum judge_color color, FILE *out);

void judge_options_init(struct judge_options *o);
/* Reads what needs the options whole: the baseline. Says what is wrong and returns false. */
bool judge_options_ready(struct judge_options *o);
void judge_options_clear(struct judge_options *o);

/* A judged log. */
struct judged {
    struct model *model;
    struct gate gate;
    struct record record;
    struct run_info run;
    char **warnings;
    size_t nwarnings;
};

/* Takes the text over. */
void judged_warn(struct judged *j, char *text);

/* Reads and judges; says what is wrong and returns false when the directory cannot be read. */
bool judge_log(struct judged *j, const char *dir, struct judge_options *o);
/* The same for several logs, as if they were one. */
bool judge_logs(struct judged *j, const char *const *dirs, size_t ndirs, struct judge_options *o);
void judge_clear(struct judged *j);

/* Prints the report to `out`, or to the file of --report. `log` is the directory as shown, NULL
 * when it is removed. False, with a message, when it cannot be written. */
bool judge_report(const struct judged *j, const char *log, const struct judge_options *o,
                  FILE *out);

#endif
