/*
 * What is around tasks: signals, numbers of descriptors, threads of others. Promises of Go's
 * runtime and time packages, and cases of libdill's and neco's tests, which nothing else here
 * tries; each in a test of our own.
 *
 *   a signal to any thread of the process reaches a task by way of a
 *   pipe, however often, whatever is interrupted (libdill: signals)     signals_by_pipe
 *   the thread of main may end, the run is another's (threads2); a
 *   deadlock is seen there too                                          main_thread_leaves
 *   a wait that its time has ended leaves nothing in the poller: the
 *   number is closed and used anew (fd)                                 number_again
 *   values queue in order of their senders, whatever room there is
 *   (neco: chan_order)                                                  any_room
 *   a timer's function begins although a pair is always ready
 *   (Go: TestAfterFuncStarvation)                                       function_beside_a_pair
 *   what a task did to a thread that it has locked is not passed on to
 *   new ones, nor is it left behind when the task ends so; its blocking
 *   calls see it (Go: TestLockOSThreadAvoidsStatePropagation,
 *   TestLockOSThreadExit)                                               state_stays
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

/* ---- signals ---- */

enum { SIGNALS = 300, THREADS_MAX = 64 };

static int signal_pipe[2];
static long threads[THREADS_MAX];
static unsigned thread_count;
static _Atomic unsigned signals_sent;

static void tell_by_pipe(int number)
{
    int before = errno;
    char byte = (char)number;
    if (write(signal_pipe[1], &byte, 1) != 1)
        abort();
    errno = before;
}

static void await_signal(void *arg)
{
    char byte;
    CHECK(weft_read(signal_pipe[0], &byte, 1) == 1 && byte == SIGUSR1);
    CHECK(weft_chan_send(arg, NULL) == 0);
}

static void find_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    thread_count = 0;
    for (struct dirent *e; (e = readdir(dir)) && thread_count < THREADS_MAX;) {
        if (e->d_name[0] != '.')
            threads[thread_count++] = strtol(e->d_name, NULL, 10);
    }
    closedir(dir);
}

/* To each thread in its turn, at what it does just now; one that has ended since is passed over.
 * ThreadSanitizer keeps a signal back for as long as its thread waits by futex, so the thread sends
 * it to itself there. */
static void send_signal(void *arg)
{
    CHECK(weft_chan_recv(arg, NULL) == 0);
    usleep(signals_sent++ % 4 * 20); /* the others fall asleep */
#ifdef __SANITIZE_THREAD__
    CHECK(pthread_kill(pthread_self(), SIGUSR1) == 0);
#else
    unsigned to = signals_sent;
    while (syscall(SYS_tgkill, getpid(), threads[to++ % thread_count], SIGUSR1) != 0)
        CHECK(errno == ESRCH);
#endif
}

TASK_TEST(signals_by_pipe)
{
    struct sigaction act = {.sa_handler = tell_by_pipe}, before; /* waits are interrupted */
    struct weft_chan *go = weft_chan_new(0, 0), *came = weft_chan_new(0, 0);
    CHECK(pipe(signal_pipe) == 0 && sigaction(SIGUSR1, &act, &before) == 0);
    find_threads();
    for (int i = 0; i < SIGNALS; i++) {
        CHECK(weft_go(send_signal, go) == 0 && weft_go(await_signal, came) == 0);
        CHECK(weft_chan_send(go, NULL) == 0);
        CHECK(weft_chan_recv(came, NULL) == 0);
    }
    await_ends();
    CHECK(sigaction(SIGUSR1, &before, NULL) == 0);
    weft_close(signal_pipe[0]);
    weft_close(signal_pipe[1]);
    weft_chan_release(go);
    weft_chan_release(came);
}

/* ---- threads of others ---- */

static pthread_t main_thread;

static void *count_up(void *arg)
{
    ++*(_Atomic int *)arg;
    return NULL;
}

static void count_call(void *arg)
{
    count_up(arg);
}

static void use_all(void *arg)
{
    (void)arg;
    _Atomic int calls = 0;
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < 20; i++)
        CHECK(weft_waitgroup_go(&wg, count_call, (void *)&calls) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(weft_blocking(count_call, (void *)&calls) == 0);
    CHECK(weft_lock_thread() == 0);
    weft_sleep(WEFT_MS);
    weft_unlock_thread();
    CHECK(calls == 21);
}

static void wait_for_ever(void *arg)
{
    (void)arg;
    weft_chan_recv(NULL, NULL);
}

static void *run_alone(void *arg)
{
#ifndef __SANITIZE_THREAD__ /* which does not know the main thread as one to be joined */
    CHECK(pthread_join(main_thread, NULL) == 0);
#endif
    run_all(use_all, NULL);
    if (strcmp(arg, "ends") == 0)
        exit(42);
    CHECK(weft_run(wait_for_ever, NULL) == 0);
    return NULL;
}

static void leave_main(char *how)
{
    pthread_t thread;
    main_thread = pthread_self();
    CHECK(pthread_create(&thread, NULL, run_alone, how) == 0);
    pthread_exit(NULL);
}

static int status_without_main(const char *how)
{
    int status, null;
    pid_t pid = fork();
    if (pid == 0) {
        if ((null = open("/dev/null", O_WRONLY)) >= 0 && strcmp(how, "ends") != 0)
            dup2(null, STDERR_FILENO);
        execl("/proc/self/exe", "test", "--leave-main", how, (char *)NULL);
        _exit(127);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void main_thread_leaves(void **state)
{
    (void)state;
    CHECK(status_without_main("ends") == 42);
    CHECK(status_without_main("waits") == 2);
}

enum { STRANGERS = 6 };

static void look_at_mask(void *arg)
{
    sigset_t mask;
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0);
    CHECK(!sigismember(&mask, SIGUSR2));
    count_up(arg);
    usleep(1000); /* so that the others need threads of their own */
}

static void block_one(sigset_t *before)
{
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    CHECK(pthread_sigmask(SIG_BLOCK, &one, before) == 0);
}

static void end_with_a_mask(void *arg)
{
    (void)arg;
    CHECK(weft_lock_thread() == 0);
    block_one(NULL);
    weft_yield();
}

static void is_on(void *arg)
{
    sigset_t mask;
    CHECK(pthread_equal(pthread_self(), *(pthread_t *)arg));
    CHECK(pthread_sigmask(SIG_SETMASK, NULL, &mask) == 0 && sigismember(&mask, SIGUSR2));
}

static void look_from_task(void *arg)
{
    CHECK(weft_blocking(look_at_mask, arg) == 0);
    CHECK(weft_lock_thread() == 0);
    look_at_mask(arg);
}

TASK_TEST(state_stays)
{
    sigset_t before;
    _Atomic int looks = 0;
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < STRANGERS; i++)
        CHECK(weft_waitgroup_go(&wg, end_with_a_mask, NULL) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(weft_lock_thread() == 0);
    pthread_t here = pthread_self();
    block_one(&before);
    CHECK(weft_blocking(is_on, &here) == 0);
    for (int i = 0; i < STRANGERS; i++)
        CHECK(weft_waitgroup_go(&wg, look_from_task, (void *)&looks) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(looks == 2 * STRANGERS);
    CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    weft_unlock_thread();
}

/* ---- descriptors ---- */

static void write_byte(void *arg)
{
    weft_sleep(WEFT_MS);
    CHECK(weft_write(*(int *)arg, "x", 1) == 1);
}

/* A wait for it whose time is over, by either limit. */
static void wait_in_vain(int fd, bool by_deadline)
{
    char byte;
    if (!by_deadline) {
        CHECK(weft_poll(fd, POLLIN, 100 * WEFT_US) == 0);
        return;
    }
    CHECK(weft_set_read_deadline(fd, weft_now() + 100 * WEFT_US) == 0);
    CHECK(weft_read(fd, &byte, 1) == -ETIMEDOUT);
    CHECK(weft_set_read_deadline(fd, 0) == 0);
}

TASK_TEST(number_again)
{
    int fds[2], again[2];
    char byte;
    for (int i = 0; i < 40; i++) {
        struct weft_waitgroup wg = {0};
        CHECK(pipe(fds) == 0);
        wait_in_vain(fds[0], i % 2);
        CHECK(write(fds[1], "a", 1) == 1); /* ready now, and nobody waits */
        if (i / 2 % 2)
            weft_sleep(200 * WEFT_US);
        close(fds[0]);
        close(fds[1]);
        CHECK(pipe(again) == 0 && again[0] == fds[0]);
        CHECK(weft_waitgroup_go(&wg, write_byte, &again[1]) == 0);
        if (i / 4 % 2)
            CHECK(weft_poll(again[0], POLLIN, 60 * WEFT_S) == POLLIN);
        CHECK(weft_read(again[0], &byte, 1) == 1 && byte == 'x');
        weft_waitgroup_wait(&wg);
        weft_close(again[0]);
        weft_close(again[1]);
    }
}

/* ---- order ---- */

struct sender {
    struct weft_chan *chan;
    int value;
};

static void send_value(void *arg)
{
    struct sender *s = arg;
    CHECK(weft_chan_send(s->chan, &s->value) == 0);
}

TASK_TEST(any_room)
{
    for (int senders = 0; senders < 10; senders++) {
        for (int room = 0; room < 10; room++) {
            struct weft_chan *c = weft_chan_new(sizeof(int), (size_t)room);
            for (int i = 0; i < senders; i++) {
                struct sender s = {c, i};
                CHECK(weft_go_copy(send_value, &s, sizeof s) == 0);
                while (i < room && weft_chan_len(c) <= (size_t)i)
                    weft_yield();
                await_waiting((uint64_t)(i < room ? 0 : i - room + 1));
            }
            for (int i = 0, v; i < senders; i++)
                CHECK(weft_chan_recv(c, &v) == 0 && v == i);
            CHECK(weft_chan_len(c) == 0);
            await_ends();
            weft_chan_release(c);
        }
    }
}

struct pair {
    struct weft_chan *values;
    _Atomic bool begun;
};

static void send_for_ever(void *arg)
{
    struct pair *p = arg;
    while (!p->begun)
        CHECK(weft_chan_send(p->values, NULL) == 0);
    weft_chan_close(p->values);
}

static void has_begun(void *arg)
{
    ((struct pair *)arg)->begun = true;
}

TASK_TEST(function_beside_a_pair)
{
    for (size_t room = 0; room < 2; room++) {
        struct pair p = {.values = weft_chan_new(0, room)};
        struct weft_timer *timer = weft_timer_func(2 * WEFT_MS, has_begun, &p);
        CHECK(weft_go(send_for_ever, &p) == 0);
        while (weft_chan_recv(p.values, NULL) == 0) {
        }
        CHECK(p.begun);
        await_ends();
        weft_timer_free(timer);
        weft_chan_release(p.values);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_by_pipe), cmocka_unit_test(main_thread_leaves),
        cmocka_unit_test(state_stays),     cmocka_unit_test(number_again),
        cmocka_unit_test(any_room),        cmocka_unit_test(function_beside_a_pair),
    };
    if (argc == 3 && strcmp(argv[1], "--leave-main") == 0)
        leave_main(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
