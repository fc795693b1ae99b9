/*
 * compare_runs.c - see compare_runs.h.
 *
 * A run leaves a directory DIR/before/N or DIR/after/N: its log, with what the program wrote to
 * standard output beside run.json, for the metrics that it prints. Read again later by
 * compare_add_logs, it gives the same figures.
 */
#include "analyzer/cli/compare_runs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "analyzer/cli/command_words.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/message.h"
#include "analyzer/model/memory.h"

#define OUTPUT_NAME "output"
/* Of what the program printed. */
#define OUTPUT_MOST (64 << 20)

/* ---- a log ---- */

static char *read_output(const char *dir)
{
    char *path = xasprintf("%s/" OUTPUT_NAME, dir), *text = NULL;
    struct stat st;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t room = st.st_size < OUTPUT_MOST ? (size_t)st.st_size : OUTPUT_MOST;
        text = xcalloc(room + 1, 1);
        ssize_t n = read(fd, text, room);
        text[n > 0 ? n : 0] = '\0';
    }
    close(fd);
    return text;
}

/* What makes a run's figures doubtful: that it went wrong, or was not recorded whole. */
static void check_run(struct comparison *c, const struct judged *j, const char *dir,
                      const struct compare_source *from)
{
    const struct run_info *run = &j->run;
    bool failed = run->command && !(run->exited && run->status == 0);
    if (failed) {
        char *ending = run_info_ending(run);
        comparison_warn(c, xasprintf("%s: %s %s", dir, run->command, ending));
        free(ending);
        c->doubtful = c->doubtful || !from->any_status;
    }
    if (j->record.incomplete) {
        const char *reason = j->record.nreasons ? j->record.reasons[0] : "events were lost";
        comparison_warn(c, xasprintf("%s: the record is incomplete: %s", dir, reason));
        c->doubtful = true;
    }
}

static int add_log(struct comparison *c, enum side side, const char *dir,
                   struct compare_source *from)
{
    struct judged j;
    if (!judge_log(&j, dir, &from->judge))
        return EXIT_CODE_USAGE;
    double *values = xcalloc(c->metrics.n, sizeof(*values));
    metrics_measure(values, &(struct metric_source){.model = j.model,
                                                    .run = &j.run,
                                                    .errors = j.gate.active[SEVERITY_ERROR],
                                                    .warnings = j.gate.active[SEVERITY_WARNING],
                                                    .log_bytes = j.record.bytes});
    char *output = read_output(dir);
    metrics_read_printed(&c->metrics, values, output);
    free(output);
    check_run(c, &j, dir, from);
    comparison_add_run(c, side, values, &j.gate);
    judge_clear(&j);
    return 0;
}

/* ---- logs that are there ---- */

/* "123.0" */
static bool is_process_dir(const char *name)
{
    size_t n = strspn(name, "0123456789");
    return n > 0 && name[n] == '.' && isdigit((unsigned char)name[n + 1]);
}

static bool is_log(const char *dir)
{
    DIR *d = opendir(dir);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d));)
        found = strcmp(e->d_name, "run.json") == 0 || strcmp(e->d_name, "metadata") == 0 ||
                is_process_dir(e->d_name);
    if (d)
        closedir(d);
    return found;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static int add_folders(struct comparison *c, enum side side, const char *dir,
                       struct compare_source *from)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, visible, versionsort), code = 0;
    if (n < 0) {
        message("%s: cannot read the log: %s", dir, strerror(errno));
        return EXIT_CODE_USAGE;
    }
    for (int i = 0; i < n; i++) {
        char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
        if (!code && is_log(path))
            code = add_log(c, side, path, from);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (!code && !c->nruns[side]) {
        message("%s: no log, and none in its folders", dir);
        code = EXIT_CODE_USAGE;
    }
    return code;
}

int compare_add_logs(struct comparison *c, enum side side, const char *dir,
                     struct compare_source *from)
{
    return is_log(dir) ? add_log(c, side, dir, from) : add_folders(c, side, dir, from);
}

/* ---- programs that are run ---- */

static const char *const side_folders[SIDES] = {"before", "after"};

struct running {
    struct comparison *comparison;
    struct compare_source *from;
    char **words[SIDES];
    char *base;               /* of all logs */
    struct log_dir_hold hold; /* of it */
    bool on_screen;           /* the count of runs is shown */
};

static void close_if(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void doubt_plain(struct comparison *c, const struct session *s,
                        const struct compare_source *from)
{
    char *ending = run_info_ending(&s->info);
    comparison_warn(c, xasprintf("%s, not recorded, %s", s->info.command, ending));
    free(ending);
    c->doubtful = c->doubtful || !from->any_status;
}

/* `dir` for the log, `output` for what it writes. 0, or an exit code. */
static int run_program(struct running *r, enum side side, const char *dir, const char *output,
                       bool plain, struct run_usage *usage)
{
    struct session_options options = r->from->session;
    struct session s;
    options.argv = r->words[side];
    options.plain = plain;
    options.dir = dir;
    int code = session_begin(&s, &options);
    if (code)
        return code;
    s.in_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s.out_fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    code = session_run(&s);
    close_if(s.in_fd);
    close_if(s.out_fd);
    if (!code) {
        *usage = s.info.usage;
        /* A key on the terminal ends the whole comparison. */
        if (!s.info.timed_out && (s.info.signal == SIGINT || s.info.signal == SIGTERM))
            code = EXIT_CODE_SIGNAL + s.info.signal;
        else if (plain && session_status(&s) != 0)
            doubt_plain(r->comparison, &s, r->from);
    }
    session_end(&s);
    return code;
}

/* The usage in the log's run.json becomes that of the run that was not recorded. */
static void keep_usage(const char *dir, const struct run_usage *usage)
{
    struct run_info info;
    char *error = run_info_read(&info, dir);
    if (!error) {
        info.usage = *usage;
        error = run_info_write(&info, dir);
    }
    run_info_clear(&info);
    if (error)
        message_take(error);
}

static int run_once(struct running *r, enum side side, const char *dir)
{
    char *output = xasprintf("%s/" OUTPUT_NAME, dir), *plain_dir = xasprintf("%s.plain", dir);
    struct run_usage usage;
    int code = run_program(r, side, dir, output, false, &usage);
    if (!code && r->from->plain) {
        code = run_program(r, side, plain_dir, output, true, &usage);
        log_dir_remove(plain_dir, true);
        if (!code)
            keep_usage(dir, &usage);
    }
    free(output);
    free(plain_dir);
    return code;
}

static void show(const struct running *r, unsigned done)
{
    unsigned all = SIDES * r->from->count;
    if (!r->on_screen)
        return;
    if (done < all)
        fprintf(stderr, "\rloiter: run %u of %u ", done + 1, all);
    else
        fputs("\r\033[K", stderr);
}

static char *run_dir(const struct running *r, unsigned number)
{
    return xasprintf("%s/%s/%u", r->base, side_folders[number % SIDES], number / SIDES + 1);
}

/* In turn, so that a slow minute of the machine hits both sides. All programs run before the first
 * log is read: to the kernel, the peak memory of a program is at least that of who forked it. */
static int run_in_turn(struct running *r)
{
    const unsigned all = SIDES * r->from->count;
    int code = 0;
    for (unsigned i = 0; i < all && !code; i++) {
        char *dir = run_dir(r, i);
        show(r, i);
        code = run_once(r, (enum side)(i % SIDES), dir);
        free(dir);
    }
    show(r, all);
    for (unsigned i = 0; i < all && !code; i++) {
        char *dir = run_dir(r, i);
        code = add_log(r->comparison, (enum side)(i % SIDES), dir, r->from);
        if (!r->from->session.dir)
            log_dir_remove(dir, true);
        free(dir);
    }
    return code;
}

/* The directory of all logs, with a folder for each side. */
static int make_base(struct running *r)
{
    char *error = NULL, *chosen;
    const char *tmp = getenv("TMPDIR");
    if (r->from->session.dir) {
        chosen = xstrdup(r->from->session.dir);
    } else {
        chosen = xasprintf("%s/loiter-compare.XXXXXX", tmp && *tmp ? tmp : "/tmp");
        if (!mkdtemp(chosen))
            error = xasprintf("%s: %s", chosen, strerror(errno));
    }
    if (!error)
        r->base = log_dir_make(chosen, r->from->session.force, &r->hold, &error);
    free(chosen);
    for (int side = 0; side < SIDES && !error; side++) {
        char *dir = xasprintf("%s/%s", r->base, side_folders[side]);
        if (mkdir(dir, 0711) != 0)
            error = xasprintf("%s: %s", dir, strerror(errno));
        free(dir);
    }
    if (!error)
        return 0;
    message_take(error);
    return EXIT_CODE_USAGE;
}

int compare_run(struct comparison *c, char *const commands[SIDES], struct compare_source *from)
{
    struct running r = {
        .comparison = c, .from = from, .hold.fd = -1, .on_screen = isatty(STDERR_FILENO) != 0};
    int code = 0;
    for (int side = 0; side < SIDES && !code; side++) {
        char *error = command_words(commands[side], &r.words[side]);
        if (error) {
            message("--run: %s: \"%s\"", error, commands[side]);
            free(error);
            code = EXIT_CODE_USAGE;
        }
    }
    if (!code)
        code = make_base(&r);
    if (!code)
        code = run_in_turn(&r);
    if (r.base && !from->session.dir)
        log_dir_remove(r.base, true);
    log_dir_release(&r.hold);
    free(r.base);
    for (int side = 0; side < SIDES; side++)
        command_words_free(r.words[side]);
    return code;
}
