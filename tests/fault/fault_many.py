"""Records of many processes."""

import json
import os

from faults import analyze, compile_c, process_folders, record, require


def test_a_hundred_processes(tools):
    """Forked, and forked with exec; one of them ends by a signal. All are in one report, also those
    that had nothing to record."""
    script = (f"i=0; while [ $i -lt 50 ]; do (:); /bin/true; {tools.worker} "
              f"{tools.path('c')} 1 >/dev/null; i=$((i + 1)); done; sh -c 'kill -9 $$'; echo done")
    log = tools.path("log")
    result = record(tools, ["sh", "-c", script], log).expect(0)
    require(result.out == "done\n", result.describe())
    folders = process_folders(log)
    require(len(folders) == 51, f"{len(folders)} folders of processes: (:) and true have none")
    result = analyze(tools, log, "--format", "json").expect(0)
    require(json.loads(result.out)["findings"] == [], result.describe())
    require(json.loads(result.out)["run"]["silent"] == 51, result.describe())


def test_parallel_processes(tools):
    log = tools.path("log")
    script = f"for i in 1 2 3 4 5 6 7 8; do {tools.worker} {tools.path('c')}$i 100 & done; wait; exit 9"
    result = record(tools, ["sh", "-c", script], log).expect(9)
    require(result.out.count("sum") == 8, result.describe())
    analyze(tools, log).expect(0)
    require(len(process_folders(log)) >= 9, f"{process_folders(log)}")


CHILDREN = """
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
static void on_signal(int signo)
{
    (void)signo;
    usleep(1);
}
/* In the handler, on a stack of so many bytes, the child makes its first call that is recorded. */
static void small_stack(void)
{
    static char stack[4 * 4096] __attribute__((aligned(4096)));
    stack_t small = {.ss_sp = stack + 4096, .ss_size = 2 * 4096};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaltstack(&small, NULL);
    sigaction(SIGUSR1, &action, NULL);
    memset(stack, 7, 4096);
    raise(SIGUSR1);
    for (int i = 0; i < 4096; i++)
        if (stack[i] != 7)
            _exit(2);
    _exit(0);
}
static void no_program(void)
{
    execl("/nowhere", "nowhere", (char *)NULL);
    _exit(usleep(1000));
}
/* What it does after that cannot make a file. */
static void locks_itself_in(int how)
{
    struct rlimit none = {0, 0};
    if (how == 0)
        setrlimit(RLIMIT_NOFILE, &none);
    if (how == 1)
        setrlimit(RLIMIT_FSIZE, &none);
    if (how == 2 && chroot("/proc/self") != 0)
        usleep(1);
    _exit(usleep(1000));
}
int main(int argc, char **argv)
{
    int status = 0, bad = 0;
    for (int i = 0; i < 7; i++) {
        if (fork() == 0) {
            if (i == 0)
                small_stack();
            if (i == 1)
                no_program();
            if (i == 2 && argc > 1)
                execv(argv[1], argv + 1);
            if (i > 2 && i < 6)
                locks_itself_in(i - 3);
            _exit(0);
        }
        wait(&status);
        bad |= status;
    }
    printf("%d\\n", bad);
    return 0;
}
"""

STATIC = "int main(void) { return 0; }"


BECOMES = """
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (argc == 3 && atoi(argv[1]) > 0)
        pthread_mutex_lock(&mutex);
    execv(argv[argc - 1], argv + argc - 1);
    return 0;
}
"""


def test_programs_that_begin_silently(tools):
    """What follows a program with nothing to record, or with something, is asked for."""
    still = compile_c(tools, "gcc", "still", STATIC, "-static")
    program = compile_c(tools, "gcc", "becomes", BECOMES, "-pthread")
    cases = [(0, "/bin/true", 1, None), (0, "/nonexistent", 1, None), (1, "/bin/true", 2, None),
             (1, "/nonexistent", 2, None),
             (0, still, 1, "1 process with nothing recorded became another program"),
             (1, still, 2, "became another program, which was not recorded")]
    for locks, then, folders, words in cases:
        log = tools.path(f"log-{locks}-{os.path.basename(then)}")
        record(tools, ["sh", "-c", f"{program} {locks} {then}; exit 0"], log).expect(0)
        result = analyze(tools, log).expect(0, *([words] if words else []))
        require(words or "became" not in result.out + result.err, result.describe())
        require(len(process_folders(log)) == folders, f"{locks} {then} {process_folders(log)}")


def test_children_with_little_to_record(tools):
    """A child has a record once it does what is recorded, and what it became is asked for."""
    program = compile_c(tools, "gcc", "children", CHILDREN)
    log = tools.path("log")
    record(tools, [program, "/bin/true"], log).expect(0, "0")
    result = analyze(tools, log).expect(0)
    require(len(process_folders(log)) == 5, f"{process_folders(log)}")
    require("made by fork" not in result.out + result.err, result.describe())
    still = compile_c(tools, "gcc", "still", STATIC, "-static")
    record(tools, [program, still], tools.path("lost")).expect(0, "0")
    analyze(tools, tools.path("lost")).expect(0, "1 process made by fork has no record")
