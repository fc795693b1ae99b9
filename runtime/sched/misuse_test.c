/* What ends the program: each in a child process, with its one line and its status. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

/* Not static, and linked with -rdynamic: the loader knows the names. */
#define CALL(name, call)                                                                           \
    __attribute__((noinline)) void name(void *arg);                                                \
    void name(void *arg)                                                                           \
    {                                                                                              \
        call;                                                                                      \
        __asm__ volatile("" ::: "memory"); /* no jump in place of the call */                      \
    }

CALL(misuse_close_first, weft_chan_close(arg))
CALL(misuse_close, weft_chan_close(arg))
CALL(misuse_send, weft_chan_send(arg, NULL))
CALL(misuse_done, weft_waitgroup_done(arg))
CALL(misuse_unlock_first, weft_mutex_unlock(arg))
CALL(misuse_unlock, weft_mutex_unlock(arg))
CALL(misuse_unlock_rw_first, weft_rwmutex_unlock(arg))
CALL(misuse_unlock_rw, weft_rwmutex_unlock(arg))

static void send_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 1);
    misuse_close(c);
    misuse_send(c);
}

static void close_later(void *arg)
{
    weft_chan_close(arg);
}

static void closed_while_sending(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    weft_go(close_later, c);
    weft_chan_send(c, NULL);
}

static void select_send_on_closed(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_SEND(c, NULL), WEFT_RECV(NULL, NULL)};
    weft_go(close_later, c);
    weft_select(cases, 2, WEFT_FOREVER);
}

static void close_twice(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_chan_new(0, 1);
    weft_set_name("closer");
    misuse_close_first(c);
    misuse_close(c);
}

static void close_nil(void *arg)
{
    (void)arg;
    weft_chan_close(NULL);
}

static void negative_group(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    misuse_done(&wg);
}

static void unlock_free(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    misuse_unlock(&m);
}

static void unlock_twice(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    weft_set_name("unlocker");
    weft_mutex_lock(&m);
    misuse_unlock_first(&m);
    misuse_unlock(&m);
}

static void unlock_free_rw(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_unlock(&m);
}

static void unlock_rw_twice(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_lock(&m);
    misuse_unlock_rw_first(&m);
    misuse_unlock_rw(&m);
}

static void runlock_free(void *arg)
{
    (void)arg;
    struct weft_rwmutex m = {0};
    weft_rwmutex_runlock(&m);
}

static void bad_ticker(void *arg)
{
    (void)arg;
    weft_ticker_new(0);
}

static void sleep_on_nobody(void *arg)
{
    weft_set_name("reader");
    weft_chan_recv(arg, NULL);
}

static void deadlock(void *arg)
{
    (void)arg;
    struct weft_mutex m = {0};
    weft_go(sleep_on_nobody, weft_chan_new(0, 0));
    weft_yield();
    weft_mutex_lock(&m);
    weft_mutex_lock(&m);
}

static void *wait_in_a_thread(void *arg)
{
    weft_chan_recv(arg, NULL);
    return NULL;
}

/* A plain thread that waits itself wakes nobody. */
static void deadlock_with_a_thread(void *arg)
{
    pthread_t id;
    (void)arg;
    CHECK(pthread_create(&id, NULL, wait_in_a_thread, weft_chan_new(0, 0)) == 0);
    weft_chan_recv(weft_chan_new(0, 0), NULL);
}

/* The last one awake is one that has locked its thread. */
static void deadlock_of_a_locked_one(void *arg)
{
    CHECK(weft_lock_thread() == 0);
    weft_sleep(WEFT_MS);
    weft_chan_recv(arg, NULL);
}

static void nil_deadlock(void *arg)
{
    (void)arg;
    weft_select(NULL, 0, WEFT_FOREVER);
}

/* ---- waits that end by themselves, or by a signal: no deadlock ---- */

static void wait_in_poll(void *arg)
{
    int ends[2];
    (void)arg;
    CHECK(pipe(ends) == 0);
    alarm(1);
    weft_poll(ends[0], POLLIN, WEFT_FOREVER);
}

static void block(void *arg)
{
    (void)arg;
    usleep(200000);
}

static void wait_in_call(void *arg)
{
    (void)arg;
    weft_blocking(block, NULL);
}

static void wait_for_timer(void *arg)
{
    (void)arg;
    struct weft_chan *c = weft_after(200 * WEFT_MS);
    weft_chan_recv(c, NULL);
    weft_chan_release(c);
}

/* ---- the end of a stack, and other faults ---- */

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* The sanitizers report faults in their own words. */
#define OVERFLOW_TEXT "\"deep\" (stack of 64 KiB; see weft_options.stack_bytes)\n"

/* They also unwind the stack of a thread that exits in their own way. */
static void exit_thread(void *arg)
{
    weft_yield();
    pthread_exit(arg);
}

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

static void recurse_deeply(void *arg)
{
    (void)arg;
    recurse(1 << 20);
}

static void overflow(void *arg)
{
    weft_set_name("deep");
    recurse_deeply(arg);
}

static void overflow_of_another(void *arg)
{
    (void)arg;
    weft_go(overflow, NULL);
    weft_chan_recv(NULL, NULL);
}

static void overflow_of_a_small_one(void *arg)
{
    struct weft_task_options small = {.name = "shallow", .small_stack = 1};
    weft_go_with(&small, recurse_deeply, arg);
    weft_chan_recv(NULL, NULL);
}

static void null_dereference(void *arg)
{
    volatile int *nowhere = arg;
    *nowhere = 1;
}

static void sent_signal(void *arg)
{
    (void)arg;
    raise(SIGSEGV);
}

enum { NEIGHBOURS = 8, KEPT = 20000 };
static volatile unsigned char *kept[2 * NEIGHBOURS];
static _Atomic int parked;

static void neighbour(void *arg)
{
    volatile unsigned char bytes[KEPT];
    int number = *(int *)arg;
    for (int i = 0; i < KEPT; i++)
        bytes[i] = (unsigned char)(number + i);
    kept[number] = bytes;
    parked++;
    weft_chan_recv(NULL, NULL);
}

static void look_at_neighbours(int number)
{
    (void)number;
    int wrong = 0;
    for (int n = 0; n < 2 * NEIGHBOURS; n++) {
        for (int i = 0; i < KEPT; i++)
            wrong += kept[n][i] != (unsigned char)(n + i);
    }
    _exit(wrong == 0 ? 7 : 8);
}

static void begin_neighbours(int first)
{
    for (int i = first; i < first + NEIGHBOURS; i++)
        CHECK(weft_go_copy(neighbour, &i, sizeof i) == 0);
    while (parked < first + NEIGHBOURS)
        weft_yield();
}

static void overflow_at_the_end(void *arg)
{
    while (*(_Atomic int *)arg < 2 * NEIGHBOURS)
        weft_yield();
    recurse(1 << 20);
}

/* The program's own handler runs on the worker's stack for signals. */
static void neighbours_intact(void *arg)
{
    (void)arg;
    struct sigaction look = {.sa_handler = look_at_neighbours, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &look, NULL);
    begin_neighbours(0);
    CHECK(weft_go(overflow_at_the_end, &parked) == 0);
    weft_yield();
    begin_neighbours(NEIGHBOURS);
    weft_chan_recv(NULL, NULL);
}

#endif

#if defined(__SANITIZE_ADDRESS__)
/* A program that is ended where it stands has memory left. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}
#endif

struct expected {
    void (*fn)(void *);
    int status; /* negative: a signal */
    const char *texts[6];
};

static const struct expected cases[] = {
    {send_on_closed,
     -SIGABRT,
     {"weft: send on closed channel (task ", "): 0x", ", at misuse_send+0x",
      "; closed at misuse_close+0x"}},
    {closed_while_sending, -SIGABRT, {"weft: send on closed channel (task "}},
    {select_send_on_closed,
     -SIGABRT,
     {"weft: send on closed channel (task ", "): 0x", ", at ", "; closed at "}},
    {close_twice,
     -SIGABRT,
     {"weft: close of closed channel (task ", " \"closer\"): 0x", ", at misuse_close+0x",
      "; closed before at misuse_close_first+0x"}},
    {close_nil, -SIGABRT, {"weft: close of nil channel (task "}},
    {negative_group,
     -SIGABRT,
     {"weft: negative waitgroup count (task ", "): 0x", ", at misuse_done+0x"}},
    {unlock_free,
     -SIGABRT,
     {"weft: unlock of unlocked mutex (task ", "): 0x", ", at misuse_unlock+0x"}},
    {unlock_twice,
     -SIGABRT,
     {"weft: unlock of unlocked mutex (task ", " \"unlocker\"): 0x", ", at misuse_unlock+0x",
      "; unlocked before at misuse_unlock_first+0x"}},
    {unlock_free_rw, -SIGABRT, {"weft: unlock of unlocked rwmutex (task "}},
    {unlock_rw_twice,
     -SIGABRT,
     {"weft: unlock of unlocked rwmutex (task ", ", at misuse_unlock_rw+0x",
      "; unlocked before at misuse_unlock_rw_first+0x"}},
    {runlock_free, -SIGABRT, {"weft: runlock of rwmutex that is not read-locked (task "}},
    {bad_ticker, -SIGABRT, {"weft: non-positive interval for a ticker (task "}},
    {deadlock,
     2,
     {"weft: all tasks are asleep - deadlock!\n", " waiting [mutex lock", " (main task)\n",
      " \"reader\" waiting [chan receive"}},
    {deadlock_with_a_thread, 2, {"weft: all tasks are asleep - deadlock!\n"}},
    {deadlock_of_a_locked_one,
     2,
     {"weft: all tasks are asleep - deadlock!\n", ", thread locked (main task)\n"}},
    {nil_deadlock, 2, {"weft: all tasks are asleep - deadlock!\n", " waiting [select (no cases)"}},
    {wait_in_call, 0, {NULL}},
    {wait_for_timer, 0, {NULL}},
    {wait_in_poll, -SIGALRM, {NULL}},
#ifdef OVERFLOW_TEXT
    {exit_thread, -SIGABRT, {"weft: a thread of the runtime was ended: pthread_exit"}},
    {overflow, -SIGSEGV, {"weft: stack overflow in task ", OVERFLOW_TEXT}},
    {overflow_of_another, -SIGSEGV, {"weft: stack overflow in task ", OVERFLOW_TEXT}},
    {overflow_of_a_small_one,
     -SIGSEGV,
     {"weft: stack overflow in task ", "\"shallow\" (stack of the small class"}},
    {null_dereference, -SIGSEGV, {NULL}},
    {sent_signal, -SIGSEGV, {NULL}},
    {neighbours_intact, 7, {NULL}},
#endif
};

/* The program again, as `misuse_test NUMBER WORKERS`: it becomes one case. */
static void child(unsigned number, unsigned workers, int fd)
{
    char first[16], second[16];
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    dup2(fd, STDERR_FILENO);
    snprintf(first, sizeof first, "%u", number);
    snprintf(second, sizeof second, "%u", workers);
    execl("/proc/self/exe", "misuse_test", first, second, (char *)NULL);
    _exit(127);
}

static void run_case(unsigned number, unsigned workers)
{
    const struct expected *e = &cases[number];
    int fds[2], status;
    char text[4096];
    size_t size = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0)
        child(number, workers, fds[1]);
    close(fds[1]);
    ssize_t n;
    while ((n = read(fds[0], text + size, sizeof text - 1 - size)) > 0)
        size += (size_t)n;
    text[size] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (e->status < 0)
        assert_int_equal(WIFSIGNALED(status) ? -WTERMSIG(status) : 0, e->status);
    else
        assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, e->status);
    if (!e->texts[0])
        assert_string_equal(text, "");
    for (int i = 0; e->texts[i]; i++) {
        if (!strstr(text, e->texts[i]))
            fail_msg("\"%s\" is not in \"%s\"", e->texts[i], text);
    }
}

static void all_cases(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_case(i, 1);
        run_case(i, 3);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        struct weft_options options = {.workers = (unsigned)atoi(argv[2])};
        weft_run_with(&options, cases[atoi(argv[1])].fn, NULL);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
