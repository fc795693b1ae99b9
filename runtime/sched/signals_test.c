/* Signals and fork while a run is open. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

/* ---- signals ---- */

static volatile int on_own_stack; /* 1: the handler ran on the stack for signals */

static void note_place(int number)
{
    stack_t now;
    (void)number;
    on_own_stack = sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK);
}

static void raise_here(void *arg)
{
    (void)arg;
    on_own_stack = 0;
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
    CHECK(on_own_stack);
}

static void raise_locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    raise_here(arg);
}

/* With SA_ONSTACK, on the worker's stack for signals, however full the task's own is. */
TASK_TEST(handlers_have_a_stack)
{
    struct weft_waitgroup wg = {0};
    struct sigaction note = {.sa_handler = note_place, .sa_flags = SA_ONSTACK}, before;
    CHECK(sigaction(SIGUSR1, &note, &before) == 0);
    for (int i = 0; i < 20; i++) {
        weft_waitgroup_go(&wg, raise_here, NULL);
        weft_waitgroup_wait(&wg);
        weft_waitgroup_go(&wg, raise_locked, NULL);
        weft_waitgroup_wait(&wg);
    }
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
}

static void is_blocked(void *arg)
{
    sigset_t mask;
    weft_yield();
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    CHECK(sigismember(&mask, SIGUSR2) == 1);
    *(int *)arg += 1;
}

/* All threads have the mask of the one that opened the run. */
static void mask_is_inherited(void **state)
{
    sigset_t mask, before;
    int ran = 0;
    (void)state;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &mask, &before), 0);
    run_all(is_blocked, &ran);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(ran, 3);
}

/* ---- fork ---- */

#if defined(__SANITIZE_ADDRESS__)
/* A child that ends where it stands has memory left. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

static int status_of(pid_t pid)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void busy_others(void *arg)
{
    while (!*(_Atomic int *)arg)
        weft_yield();
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/* In the child: a plain thread, and no run. */
static int look_around(void)
{
    if (weft_self() || weft_id() != 0)
        return 1;
    if (weft_workers() != 0 || weft_go(do_nothing, NULL) != -ESRCH)
        return 2;
    weft_yield();
    return 7;
}

static void fork_in_a_task(void *arg)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
        _exit(1);
    }
    CHECK(status_of(pid) == 5);
    pid = fork();
    if (pid == 0)
        _exit(look_around());
    CHECK(status_of(pid) == 7);
    pid = fork();
    if (pid == 0)
        return; /* as from the function of the last thread: the end, with status 0 */
    CHECK(status_of(pid) == 0);
    CHECK(weft_self());
    *(int *)arg += 1;
}

static void fork_locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    fork_in_a_task(arg);
}

TASK_TEST(forks)
{
    struct weft_waitgroup wg = {0}, others = {0};
    _Atomic int stop = 0;
    int forked = 0;
    for (int i = 0; i < 4; i++)
        weft_waitgroup_go(&others, busy_others, (void *)&stop);
    weft_waitgroup_go(&wg, fork_in_a_task, &forked);
    weft_waitgroup_wait(&wg);
    weft_waitgroup_go(&wg, fork_locked, &forked);
    weft_waitgroup_wait(&wg);
    CHECK(forked == 2);
    stop = 1;
    weft_waitgroup_wait(&others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_have_a_stack),
        cmocka_unit_test(mask_is_inherited),
        cmocka_unit_test(forks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
