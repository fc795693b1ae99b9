/* Descriptors: tasks wait for them, threads do not. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "runtime/test/check.h"

enum { CLIENTS = 20, ROUNDS = 50 };

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[512];
    ssize_t n;
    while ((n = weft_read(fd, buffer, sizeof buffer)) > 0)
        CHECK(weft_write(fd, buffer, (size_t)n) == n);
    CHECK(n == 0);
    CHECK(weft_close(fd) == 0);
}

static void talk(int fd)
{
    for (int i = 0; i < ROUNDS; i++) {
        char out[64], in[64];
        int n = snprintf(out, sizeof out, "message %d of %d", i, fd);
        CHECK(weft_write(fd, out, (size_t)n) == n);
        for (ssize_t got = 0; got < n;) {
            ssize_t r = weft_read(fd, in + got, sizeof in - (size_t)got);
            CHECK(r > 0);
            got += r;
        }
        CHECK(memcmp(in, out, (size_t)n) == 0);
    }
    CHECK(weft_close(fd) == 0);
}

static void pair_client(void *arg)
{
    talk((int)(intptr_t)arg);
}

TASK_TEST(echo_over_socketpairs)
{
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < CLIENTS; i++) {
        int fds[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
        weft_waitgroup_go(&wg, echo, (void *)(intptr_t)fds[0]);
        weft_waitgroup_go(&wg, pair_client, (void *)(intptr_t)fds[1]);
    }
    weft_waitgroup_wait(&wg);
}

static struct sockaddr_in address;

static void tcp_client(void *arg)
{
    (void)arg;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    CHECK(weft_connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    talk(fd);
}

static int listen_on_loopback(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t length = sizeof address;
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(fd, CLIENTS) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    return fd;
}

TASK_TEST(echo_over_tcp)
{
    struct weft_waitgroup wg = {0};
    int listener = listen_on_loopback();
    for (int i = 0; i < CLIENTS; i++)
        weft_waitgroup_go(&wg, tcp_client, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        int fd = weft_accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        weft_waitgroup_go(&wg, echo, (void *)(intptr_t)fd);
    }
    weft_waitgroup_wait(&wg);
    CHECK(weft_close(listener) == 0);
}

TASK_TEST(connection_refused)
{
    int listener = listen_on_loopback();
    close(listener);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(weft_connect(fd, (struct sockaddr *)&address, sizeof address) == -ECONNREFUSED);
    close(fd);
}

enum { PIPE_BYTES = 1 << 20 };

static void fill_pipe(void *arg)
{
    int fd = (int)(intptr_t)arg;
    static char data[PIPE_BYTES];
    for (int i = 0; i < PIPE_BYTES; i++)
        data[i] = (char)(i * 31 >> 5);
    CHECK(weft_write(fd, data, sizeof data) == PIPE_BYTES);
    CHECK(weft_close(fd) == 0);
}

/* More than a pipe holds: both sides wait in turn. */
TASK_TEST(pipes)
{
    int fds[2];
    char buffer[3000];
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    weft_go(fill_pipe, (void *)(intptr_t)fds[1]);
    long total = 0;
    ssize_t n;
    while ((n = weft_read(fds[0], buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            CHECK(buffer[i] == (char)((total + i) * 31 >> 5));
        total += n;
    }
    CHECK(n == 0 && total == PIPE_BYTES);
    weft_close(fds[0]);
}

TASK_TEST(poll_with_a_limit)
{
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    int64_t before = weft_now();
    CHECK(weft_poll(fds[0], POLLIN, 3 * WEFT_MS) == 0);
    CHECK(weft_now() - before >= 3 * WEFT_MS);
    CHECK(weft_poll(fds[0], POLLIN, 0) == 0);
    CHECK(weft_poll(fds[1], POLLOUT, WEFT_FOREVER) == POLLOUT);
    CHECK(write(fds[1], "x", 1) == 1);
    CHECK(weft_poll(fds[0], POLLIN, WEFT_S) == POLLIN);
    CHECK(weft_read(fds[0], &before, 1) == 1);
    close(fds[1]);
    CHECK(weft_poll(fds[0], POLLIN, WEFT_FOREVER) == POLLHUP);
    close(fds[0]);
    CHECK(weft_poll(fds[0], POLLIN, 0) == -EBADF);
}

static void read_until_closed(void *arg)
{
    char c;
    CHECK(weft_read((int)(intptr_t)arg, &c, 1) == -EBADF);
}

static _Atomic int entered;

static void enter_and_read(void *arg)
{
    entered = 1;
    read_until_closed(arg);
}

static void close_beside_a_read(void)
{
    struct weft_waitgroup wg = {0};
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    entered = 0;
    weft_waitgroup_go(&wg, enter_and_read, (void *)(intptr_t)fds[0]);
    while (!entered)
        weft_yield();
    weft_yield();
    CHECK(weft_close(fds[0]) == 0);
    weft_waitgroup_wait(&wg);
    close(fds[1]);
}

TASK_TEST(close_ends_waits)
{
    for (int i = 0; i < 500; i++)
        close_beside_a_read();
}

/* Not sockets, not pipes, and not open. */
TASK_TEST(other_descriptors)
{
    char c;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && weft_read(fd, &c, 1) == 1 && c == 0x7f);
    CHECK(weft_write(fd, &c, 1) == -EBADF);
    CHECK(weft_close(fd) == 0);
    CHECK(weft_close(fd) == -EBADF);
    CHECK(weft_read(fd, &c, 1) == -EBADF);
    CHECK(weft_accept(-1, NULL, NULL) == -EBADF);
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    close(fds[0]);
    CHECK(weft_write(fds[1], "x", 1) == -EPIPE);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_over_socketpairs), cmocka_unit_test(echo_over_tcp),
        cmocka_unit_test(connection_refused),    cmocka_unit_test(pipes),
        cmocka_unit_test(poll_with_a_limit),     cmocka_unit_test(close_ends_waits),
        cmocka_unit_test(other_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
