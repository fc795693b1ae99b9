/*
 * ctl.c - loiter ctl: speaks to the record of a program that runs. The program itself is not
 * stopped, signalled or asked; see eventlog/outside.h and preload/core/window.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/stat.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/live_record.h"
#include "analyzer/cli/message.h"
#include "analyzer/model/memory.h"
#include "eventlog/outside.h"
#include "eventlog/reader.h"

#define WORDS_MAX 3

struct request {
    char *words[WORDS_MAX];
    int n;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct request *r = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (r->n == WORDS_MAX)
            argp_error(state, "one word too many: \"%s\"", arg);
        r->words[r->n++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (r->n < 2)
            argp_error(state, "expected a process and what to do");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .parser = parse,
    .args_doc =
        "PID|LOG start\nPID|LOG stop\nPID|LOG auto\nPID|LOG mark TEXT\nPID|LOG snapshot DIR",
    .doc = "Turns the recording of waits on or off in a program that runs, gives the time a name, "
           "or copies the record as it is now. PID is a recorded process, LOG the log of one or "
           "several: all that live are told.\v"
           "auto: as --delay, --window and --sample said. A snapshot is for `loiter analyze DIR`.\n"
           "Exit status: 0 done, 2 not."};

/* ---- whom ---- */

static bool is_number(const char *word)
{
    return *word && word[strspn(word, "0123456789")] == '\0';
}

/* Records of living processes that `word` means. 0, or an exit code: the reason was said. */
static int find(const char *word, struct el_list *out)
{
    *out = (struct el_list){0};
    if (is_number(word)) {
        char *dir = live_record_of(word);
        if (!dir) {
            message("process %s is not recorded, or not yours to ask", word);
            return EXIT_CODE_USAGE;
        }
        out->items = xcalloc(1, sizeof(*out->items));
        out->items[out->n++] = dir;
        return 0;
    }
    enum el_read_error error = el_list_processes(word, out);
    size_t kept = 0;
    for (size_t i = 0; i < out->n; i++) {
        if (live_record_is(out->items[i]))
            out->items[kept++] = out->items[i];
        else
            free(out->items[i]);
    }
    out->n = kept;
    if (kept)
        return 0;
    message("%s: %s", word,
            error ? el_read_error_text(error) : "no process of this log is alive here");
    el_list_free(out);
    return EXIT_CODE_USAGE;
}

/* ---- what ---- */

static int copy_file(int from, int to, const char *name)
{
    char buffer[65536];
    ssize_t n = 0;
    int error = 0;
    int in = openat(from, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int out = in < 0 ? -1 : openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        error = -errno;
    while (!error && (n = read(in, buffer, sizeof(buffer))) != 0)
        if (n < 0 || write(out, buffer, (size_t)n) != n)
            error = errno ? -errno : -EIO;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return error;
}

/* Files whose name begins so. */
static int copy_files(const char *dir, int to, const char *prefix)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int error = d ? 0 : -errno;
    while (!error && d && (e = readdir(d)))
        if (strncmp(e->d_name, prefix, strlen(prefix)) == 0)
            error = copy_file(dirfd(d), to, e->d_name);
    if (d)
        closedir(d);
    return error;
}

/* Cells first: the events that are copied after them define every stack that they name. */
static int snapshot(const char *dir, const char *root)
{
    char *path = xasprintf("%s/%s", root, strrchr(dir, '/') + 1);
    int error = mkdir(path, 0700) == 0 ? 0 : -errno;
    int to = error ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!error && to < 0)
        error = -errno;
    static const char *const parts[] = {"metadata", "cells-", "events-"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !error; i++)
        error = copy_files(dir, to, parts[i]);
    if (to >= 0)
        close(to);
    free(path);
    return error;
}

static int control(const char *dir, const char *word, const char *text)
{
    static const struct {
        const char *name;
        enum el_control word;
    } words[] = {{"start", EL_CONTROL_START}, {"stop", EL_CONTROL_STOP}, {"auto", EL_CONTROL_NONE}};
    struct el_outside o;
    int error = el_outside_open(dir, &o);
    if (error)
        return error;
    error = -EINVAL;
    if (strcmp(word, "mark") == 0)
        error = el_outside_mark(&o, text);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i].name) == 0)
            error = el_outside_control(&o, words[i].word);
    el_outside_close(&o);
    return error;
}

static int check(const struct request *r)
{
    static const char *const words[] = {"start", "stop", "auto", "mark", "snapshot"};
    const size_t n = sizeof(words) / sizeof(words[0]);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(r->words[1], words[i]) != 0)
            continue;
        if ((r->n == 3) == (i >= n - 2))
            return 0;
        message("ctl %s: expected %s", words[i],
                i == n - 1   ? "a directory"
                : i == n - 2 ? "a text"
                             : "nothing more");
        return EXIT_CODE_USAGE;
    }
    message("ctl: \"%s\" is none of start, stop, auto, mark, snapshot", r->words[1]);
    return EXIT_CODE_USAGE;
}

int command_ctl(int argc, char **argv)
{
    struct request r = {.n = 0};
    struct el_list who;
    command_parse(&argp, argc, argv, false, &r);
    int code = check(&r);
    bool is_snapshot = !code && strcmp(r.words[1], "snapshot") == 0;
    if (!code)
        code = find(r.words[0], &who);
    if (code)
        return code;
    if (is_snapshot && mkdir(r.words[2], 0700) != 0) {
        message("%s: cannot make the directory: %s", r.words[2], strerror(errno));
        code = EXIT_CODE_USAGE;
    }
    for (size_t i = 0; i < who.n && !code; i++) {
        int error = is_snapshot ? snapshot(who.items[i], r.words[2])
                                : control(who.items[i], r.words[1], r.words[2]);
        if (error) {
            message("%s: %s", who.items[i], strerror(-error));
            code = EXIT_CODE_USAGE;
        }
    }
    el_list_free(&who);
    return code;
}
