/*
 * Programs under the system's own limits: `ulimit -v`, `-u` and `-n`, each small. A run that cannot
 * begin and a call that does not get what it needs say so with an errno; nobody crashes, aborts or
 * hangs. With the limit taken away the same process goes on as if nothing had been.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft.h>

enum { TASKS = 2000, CALLS = 8, LIMIT_SECONDS = 60, NOBODY = 61234, KIB = 1024 };

static _Atomic unsigned errors;

/* True for an error that says what was missing; others end the test. */
static bool told(int r)
{
    if (r >= 0)
        return false;
    if (r != -ENOMEM && r != -EAGAIN && r != -EMFILE) {
        fprintf(stderr, "an error that says something else: %s\n", strerror(-r));
        _exit(3);
    }
    errors++;
    return true;
}

/* ---- a program that wants much of everything ---- */

static struct weft_chan *gate;
static struct weft_waitgroup waiting;
static _Atomic int began;

static void wait_for_gate(void *arg)
{
    (void)arg;
    began++;
    weft_chan_recv(gate, NULL);
}

/* Some are made before the first has run, and so before the stacks run out; all that were made
 * run. */
static void many_tasks(void)
{
    gate = weft_chan_new(0, 0);
    if (!gate)
        return;
    int made = 0;
    began = 0;
    for (int i = 0; i < TASKS; i++) {
        made += !told(weft_waitgroup_go(&waiting, wait_for_gate, NULL));
        if (i % 100 == 99)
            weft_yield();
    }
    weft_chan_close(gate);
    weft_waitgroup_wait(&waiting);
    weft_chan_release(gate);
    if (began != made) {
        fprintf(stderr, "%d tasks of %d ran\n", began, made);
        _exit(4);
    }
}

static void nap(void *arg)
{
    (void)arg;
    usleep(1000);
}

static void block(void *arg)
{
    (void)arg;
    told(weft_blocking(nap, NULL));
}

static void many_threads(void)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < CALLS; i++)
        told(weft_waitgroup_go(&wg, block, NULL));
    if (!told(weft_lock_thread()))
        weft_unlock_thread();
    weft_waitgroup_wait(&wg);
}

static void many_descriptors(void)
{
    int fds[CALLS], n = 0;
    char byte;
    for (; n < CALLS; n++) {
        fds[n] = n % 2 ? weft_listen("tcp", "127.0.0.1:0") : weft_open("/dev/null", O_RDONLY, 0);
        if (told(fds[n]))
            break;
        if (n % 2 == 0 && weft_read(fds[n], &byte, 1) < 0)
            told(-EAGAIN);
    }
    while (n > 0)
        weft_close(fds[--n]);
}

static void program(void *arg)
{
    (void)arg;
    weft_sleep(WEFT_MS);
    many_tasks();
    many_threads();
    many_descriptors();
}

/* ---- limits ---- */

struct limit {
    const char *name;
    int what;
    rlim_t at;
    unsigned workers;
    bool errs; /* there must be an error */
};

static const struct limit limits[] = {
    {"address space", RLIMIT_AS, 0, 1, true},
    {"address space", RLIMIT_AS, 2 * KIB *KIB, 2, true},
    {"address space", RLIMIT_AS, 24 * KIB *KIB, 1, true},
    {"address space", RLIMIT_AS, 64 * KIB *KIB, 2, true},
    {"address space", RLIMIT_AS, 64 * KIB *KIB, 8, true},
    {"threads", RLIMIT_NPROC, 1, 1, true},
    {"threads", RLIMIT_NPROC, 2, 2, true},
    {"threads", RLIMIT_NPROC, 3, 1, false},
    {"threads", RLIMIT_NPROC, 4, 1, false},
    {"threads", RLIMIT_NPROC, 6, 2, false},
    {"descriptors", RLIMIT_NOFILE, 3, 1, true},
    {"descriptors", RLIMIT_NOFILE, 4, 2, true},
    {"descriptors", RLIMIT_NOFILE, 6, 1, true},
    {"descriptors", RLIMIT_NOFILE, 8, 2, true},
};

static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%lu", &pages) != 1)
        _exit(2);
    fclose(f);
    return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void set(int what, rlim_t soft, rlim_t hard)
{
    struct rlimit limit = {soft, hard};
    if (setrlimit(what, &limit) != 0)
        _exit(2);
}

/* In a process of its own. */
_Noreturn static void run_under(const struct limit *it)
{
    struct weft_options options = {.workers = it->workers};
    struct rlimit before;
    alarm(LIMIT_SECONDS);
    set(RLIMIT_CORE, 0, 0);
    /* The superuser may have any number of threads: be somebody who has none. */
    if (it->what == RLIMIT_NPROC && geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0)
        _exit(2);
    if (it->what == RLIMIT_NOFILE)
        closefrom(3);
    getrlimit(it->what, &before);
    set(it->what, it->what == RLIMIT_AS ? address_space() + it->at : it->at, before.rlim_max);
    told(weft_run_with(&options, program, NULL));
    set(it->what, before.rlim_cur, before.rlim_max);
    unsigned seen = errors;
    errors = 0;
    if (weft_run_with(&options, program, NULL) != 0 || errors != 0) {
        fprintf(stderr, "%u errors without a limit\n", errors);
        _exit(5);
    }
    if (it->errs && seen == 0)
        fprintf(stderr, "no error, so nothing is tested\n");
    _exit(it->errs && seen == 0 ? 6 : 0);
}

int main(void)
{
    int bad = 0;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const struct limit *it = &limits[i];
        int status;
        pid_t pid = fork();
        if (pid == 0)
            run_under(it);
        waitpid(pid, &status, 0);
        if (status == 0)
            continue;
        fprintf(stderr, "%s, %llu, %u workers: status %x\n", it->name, (unsigned long long)it->at,
                it->workers, (unsigned)status);
        bad = 1;
    }
    return bad;
}
