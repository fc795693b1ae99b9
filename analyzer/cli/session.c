/*
 * session.c - see session.h.
 */
#include "analyzer/cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <sys/auxv.h>
#include <time.h>

#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/looker.h"
#include "analyzer/cli/message.h"
#include "analyzer/cli/preflight.h"
#include "analyzer/cli/sanitizer.h"
#include "analyzer/model/memory.h"
#include "eventlog/writer.h"

#define JEMALLOC "libjemalloc.so.2"

/* Roughly, for the processes under us, so that none has to wait for it: each tells it better by the
 * time that has passed when it begins. */
#define TSC_MEASURE_NS UINT64_C(50000)

char *session_command_dir(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    /* Without /proc, what the kernel was asked to execute: it is not changed since. */
    const char *asked = (const char *)getauxval(AT_EXECFN);
    if (n <= 0 && !(asked && realpath(asked, path)))
        return xstrdup("/usr/bin");
    char *slash = strrchr(path, '/');
    return xstrndup(path, (size_t)(slash ? slash - path : 0));
}

char *session_library(char **error)
{
    static const char *const places[] = {"../lib/libloiter.so", "../lib/loiter/libloiter.so",
                                         "../lib/" LOITER_MULTIARCH "/libloiter.so",
                                         "libloiter.so"};
    const char *given = getenv("LOITER_LIB");
    char *dir = session_command_dir(), *found = NULL;
    if (given)
        found = realpath(given, NULL);
    for (size_t i = 0; !given && !found && i < sizeof(places) / sizeof(places[0]); i++) {
        char *candidate = xasprintf("%s/%s", dir, places[i]);
        found = realpath(candidate, NULL);
        free(candidate);
    }
    if (!found)
        *error = given ? xasprintf("%s: no such library, says $LOITER_LIB", given)
                       : xasprintf("libloiter.so is not beside the command (%s/../lib): install it "
                                   "or name it in $LOITER_LIB",
                                   dir);
    free(dir);
    /* The loader splits LD_PRELOAD there, and knows no way to quote. */
    if (found && strpbrk(found, " :")) {
        *error = xasprintf("%s: cannot be preloaded: its path has a space or a colon", found);
        free(found);
        found = NULL;
    }
    return found;
}

/* jemalloc, where the loader would find it, by its path: a preload that is not there would be a
 * line of the loader's in the program's output. NULL, and *error says so. */
static char *find_jemalloc(char **error)
{
    static const char *const places[] = {"/usr/lib/" LOITER_MULTIARCH, "/lib/" LOITER_MULTIARCH,
                                         "/usr/local/lib", "/usr/lib64", "/usr/lib"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        char *path = xasprintf("%s/" JEMALLOC, places[i]);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    *error =
        xasprintf("--allocator=jemalloc: " JEMALLOC " is not installed (package libjemalloc2)");
    return NULL;
}

static int64_t realtime_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static char *join_words(char *const *words)
{
    char *text = xstrdup(words[0]);
    for (size_t i = 1; words[i]; i++) {
        char *longer = xasprintf("%s %s", text, words[i]);
        free(text);
        text = longer;
    }
    return text;
}

int session_begin(struct session *s, const struct session_options *o)
{
    char *error = NULL;
    *s = (struct session){
        .options = o, .in_fd = -1, .out_fd = -1, .hold.fd = -1, .tsc = el_tsc_begin()};
    int code = preflight(o->argv[0], &s->path, &error);
    if (!code && !(s->library = session_library(&error)))
        code = EXIT_CODE_USAGE;
    if (!code && o->jemalloc && !(s->allocator = find_jemalloc(&error)))
        code = EXIT_CODE_USAGE;
    if (!code) {
        supervise_hold(&s->mask);
        s->held = true;
        char *dir = o->dir ? xstrdup(o->dir) : log_dir_default(o->argv[0], getpid());
        s->dir = log_dir_make(dir, o->force, &s->hold, &error);
        free(dir);
        code = s->dir ? 0 : EXIT_CODE_USAGE;
    }
    if (code) {
        message_take(error);
        session_end(s);
        return code;
    }
    s->runtime = sanitizer_runtime(s->path);
    s->info.command = join_words(o->argv);
    return 0;
}

/* What the program is started with. */
static void prepare(struct session *s)
{
    struct environment *env = &s->environment;
    environment_copy(env, environ);
    if (s->options->plain)
        return;
    if (s->runtime) {
        const char *old = environment_get(env, "LD_PRELOAD");
        environment_set(env,
                        xasprintf("LD_PRELOAD=%s%s%s", s->runtime, old ? ":" : "", old ? old : ""));
    }
    environment_append(env, "LD_PRELOAD", s->library, ':');
    if (s->allocator)
        environment_append(env, "LD_PRELOAD", s->allocator, ':');
    if (s->options->library_options)
        environment_append(env, "LOITER_OPTIONS", s->options->library_options, ',');
    environment_set(env, xasprintf("LOITER_DIR=%s", s->dir));
    environment_set(env, xasprintf("LOITER_FOLLOW=%d", !s->options->no_follow));
    strcpy(s->self, SESSION_ROOT);
    environment_lend(env, s->self);
    uint64_t hz = el_tsc_end_hz(s->tsc, TSC_MEASURE_NS);
    environment_set(
        env, xasprintf("LOITER_TSC=%" PRIu64 ",%" PRIu64 ",%" PRIu64, hz, s->tsc.ticks, s->tsc.ns));
}

static void write_info(const struct session *s)
{
    char *error = run_info_write(&s->info, s->dir);
    if (error)
        message_take(error);
}

static void hung(void *arg, pid_t pid)
{
    struct session *s = arg;
    s->info.pid = (int)pid;
    s->info.timed_out = true;
    s->info.ended_ns = realtime_ns();
    write_info(s);
    if (s->hung)
        s->hung(s->arg);
}

static int64_t ns_of(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000000000 + (int64_t)t->tv_usec * 1000;
}

static struct run_usage usage_of(const struct ending *e)
{
    return (struct run_usage){.known = true,
                              .wall_ns = (int64_t)(e->wall_s * 1e9),
                              .user_ns = ns_of(&e->usage.ru_utime),
                              .system_ns = ns_of(&e->usage.ru_stime),
                              .max_rss_bytes = (int64_t)e->usage.ru_maxrss * 1024,
                              .page_faults = e->usage.ru_minflt,
                              .waits = e->usage.ru_nvcsw,
                              .preemptions = e->usage.ru_nivcsw};
}

static double look(void *arg)
{
    const struct session *s = arg;
    return looker_look(s->looker);
}

/* What of its processor time Loiter took. */
static struct run_own own_of(const struct looker *l)
{
    struct looker_result r = looker_result(l);
    return (struct run_own){.looks = r.looks, .inside = r.inside, .inside_ns = r.inside_ns};
}

/* Those that waited come now. */
static void let_signals_in(struct session *s)
{
    if (s->held)
        sigprocmask(SIG_SETMASK, &s->mask, NULL);
    s->held = false;
}

int session_run(struct session *s)
{
    struct ending e;
    prepare(s);
    struct supervise how = {.path = s->path,
                            .argv = s->options->argv,
                            .in_fd = s->in_fd,
                            .out_fd = s->out_fd,
                            .timeout_s = s->options->timeout_s,
                            .mask = &s->mask,
                            .environment = s->environment.list,
                            .self = s->options->plain ? NULL : s->self + sizeof(SESSION_ROOT) - 1,
                            .hung = hung,
                            .look = look,
                            .look_s = LOOKER_LEAST_S,
                            .arg = s};
    s->looker = looker_create(s->dir);
    s->info.started_ns = realtime_ns();
    s->info.timeout_s = s->options->timeout_s;
    int error = supervise(&how, &e);
    if (error || e.exec_error) {
        if (error != EINTR)
            message("%s: cannot run it: %s", s->path, strerror(error ? error : e.exec_error));
        log_dir_remove(s->dir, s->hold.made);
        if (error)
            return EXIT_CODE_USAGE;
        return e.exec_error == ENOENT ? EXIT_CODE_NOT_FOUND : EXIT_CODE_NOT_EXECUTABLE;
    }
    s->info.pid = (int)e.pid;
    s->info.ended_ns = realtime_ns();
    s->info.exited = e.exited;
    s->info.status = e.status;
    s->info.signal = e.signal;
    s->info.timed_out = e.timed_out;
    s->info.usage = usage_of(&e);
    s->info.own = own_of(s->looker);
    write_info(s);
    let_signals_in(s);
    return 0;
}

void session_end(struct session *s)
{
    let_signals_in(s);
    free(s->path);
    free(s->library);
    free(s->allocator);
    free(s->runtime);
    free(s->dir);
    log_dir_release(&s->hold);
    environment_clear(&s->environment);
    looker_destroy(s->looker);
    run_info_clear(&s->info);
}

int session_status(const struct session *s)
{
    if (s->info.timed_out)
        return EXIT_CODE_HUNG;
    return s->info.exited ? s->info.status : EXIT_CODE_SIGNAL + s->info.signal;
}
