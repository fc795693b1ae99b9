/*
 * doctor.c - loiter doctor: whether Loiter works here. It looks at the machine, plants one pitfall
 * of each kind, runs itself on each, and must catch it.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/wait.h>

#include "analyzer/cli/command.h"
#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/log_dir.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/session.h"
#include "analyzer/model/memory.h"
#include "eventlog/writer.h"

#define TIMEOUT_S "60"

static const struct {
    const char *program, *kind, *option, *rule, *function;
} plants[] = {
#define PLANT(program, kind, option, rule, function) {program, kind, option, rule, function},
#include "analyzer/cli/plants.def"
#undef PLANT
};

struct doctor {
    char *dir; /* for logs and reports */
    unsigned failed;
    bool places; /* a finding had a file and a line */
};

/* A line of the table; `detail` is freed. */
static void say(struct doctor *d, bool ok, const char *what, char *detail)
{
    printf("%-7s %-34s %s\n", ok ? "ok" : "FAILED", what, detail ? detail : "");
    fflush(stdout);
    d->failed += !ok;
    free(detail);
}

/* ---- the machine ---- */

static bool check_machine(struct doctor *d)
{
    char *error = NULL, *library = session_library(&error);
    bool found = library != NULL;
    say(d, found, "the library", found ? library : error);

    uint64_t hz = el_tsc_measure_hz(20000000);
    say(d, true, "clock",
        hz ? xasprintf("time stamp counter, %.0f MHz", (double)hz / 1e6)
           : xstrdup("CLOCK_MONOTONIC (the time stamp counter is not invariant here)"));
    return found;
}

static bool make_dir(struct doctor *d)
{
    const char *tmp = getenv("TMPDIR");
    d->dir = xasprintf("%s/loiter-doctor.XXXXXX", tmp && *tmp ? tmp : "/tmp");
    bool ok = mkdtemp(d->dir) != NULL;
    say(d, ok, "a directory for logs",
        xasprintf("%s%s%s", d->dir, ok ? "" : ": ", ok ? "" : strerror(errno)));
    return ok;
}

/* ---- one plant ---- */

/* The program beside this command, or in libexec; NULL when it is not installed. */
static char *find_program(const char *name)
{
    static const char *const places[] = {".", "../libexec/loiter"};
    char *dir = session_command_dir(), *found = NULL;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found; i++) {
        char *candidate = xasprintf("%s/%s/%s", dir, places[i], name);
        if (access(candidate, X_OK) == 0)
            found = candidate;
        else
            free(candidate);
    }
    free(dir);
    return found;
}

/* Runs `loiter run` on the program; its exit status, -1 when it could not be run. What it says goes
 * to the file `said`. */
static int run_self(const char *program, const char *kind, const char *option, const char *log,
                    const char *report, const char *said)
{
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(said, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd >= 0) {
            dup2(fd, STDOUT_FILENO);
            dup2(fd, STDERR_FILENO);
        }
        execl("/proc/self/exe", "loiter", "run", "--format", "json", "--report", report, "-o", log,
              "--timeout", TIMEOUT_S, option ? option : "--keep", "--", program, kind,
              (char *)NULL);
        _exit(126);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static bool has_function(json_t *finding, const char *function)
{
    size_t i, k;
    json_t *stack, *frame;
    json_array_foreach(json_object_get(finding, "stacks"), i, stack)
    {
        json_array_foreach(json_object_get(stack, "frames"), k, frame)
        {
            const char *name = json_string_value(json_object_get(frame, "function"));
            if (name && strcmp(name, function) == 0)
                return true;
        }
    }
    return false;
}

/* The planted finding in a report, NULL when it is not there. */
static json_t *find_planted(json_t *report, const char *rule, const char *function)
{
    size_t i;
    json_t *finding;
    json_array_foreach(json_object_get(report, "findings"), i, finding)
    {
        const char *id = json_string_value(json_object_get(finding, "rule"));
        if (id && strcmp(id, rule) == 0 && has_function(finding, function))
            return finding;
    }
    return NULL;
}

/* The first line of a file, to be freed: why a run failed. */
static char *first_line(const char *file)
{
    char text[256] = "";
    FILE *in = fopen(file, "re");
    if (in && !fgets(text, sizeof(text), in))
        text[0] = '\0';
    if (in)
        fclose(in);
    text[strcspn(text, "\n")] = '\0';
    return xstrdup(text);
}

/* Runs the plant and gives its report, to be released; NULL and *why, to be freed. */
static json_t *examine(struct doctor *d, const char *program, const char *kind, const char *option,
                       char **why)
{
    const char *name = strrchr(program, '/') + 1;
    char *log = xasprintf("%s/%s-%s", d->dir, name, kind);
    char *file = xasprintf("%s.json", log), *said = xasprintf("%s.txt", log);
    int status = run_self(program, kind, option, log, file, said);
    json_t *report = json_load_file(file, 0, NULL);
    if (!report) {
        char *line = first_line(said);
        *why = xasprintf("no report, exit status %d: %s", status, line);
        free(line);
    }
    free(said);
    free(file);
    free(log);
    return report;
}

static void check_plant(struct doctor *d, const char *program, size_t i)
{
    char *why = NULL, *what = xasprintf("%s %s", strrchr(program, '/') + 1, plants[i].kind);
    json_t *report = examine(d, program, plants[i].kind, plants[i].option, &why);
    json_t *finding = report ? find_planted(report, plants[i].rule, plants[i].function) : NULL;
    if (finding) {
        json_t *place = json_object_get(finding, "place");
        d->places = d->places || json_integer_value(json_object_get(place, "line")) > 0;
        why = xasprintf("caught: %s (%s)", plants[i].rule,
                        json_string_value(json_object_get(finding, "severity")));
    } else if (report) {
        json_t *run = json_object_get(report, "run");
        json_int_t status = json_integer_value(json_object_get(run, "exit_status"));
        why = status
                  ? xasprintf("the program failed, exit status %d", (int)status)
                  : xasprintf("not caught: expected %s in %s", plants[i].rule, plants[i].function);
    }
    say(d, finding != NULL, what, why);
    json_decref(report);
    free(what);
}

/* A program without a leak: it is recorded whole, and nothing is found. */
static void check_clean(struct doctor *d, const char *program)
{
    char *why = NULL;
    json_t *report = examine(d, program, "nothing", NULL, &why),
           *run = json_object_get(report, "run");
    bool complete = json_is_true(json_object_get(run, "complete"));
    bool clean = report && json_array_size(json_object_get(report, "findings")) == 0;
    if (report && !complete) {
        const char *reason = json_string_value(json_array_get(json_object_get(run, "problems"), 0));
        why = xasprintf("the record is incomplete: %s", reason ? reason : "");
    } else if (report) {
        why = xstrdup(clean ? "recorded whole, nothing found" : "found something");
    }
    say(d, complete && clean, "a program without a leak", why);
    json_decref(report);
}

static void check_plants(struct doctor *d)
{
    char *first = find_program(plants[0].program);
    if (!first) {
        say(d, false, plants[0].program, xstrdup("is not beside the command"));
        return;
    }
    check_clean(d, first);
    free(first);
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
        char *program = find_program(plants[i].program);
        if (program)
            check_plant(d, program, i);
        else
            printf("%-7s %s %s: not built (Weft is left out)\n", "-", plants[i].program,
                   plants[i].kind);
        free(program);
    }
    say(d, d->places, "debug information",
        xstrdup(d->places ? "findings have file and line" : "no finding has a file and a line"));
}

static const struct argp argp = {
    .doc = "Finds out whether Loiter works on this machine: plants one pitfall of each kind, runs "
           "itself on it, and must catch it.\vExit status: 0 all is well, 1 something failed."};

int command_doctor(int argc, char **argv)
{
    struct doctor d = {0};
    command_parse(&argp, argc, argv, false, NULL);
    bool library = check_machine(&d);
    if (make_dir(&d) && library)
        check_plants(&d);
    if (d.failed) {
        printf("\n%u failed; what was recorded is in %s\n", d.failed, d.dir);
    } else {
        log_dir_remove(d.dir, true);
        puts("\nall is well");
    }
    free(d.dir);
    return d.failed ? EXIT_CODE_FINDINGS : EXIT_CODE_OK;
}
