/* Signals and fork while a run is open. */
#include <fcntl.h>
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

static void own_handler(int number)
{
    (void)number;
}

static void (*handler_of(int number))(int)
{
    struct sigaction now;
    CHECK(sigaction(number, NULL, &now) == 0);
    return now.sa_flags & SA_SIGINFO ? SIG_ERR : now.sa_handler;
}

static void keeps_them(void *arg)
{
    CHECK(handler_of(SIGSEGV) == own_handler && handler_of(SIGQUIT) == own_handler);
    ++*(int *)arg;
}

static void has_its_own(void *arg)
{
    CHECK(handler_of(SIGSEGV) == SIG_ERR &&
          handler_of(SIGQUIT) == SIG_ERR); /* of three arguments */
    ++*(int *)arg;
}

static void leaves_quit_alone(void *arg)
{
    CHECK(handler_of(SIGQUIT) == SIG_DFL);
    ++*(int *)arg;
}

/* A handler of the program stays; the runtime's are there for a run only. */
static void handlers_stay(void **state)
{
    struct sigaction before, own = {.sa_handler = own_handler};
    int ran = 0;
    (void)state;
    setenv("WEFT_DUMP", "1", 1);
    sigaction(SIGSEGV, &own, &before); /* a sanitizer's, or none */
    sigaction(SIGQUIT, &own, NULL);
    run_all(keeps_them, &ran);
    CHECK(handler_of(SIGSEGV) == own_handler && handler_of(SIGQUIT) == own_handler);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGQUIT, SIG_DFL);
    run_all(has_its_own, &ran);
    CHECK(handler_of(SIGSEGV) == SIG_DFL && handler_of(SIGQUIT) == SIG_DFL);
    sigaction(SIGSEGV, &before, NULL);
    unsetenv("WEFT_DUMP");
    run_all(leaves_quit_alone, &ran);
    assert_int_equal(ran, 9);
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

static int waited[2]; /* a pipe, for which a task of the parent waits */

static void wait_for_it(void *arg)
{
    char c;
    CHECK(weft_read(waited[0], &c, 1) == 0);
    *(int *)arg += 1;
}

/* In the child: a plain thread, no run, and nobody who waits. */
static int look_around(void)
{
    if (weft_self() || weft_id() != 0)
        return 1;
    if (weft_workers() != 0 || weft_go(do_nothing, NULL) != -ESRCH)
        return 2;
    if (weft_close(waited[0]) != 0 || fcntl(waited[0], F_GETFD) != -1)
        return 3;
    weft_yield();
    return 7;
}

static void leave_by_8(void)
{
    _exit(8);
}

static void write_later(void *arg)
{
    weft_sleep(WEFT_MS);
    CHECK(weft_write(*(int *)arg, "x", 1) == 1);
}

/* The poller, a thread that blocks, a deadline: of the child's own run. */
static void use_all(void *arg)
{
    int ends[2];
    char c;
    CHECK(pipe(ends) == 0 && weft_blocking(do_nothing, NULL) == 0);
    CHECK(weft_go(write_later, &ends[1]) == 0);
    CHECK(weft_read(ends[0], &c, 1) == 1);
    CHECK(weft_set_read_deadline(ends[0], weft_now() + WEFT_MS) == 0);
    CHECK(weft_read(ends[0], &c, 1) == -ETIMEDOUT);
    *(int *)arg = 9;
}

static int run_anew(void)
{
    int status = 1;
    return weft_run(use_all, &status) == 0 ? status : 2;
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    weft_chan_recv(NULL, NULL);
}

/* The task of the parent that waits for a descriptor can make nobody ready here. */
static void deadlock_anew(void)
{
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    alarm(60);
    weft_run(wait_for_ever, NULL);
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

static void close_it(struct weft_waitgroup *waiters)
{
    CHECK(close(waited[1]) == 0);
    weft_waitgroup_wait(waiters);
    CHECK(weft_close(waited[0]) == 0);
}

static void fork_locked(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    fork_in_a_task(arg);
}

/* A child that ends as programs do, or opens a run of its own. ThreadSanitizer allows it no thread,
 * and has its own view of such an end. */
static void fork_and_live(void *arg)
{
    int used;
    use_all(&used); /* what the child must not take for its own is there */
    pid_t pid = fork();
    if (pid == 0) {
        atexit(leave_by_8);
        return;
    }
    CHECK(status_of(pid) == 8);
    pid = fork();
    if (pid == 0)
        _exit(run_anew());
    CHECK(status_of(pid) == 9);
    pid = fork();
    if (pid == 0)
        deadlock_anew();
    CHECK(status_of(pid) == 2);
    *(int *)arg += 1;
}

#if defined(__SANITIZE_THREAD__)
enum { LIVES = 0 };
#else
enum { LIVES = 1 };
#endif

TASK_TEST(forks)
{
    struct weft_waitgroup wg = {0}, others = {0}, waiters = {0};
    struct weft_stats stats = {0};
    _Atomic int stop = 0;
    int forked = 0, ended = 0;
    CHECK(pipe2(waited, O_CLOEXEC) == 0);
    weft_waitgroup_go(&waiters, wait_for_it, &ended);
    while (stats.tasks_waiting == 0) {
        weft_yield();
        CHECK(weft_stats(&stats) == 0);
    }
    for (int i = 0; i < 4; i++)
        weft_waitgroup_go(&others, busy_others, (void *)&stop);
    weft_waitgroup_go(&wg, fork_in_a_task, &forked);
    weft_waitgroup_wait(&wg);
    weft_waitgroup_go(&wg, fork_locked, &forked);
    weft_waitgroup_wait(&wg);
    if (LIVES)
        weft_waitgroup_go(&wg, fork_and_live, &forked);
    weft_waitgroup_wait(&wg);
    CHECK(forked == 2 + LIVES);
    close_it(&waiters);
    CHECK(ended == 1);
    stop = 1;
    weft_waitgroup_wait(&others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handlers_have_a_stack),
        cmocka_unit_test(mask_is_inherited),
        cmocka_unit_test(handlers_stay),
        cmocka_unit_test(forks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
