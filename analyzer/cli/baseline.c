/*
 * baseline.c - loiter baseline: the file of findings that do not fail.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/judge.h"
#include "analyzer/cli/message.h"
#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"
#include "analyzer/rules/rule.h"

enum action { ACTION_NONE, ACTION_WRITE, ACTION_CHECK, ACTION_PRUNE };

static const char *const actions[] = {"write", "check", "prune", NULL};

struct options {
    struct judge_options judge;
    enum action action;
    const char *source; /* a log's directory, or a report in JSON */
};

static error_t take_word(struct options *o, const char *word, struct argp_state *state)
{
    if (o->action == ACTION_NONE) {
        for (int i = 0; actions[i]; i++)
            if (strcmp(actions[i], word) == 0)
                o->action = (enum action)(i + 1);
        const char *near = choose_nearest(word, actions);
        if (o->action == ACTION_NONE)
            argp_error(state, "unknown action \"%s\"%s%s%s; there are write, check and prune", word,
                       near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        return 0;
    }
    if (o->source)
        argp_error(state,
                   "expected one log or report: \"%s\" and \"%s\"; the baseline is named by -b",
                   o->source, word);
    o->source = word;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &o->judge;
        return 0;
    case ARGP_KEY_ARG:
        return take_word(o, arg, state);
    case ARGP_KEY_END:
        if (!o->source)
            argp_error(state, "expected an action (write, check, prune) and a log or a report");
        if (!o->judge.baseline_file)
            argp_error(state, "expected the baseline: -b FILE");
        if (strcmp(o->judge.baseline_file, "-") == 0)
            argp_error(state, "-b: a baseline is read and written: expected a file, not \"-\"");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&judge_argp, 0, "Report:", 0}, {0}};
static const struct argp argp = {
    .parser = parse,
    .args_doc = "write LOG|FINDINGS\ncheck LOG|FINDINGS\nprune LOG|FINDINGS",
    .doc = "Keeps old findings from failing. `write` puts the findings of a log, or of a report in "
           "JSON, into the baseline, keeping the dates of those that are there; `check` fails on "
           "findings that are not in it; `prune` removes from it what is not found any more.\v"
           "Exit status: 0 done, or nothing new; 1 new findings (check); 2 a mistake in the call; "
           "3 the record is incomplete.",
    .children = children};

/* The findings of the source, suppressed ones left out. */
struct found {
    struct baseline list;
    bool incomplete;
};

static const char *today(char buf[11])
{
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(buf, 11, "%Y-%m-%d", &tm);
    return buf;
}

static bool find_in_log(struct found *f, struct options *o, const char *date)
{
    struct judged j;
    if (!judge_log(&j, o->source, &o->judge))
        return false;
    f->incomplete = j.record.incomplete;
    for (size_t i = 0; i < j.record.nreasons; i++)
        message("%s: %s", o->source, j.record.reasons[i]);
    for (size_t i = 0; i < j.gate.n; i++) {
        const struct finding *one = j.gate.items[i].finding;
        if (j.gate.items[i].suppressed || one->severity < o->judge.bar)
            continue;
        baseline_add(&f->list, &(struct baseline_entry){
                                   (char *)one->fingerprint, (char *)one->rule->id, one->title,
                                   one->place ? one->place->function : NULL, (char *)date});
    }
    judge_clear(&j);
    return true;
}

static bool find(struct found *f, struct options *o)
{
    struct stat st;
    char date[11];
    today(date);
    if (stat(o->source, &st) == 0 && S_ISDIR(st.st_mode))
        return find_in_log(f, o, date);
    char *error = baseline_read_findings(&f->list, o->source, date);
    if (error)
        message_take(error);
    return !error;
}

static int save(struct baseline *b, const char *file)
{
    char *error = baseline_write(b, file);
    if (!error)
        return EXIT_CODE_OK;
    message_take(error);
    return EXIT_CODE_USAGE;
}

static int write_all(struct baseline *old, const struct found *f, const char *file)
{
    char count[REPORT_WORDS_MAX];
    size_t before = old->n;
    for (size_t i = 0; i < f->list.n; i++)
        baseline_add(old, &f->list.items[i]);
    int status = save(old, file);
    if (status == EXIT_CODE_OK)
        printf("%s: %s, %zu of them new\n", file, report_count(count, old->n, "finding"),
               old->n - before);
    return status;
}

static int check(const struct baseline *old, const struct found *f, const char *file)
{
    size_t fresh = 0, gone = 0;
    for (size_t i = 0; i < f->list.n; i++) {
        const struct baseline_entry *e = &f->list.items[i];
        if (baseline_find(old, e->fingerprint))
            continue;
        printf("new: %s: %s%s%s (%s)\n", e->rule, e->title, e->function ? " in " : "",
               e->function ? e->function : "", e->fingerprint);
        fresh++;
    }
    for (size_t i = 0; i < old->n; i++)
        gone += !baseline_find(&f->list, old->items[i].fingerprint);
    printf("%s: %zu new, %zu known, %zu not found any more\n", file, fresh, old->n - gone, gone);
    return fresh ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}

static int prune(struct baseline *old, const struct found *f, const char *file)
{
    if (f->incomplete) {
        message("not pruned: what an incomplete record lacks may not be gone");
        return EXIT_CODE_INCOMPLETE;
    }
    size_t before = old->n;
    for (size_t i = old->n; i-- > 0;)
        if (!baseline_find(&f->list, old->items[i].fingerprint))
            baseline_remove(old, i);
    int status = save(old, file);
    if (status == EXIT_CODE_OK)
        printf("%s: %zu removed, %zu left\n", file, before - old->n, old->n);
    return status;
}

static int act(struct options *o, struct baseline *old)
{
    const char *file = o->judge.baseline_file;
    struct found f = {0};
    int status = EXIT_CODE_USAGE;
    if (find(&f, o)) {
        if (o->action == ACTION_WRITE)
            status = write_all(old, &f, file);
        else if (o->action == ACTION_CHECK)
            status = check(old, &f, file);
        else
            status = prune(old, &f, file);
        if (status == EXIT_CODE_OK && f.incomplete)
            status = EXIT_CODE_INCOMPLETE;
    }
    baseline_clear(&f.list);
    return status;
}

int command_baseline(int argc, char **argv)
{
    struct options o = {0};
    struct baseline old = {0};
    int missing = 0, status = EXIT_CODE_USAGE;
    judge_options_init(&o.judge);
    command_parse(&argp, argc, argv, false, &o);
    char *error = baseline_read(&old, o.judge.baseline_file, &missing);
    /* The first one is written where none is. */
    if (error && !(missing && o.action == ACTION_WRITE)) {
        message_take(error);
    } else {
        free(error);
        status = act(&o, &old);
    }
    baseline_clear(&old);
    judge_options_clear(&o.judge);
    return status;
}
