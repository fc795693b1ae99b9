/*
 * Where the kernel lacks what newer ones have, which this test takes away: guards that need no
 * mapping, advice for many pages at once, writes without SIGPIPE, reads and writes that do not
 * wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/ending.h"

enum { GUARD_INSTALL = 102, NO_SIGNAL = 0x100, PARKED = 40000, MAPPINGS = 100 };

static bool no_nowait; /* older still */

/* The linker puts these in the place of libc's: see CMakeLists.txt. */
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice)
{
    if (advice == GUARD_INSTALL) {
        errno = EINVAL;
        return -1;
    }
    return __real_madvise(at, size, advice);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_process_madvise) {
        errno = ENOSYS;
        return -1;
    }
    return __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

ssize_t __real_pwritev2(int fd, const struct iovec *v, int count, off_t at, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *v, int count, off_t at, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *v, int count, off_t at, int flags)
{
    if ((flags & NO_SIGNAL) || (no_nowait && (flags & RWF_NOWAIT))) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_pwritev2(fd, v, count, at, flags);
}

ssize_t __real_preadv2(int fd, const struct iovec *v, int count, off_t at, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *v, int count, off_t at, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *v, int count, off_t at, int flags)
{
    if (no_nowait && (flags & RWF_NOWAIT)) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_preadv2(fd, v, count, at, flags);
}

/* ---- stacks ---- */

static _Atomic int parked;

static void park(void *arg)
{
    parked++;
    weft_chan_recv(arg, NULL);
}

/* More than vm.max_map_count has room for guards: the rest go without, and the process can still
 * map. */
TASK_TEST(more_tasks_than_guards)
{
    struct weft_waitgroup wg = {0};
    struct weft_chan *c = weft_chan_new(0, 0);
    parked = 0;
    for (int i = 0; i < PARKED; i++)
        CHECK(weft_waitgroup_go(&wg, park, c) == 0);
    while (parked < PARKED)
        weft_yield();
    for (int i = 0; i < MAPPINGS; i++) {
        int access = i % 2 ? PROT_READ : PROT_NONE; /* those side by side are not one */
        void *at = mmap(NULL, 4096, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(at != MAP_FAILED);
    }
    weft_chan_close(c);
    weft_waitgroup_wait(&wg);
    weft_chan_release(c);
}

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

static void overflow(void *arg)
{
    (void)arg;
    weft_set_name("deep");
    recurse(1 << 20);
}

static const struct ending cases[] = {
    {overflow, -SIGSEGV, {"weft: stack overflow in task ", "\"deep\""}},
};

static void an_overflow_is_told(void **state)
{
    (void)state;
    run_endings(cases, 1);
}

/* ---- pipes and files ---- */

static bool pipe_signal_pends(void)
{
    sigset_t set;
    CHECK(sigpending(&set) == 0);
    return sigismember(&set, SIGPIPE);
}

/* Sent by somebody else, before the write: it stays. */
static void keep_another_signal(void)
{
    sigset_t pipe;
    int ends[2], number;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    CHECK(pthread_kill(pthread_self(), SIGPIPE) == 0 && pipe2(ends, O_CLOEXEC) == 0);
    CHECK(close(ends[0]) == 0 && weft_write(ends[1], "x", 1) == -EPIPE);
    CHECK(pipe_signal_pends() && sigwait(&pipe, &number) == 0);
    CHECK(weft_close(ends[1]) == 0);
}

static void break_pipes(void *arg)
{
    int ends[2];
    if (*(bool *)arg)
        keep_another_signal();
    for (int i = 0; i < 3; i++) {
        CHECK(pipe2(ends, O_CLOEXEC) == 0 && weft_write(ends[1], "x", 1) == 1);
        CHECK(close(ends[0]) == 0);
        CHECK(weft_write(ends[1], "x", 1) == -EPIPE && !pipe_signal_pends());
        CHECK(weft_close(ends[1]) == 0);
    }
}

/* Neither kills a program that has not asked for it, nor lies in wait for one that blocks it. */
static void no_pipe_signal(void **state)
{
    struct weft_options one = {.workers = 1};
    sigset_t pipe, before;
    (void)state;
    for (int i = 0; i < 4; i++) {
        no_nowait = i >= 2;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        bool blocked = i % 2;
        pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &pipe, &before);
        assert_int_equal(weft_run_with(&one, break_pipes, &blocked), 0);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    no_nowait = false;
}

static void write_later(void *arg)
{
    weft_sleep(WEFT_MS);
    CHECK(weft_write(*(int *)arg, "later", 5) == 5);
}

TASK_TEST(reads_and_writes_that_wait)
{
    struct weft_waitgroup wg = {0};
    char path[] = "/tmp/weft-older-kernel-XXXXXX", buffer[8];
    int ends[2], file = mkstemp(path);
    no_nowait = true;
    CHECK(file >= 0 && unlink(path) == 0 && pipe2(ends, O_CLOEXEC) == 0);
    CHECK(weft_waitgroup_go(&wg, write_later, &ends[1]) == 0);
    CHECK(weft_read(ends[0], buffer, sizeof buffer) == 5);
    CHECK(fcntl(ends[0], F_GETFL) & O_NONBLOCK); /* a wait in read(2) would keep the thread */
    weft_waitgroup_wait(&wg);
    CHECK(weft_write(file, "abc", 3) == 3 && weft_pwrite(file, "d", 1, 3) == 1);
    CHECK(weft_pread(file, buffer, sizeof buffer, 0) == 4 && memcmp(buffer, "abcd", 4) == 0);
    CHECK(lseek(file, 1, SEEK_SET) == 1 && weft_read(file, buffer, sizeof buffer) == 3);
    CHECK(weft_close(file) == 0 && weft_close(ends[0]) == 0 && weft_close(ends[1]) == 0);
    no_nowait = false;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overflow_is_told),
        cmocka_unit_test(more_tasks_than_guards),
        cmocka_unit_test(no_pipe_signal),
        cmocka_unit_test(reads_and_writes_that_wait),
    };
    become_ending(argc, argv, cases);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
