/* A descriptor is closed beside calls that use it, and its number is used anew at once: they never
 * touch what has the number then. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/test/check.h"

enum { ROUNDS = 600, PIPE_ROOM = 4096 };

struct call {
    int fd;
    struct weft_waitgroup wg;
    ssize_t result;
    char bytes[2 * PIPE_ROOM];
};

static void make_pipe(int fds[2])
{
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
}

static void close_both(const int fds[2])
{
    CHECK(weft_close(fds[0]) == 0 && weft_close(fds[1]) == 0);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Some rounds let the waiting tasks be woken; with one worker they have not had their turn then. */
static void yields(int round)
{
    struct weft_stats stats = {.tasks_waiting = 1};
    for (int i = round % 2 ? 100 : round / 2 % 4; i > 0 && stats.tasks_waiting != 0; i--) {
        weft_yield();
        CHECK(weft_stats(&stats) == 0);
    }
}

/* ---- the number is another's at once ---- */

static void read_one(void *arg)
{
    struct call *c = arg;
    c->result = weft_read(c->fd, c->bytes, 1);
}

static void poll_and_read(void *arg)
{
    struct call *c = arg;
    c->result = weft_poll(c->fd, POLLIN, 60 * WEFT_S);
    if (c->result == POLLIN)
        c->result = 0;
}

/* The reader is woken, has not had its turn, and the number is another pipe's. */
static void reuse_beside_reader(void (*reader)(void *), int round)
{
    struct call c = {0};
    int old[2], new[2];
    make_pipe(old);
    c.fd = old[0];
    CHECK(weft_waitgroup_go(&c.wg, reader, &c) == 0);
    await_waiting(1);
    CHECK(write(old[1], "a", 1) == 1);
    yields(round);
    CHECK(weft_close(old[0]) == 0);
    make_pipe(new);
    CHECK(new[0] == old[0]);
    CHECK(write(new[1], "b", 1) == 1);
    weft_waitgroup_wait(&c.wg);
    CHECK(c.result == -EBADF || c.result == 0 || (c.result == 1 && c.bytes[0] == 'a'));
    CHECK(weft_read(new[0], c.bytes, 1) == 1 && c.bytes[0] == 'b');
    close_both(new);
    CHECK(weft_close(old[1]) == 0);
}

TASK_TEST(reader_never_reads_anothers)
{
    for (int i = 0; i < ROUNDS; i++)
        reuse_beside_reader(i % 5 == 4 ? poll_and_read : read_one, i);
}

/* One byte wakes both; who finds nothing would wait again for what is being closed. */
TASK_TEST(woken_in_vain)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct call c[2] = {{0}, {0}};
        int fds[2];
        make_pipe(fds);
        for (int k = 0; k < 2; k++) {
            c[k].fd = fds[0];
            CHECK(weft_waitgroup_go(&c[k].wg, read_one, &c[k]) == 0);
        }
        await_waiting(2);
        CHECK(write(fds[1], "a", 1) == 1);
        yields(i);
        CHECK(weft_close(fds[0]) == 0);
        for (int k = 0; k < 2; k++)
            weft_waitgroup_wait(&c[k].wg);
        CHECK(c[0].result == -EBADF || c[1].result == -EBADF);
        CHECK(weft_close(fds[1]) == 0);
    }
}

static void write_more_than_fits(void *arg)
{
    struct call *c = arg;
    c->result = weft_write(c->fd, c->bytes, sizeof c->bytes);
}

/* As much as a pipe of one page holds. */
static void drain(int fd, size_t size)
{
    char bytes[PIPE_ROOM];
    for (ssize_t n; size > 0; size -= (size_t)n)
        CHECK((n = read(fd, bytes, size)) > 0);
}

/* What the writer has left never lands in another's pipe. */
static void reuse_beside_writer(int round)
{
    struct call c = {0};
    struct pollfd p = {.events = POLLIN};
    int old[2], new[2];
    make_pipe(old);
    CHECK(fcntl(old[1], F_SETPIPE_SZ, PIPE_ROOM) == PIPE_ROOM);
    c.fd = old[1];
    CHECK(weft_waitgroup_go(&c.wg, write_more_than_fits, &c) == 0);
    await_waiting(1);
    make_pipe(new);
    drain(old[0], PIPE_ROOM);
    yields(round);
    CHECK(weft_close(old[1]) == 0);
    int number = fcntl(new[1], F_DUPFD_CLOEXEC, 0);
    CHECK(number == old[1]);
    weft_waitgroup_wait(&c.wg);
    CHECK(c.result == -EBADF || c.result == (ssize_t)sizeof c.bytes);
    p.fd = new[0];
    CHECK(poll(&p, 1, 0) == 0);
    CHECK(weft_close(number) == 0);
    close_both(new);
    CHECK(weft_close(old[0]) == 0);
}

TASK_TEST(writer_never_writes_to_anothers)
{
    for (int i = 0; i < ROUNDS; i++)
        reuse_beside_writer(i);
}

/* ---- closing twice ---- */

#ifdef __SANITIZE_THREAD__
/* Two closes that meet: one may ask the kernel while the other still is in close(2). */
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void)
{
    return "race:close_it\n";
}
#endif

static void close_it(void *arg)
{
    struct call *c = arg;
    ssize_t r = weft_close(c->fd);
    CHECK(r == 0 || r == -EBADF);
    __atomic_fetch_add(&c->result, r == 0, __ATOMIC_RELAXED);
}

TASK_TEST(one_close_wins)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct call c = {0}, reader = {0};
        int fds[2];
        make_pipe(fds);
        c.fd = reader.fd = fds[0];
        if (i % 2) {
            CHECK(weft_waitgroup_go(&reader.wg, read_one, &reader) == 0);
            await_waiting(1);
            CHECK(write(fds[1], "a", 1) == 1); /* a close waits for the reader's turn */
        }
        for (int k = 0; k < 3; k++)
            CHECK(weft_waitgroup_go(&c.wg, close_it, &c) == 0);
        weft_waitgroup_wait(&c.wg);
        weft_waitgroup_wait(&reader.wg);
        CHECK(c.result == 1 && !is_open(fds[0]));
        CHECK(weft_close(fds[1]) == 0);
    }
}

/* ---- beside a call that blocks its thread ---- */

static _Atomic int held; /* the descriptor whose reads block; -1: none */
static _Atomic bool inside, let_go;

ssize_t preadv2(int fd, const struct iovec *v, int count, off_t offset, int flags)
{
    if (fd == held) {
        errno = EAGAIN;
        return -1;
    }
    return syscall(SYS_preadv2, fd, v, count, offset, offset >> 32, flags);
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    if (fd == held) {
        inside = true;
        while (!let_go)
            usleep(100);
    }
    return syscall(SYS_pread64, fd, buffer, size, offset);
}

static void read_first_byte(void *arg)
{
    struct call *c = arg;
    c->result = weft_pread(c->fd, c->bytes, 1, 0);
}

static void begin_held_read(struct call *c)
{
    CHECK(c->fd >= 0);
    inside = let_go = false;
    held = c->fd;
    CHECK(weft_waitgroup_go(&c->wg, read_first_byte, c) == 0);
    while (!inside)
        weft_yield();
}

static void end_held_read(struct call *c)
{
    let_go = true;
    weft_waitgroup_wait(&c->wg);
    CHECK(c->result == 1 && c->bytes[0] == 0x7f);
    held = -1;
}

TASK_TEST(blocked_call_keeps_the_number)
{
    struct call c = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    char byte;
    begin_held_read(&c);
    CHECK(weft_close(c.fd) == 0); /* at once */
    CHECK(is_open(c.fd));         /* nobody else gets the number */
    CHECK(weft_read(c.fd, &byte, 1) == -EBADF);
    CHECK(weft_pread(c.fd, &byte, 1, 0) == -EBADF);
    CHECK(weft_poll(c.fd, POLLIN, 0) == -EBADF);
    CHECK(weft_set_deadline(c.fd, 0) == -EBADF);
    CHECK(weft_close(c.fd) == -EBADF);
    end_held_read(&c);
    CHECK(!is_open(c.fd));
}

/* ---- beside plain threads ---- */

static void *read_in_thread(void *arg)
{
    struct call *c = arg;
    inside = true;
    c->result = weft_read(c->fd, c->bytes, 1);
    return NULL;
}

TASK_TEST(thread_is_told)
{
    struct call c = {0};
    pthread_t thread;
    int fds[2];
    make_pipe(fds);
    c.fd = fds[0];
    inside = false;
    CHECK(pthread_create(&thread, NULL, read_in_thread, &c) == 0);
    while (!inside)
        weft_yield();
    CHECK(weft_close(fds[0]) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(c.result == -EBADF && !is_open(fds[0]));
    CHECK(weft_close(fds[1]) == 0);
}

/* ---- runs end beside calls ---- */

static void read_and_stay(void *arg)
{
    char byte;
    weft_read(*(int *)arg, &byte, 1);
    CHECK(!"a task goes on after its run");
}

static void leave_readers(void *arg)
{
    for (int i = 0; i < 3; i++)
        CHECK(weft_go(read_and_stay, arg) == 0);
    await_waiting(3);
}

static void close_in_task(void *arg)
{
    CHECK(weft_close(*(int *)arg) == 0);
}

static void run_ends_beside_readers(void **state)
{
    int fds[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        make_pipe(fds);
        run_all(leave_readers, &fds[0]);
        if (i == 0)
            CHECK(weft_close(fds[0]) == 0);
        else
            CHECK(weft_run(close_in_task, &fds[0]) == 0);
        CHECK(!is_open(fds[0]) && weft_close(fds[1]) == 0);
    }
}

static void leave_a_close(void *arg)
{
    struct call *c = arg;
    begin_held_read(c);
    CHECK(weft_close(c->fd) == 0);
}

/* The call that was to close it at its end is one of a task that never goes on. */
static void run_ends_beside_a_close(void **state)
{
    struct call c = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    (void)state;
    CHECK(weft_run(leave_a_close, &c) == 0);
    CHECK(!is_open(c.fd));
    let_go = true;
    held = -1;
}

/* Calls of other threads, which it does not have, are in nobody's way there. */
TASK_TEST(child_closes_its_own)
{
    struct call c = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
    int status;
    begin_held_read(&c);
    pid_t pid = fork();
    if (pid == 0)
        _exit(weft_close(c.fd) == 0 && !is_open(c.fd) ? 7 : 1);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    end_held_read(&c);
    CHECK(is_open(c.fd) && weft_close(c.fd) == 0);
}

int main(void)
{
    held = -1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_never_reads_anothers),
        cmocka_unit_test(woken_in_vain),
        cmocka_unit_test(writer_never_writes_to_anothers),
        cmocka_unit_test(one_close_wins),
        cmocka_unit_test(blocked_call_keeps_the_number),
        cmocka_unit_test(thread_is_told),
        cmocka_unit_test(run_ends_beside_readers),
        cmocka_unit_test(run_ends_beside_a_close),
        cmocka_unit_test(child_closes_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
