/* Deadlines: Go's SetDeadline, SetReadDeadline, SetWriteDeadline. */
#include "runtime/io/sockets_test.h"

#include <pthread.h>

#define HOUR (3600 * WEFT_S)

static _Atomic int entered;

static void read_late(void *arg)
{
    char c;
    entered++;
    CHECK(weft_read(TO_FD(arg), &c, 1) == -ETIMEDOUT);
}

static void read_one(void *arg)
{
    char c;
    entered++;
    CHECK(weft_read(TO_FD(arg), &c, 1) == 1 && c == 'x');
}

static void start(struct weft_waitgroup *wg, void (*fn)(void *), int fd)
{
    entered = 0;
    CHECK(weft_waitgroup_go(wg, fn, TO_ARG(fd)) == 0);
    test_await(&entered, 1);
}

static void both_kinds(void (*fn)(int fd, int peer))
{
    int fds[2];
    test_pair(SOCK_STREAM, fds);
    fn(fds[0], fds[1]);
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
    test_connection(fds);
    fn(fds[0], fds[1]);
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
}

static void comes_while_waiting(int fd, int peer)
{
    struct weft_waitgroup wg = {0};
    (void)peer;
    CHECK(weft_set_read_deadline(fd, weft_now() + 2 * WEFT_MS) == 0);
    start(&wg, read_late, fd);
    weft_waitgroup_wait(&wg);
    CHECK(weft_now() > 0);
}

static void set_while_waiting(int fd, int peer)
{
    struct weft_waitgroup wg = {0};
    (void)peer;
    start(&wg, read_late, fd);
    CHECK(weft_set_read_deadline(fd, weft_now() + WEFT_MS) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(weft_set_deadline(fd, 0) == 0);
    start(&wg, read_late, fd);
    CHECK(weft_set_deadline(fd, 1) == 0); /* long past */
    weft_waitgroup_wait(&wg);
    CHECK(weft_set_deadline(fd, weft_now() + HOUR) == 0);
    start(&wg, read_late, fd);
    CHECK(weft_set_deadline(fd, weft_now()) == 0); /* earlier than it was */
    weft_waitgroup_wait(&wg);
}

static void cleared_while_waiting(int fd, int peer)
{
    struct weft_waitgroup wg = {0};
    CHECK(weft_set_read_deadline(fd, weft_now() + HOUR) == 0);
    start(&wg, read_one, fd);
    CHECK(weft_set_read_deadline(fd, 0) == 0);
    CHECK(write(peer, "x", 1) == 1);
    weft_waitgroup_wait(&wg);
}

static void past(int fd, int peer)
{
    char c;
    CHECK(write(peer, "x", 1) == 1);
    CHECK(weft_set_read_deadline(fd, weft_now()) == 0);
    CHECK(weft_read(fd, &c, 1) == -ETIMEDOUT); /* although there is something */
    CHECK(weft_write(fd, "y", 1) == 1);
    CHECK(weft_set_write_deadline(fd, weft_now()) == 0);
    CHECK(weft_write(fd, "y", 1) == -ETIMEDOUT);
    CHECK(weft_set_deadline(fd, 0) == 0);
    CHECK(weft_read(fd, &c, 1) == 1 && c == 'x');
    CHECK(weft_write(fd, "y", 1) == 1);
}

static void writer(int fd, int peer)
{
    static char data[8 << 20];
    CHECK(weft_set_write_deadline(fd, weft_now() + 2 * WEFT_MS) == 0);
    CHECK(weft_write(fd, data, sizeof data) == -ETIMEDOUT);
    char c;
    CHECK(write(peer, "x", 1) == 1);
    CHECK(weft_read(fd, &c, 1) == 1); /* the other direction has none */
}

TASK_TEST(deadline_comes_while_waiting)
{
    both_kinds(comes_while_waiting);
}

TASK_TEST(deadline_set_while_waiting)
{
    both_kinds(set_while_waiting);
}

TASK_TEST(deadline_cleared_while_waiting)
{
    both_kinds(cleared_while_waiting);
}

TASK_TEST(deadline_past)
{
    both_kinds(past);
}

TASK_TEST(deadline_of_a_writer)
{
    both_kinds(writer);
}

static void *set_from_thread(void *arg)
{
    char c;
    int fd = TO_FD(arg);
    CHECK(weft_set_read_deadline(fd, weft_now()) == 0);
    CHECK(weft_read(fd, &c, 1) == -ETIMEDOUT);
    return NULL;
}

static void join(void *arg)
{
    pthread_t *thread = arg;
    CHECK(pthread_join(*thread, NULL) == 0);
}

TASK_TEST(deadline_from_a_thread)
{
    struct weft_waitgroup wg = {0};
    pthread_t thread;
    int fds[2];
    test_connection(fds);
    start(&wg, read_late, fds[0]);
    CHECK(pthread_create(&thread, NULL, set_from_thread, TO_ARG(fds[0])) == 0);
    CHECK(weft_blocking(join, &thread) == 0);
    weft_waitgroup_wait(&wg);
    weft_close(fds[0]);
    close(fds[1]);
}

TASK_TEST(deadline_of_accept_and_connect)
{
    struct sockaddr_in address;
    int listener = test_listen(&address, 0), fds[16], r = 0;
    CHECK(weft_set_deadline(listener, weft_now() + WEFT_MS) == 0);
    CHECK(weft_accept(listener, NULL, NULL) == -ETIMEDOUT);
    /* The backlog takes one or two; who comes later gets no answer. */
    for (int i = 0; i < 16; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(weft_set_write_deadline(fds[i], weft_now() + 20 * WEFT_MS) == 0);
        if (r == 0)
            r = weft_connect(fds[i], (struct sockaddr *)&address, sizeof address);
    }
    CHECK(r == -ETIMEDOUT);
    for (int i = 0; i < 16; i++)
        CHECK(weft_close(fds[i]) == 0);
    CHECK(weft_close(listener) == 0);
}

TASK_TEST(deadline_ends_with_close)
{
    int fds[2], other[2];
    char c;
    test_pair(SOCK_STREAM, fds);
    CHECK(weft_set_deadline(fds[0], 1) == 0);
    CHECK(weft_close(fds[0]) == 0);
    CHECK(weft_set_deadline(fds[0], 1) == -EBADF);
    CHECK(weft_set_deadline(-1, 1) == -EBADF);
    test_pair(SOCK_STREAM, other);
    CHECK(other[0] == fds[0] && write(other[1], "x", 1) == 1);
    CHECK(weft_read(other[0], &c, 1) == 1);
    weft_close(other[0]);
    close(other[1]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_comes_while_waiting),
        cmocka_unit_test(deadline_set_while_waiting),
        cmocka_unit_test(deadline_cleared_while_waiting),
        cmocka_unit_test(deadline_past),
        cmocka_unit_test(deadline_of_a_writer),
        cmocka_unit_test(deadline_from_a_thread),
        cmocka_unit_test(deadline_of_accept_and_connect),
        cmocka_unit_test(deadline_ends_with_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
