/* Connections as servers have them, and numbers that are closed and used anew behind Weft's back.
 */
#include "runtime/io/sockets_test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

static _Atomic int entered;

static void wait_for_x(void *arg)
{
    char c = 0;
    entered++;
    CHECK(weft_read(TO_FD(arg), &c, 1) == 1 && c == 'x');
}

/* Reads until nothing is left, so that it is known that there is nothing. */
static void drain(int fd, int peer)
{
    char buffer[64];
    struct weft_waitgroup wg = {0};
    entered = 0;
    CHECK(weft_waitgroup_go(&wg, wait_for_x, TO_ARG(fd)) == 0);
    test_await(&entered, 1);
    CHECK(write(peer, "xyz", 3) == 3);
    weft_waitgroup_wait(&wg);
    CHECK(weft_read(fd, buffer, sizeof buffer) == 2);
}

/* Whatever a program does with a number, nobody waits for good. What was learnt of it lasts for the
 * process, so each of these has one of its own. */
static void in_child(void (*fn)(void *))
{
    pid_t pid = fork();
    if (pid == 0) {
        run_all(fn, NULL);
        _exit(0);
    }
    int status;
    assert_true(pid > 0 && waitpid(pid, &status, 0) == pid);
    assert_int_equal(status, 0);
}

static void taken_over(int fd, int with, int peer)
{
    struct weft_waitgroup wg = {0};
    CHECK(dup2(with, fd) == fd && close(with) == 0);
    entered = 0;
    CHECK(weft_waitgroup_go(&wg, wait_for_x, TO_ARG(fd)) == 0);
    test_await(&entered, 1);
    CHECK(write(peer, "x", 1) == 1);
    weft_waitgroup_wait(&wg);
    CHECK(weft_close(fd) == 0 && close(peer) == 0);
}

static void dup2_over(void *arg)
{
    (void)arg;
    int fds[2], other[2];
    test_connection(fds);
    drain(fds[0], fds[1]);
    test_pair(SOCK_STREAM, other);
    taken_over(fds[0], other[0], other[1]);
    close(fds[1]);
}

static void plain_close(void *arg)
{
    (void)arg;
    int fds[2], other[2];
    test_connection(fds);
    drain(fds[0], fds[1]);
    CHECK(pipe2(other, O_CLOEXEC) == 0);
    CHECK(close(fds[0]) == 0);
    taken_over(fds[0], other[0], other[1]);
    close(fds[1]);
}

static void file_in_its_place(void *arg)
{
    (void)arg;
    int fds[2];
    char c;
    test_connection(fds);
    drain(fds[0], fds[1]);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    CHECK(dup2(file, fds[0]) == fds[0] && close(file) == 0);
    CHECK(weft_read(fds[0], &c, 1) == 1 && c == 0x7f);
    CHECK(weft_close(fds[0]) == 0);
    close(fds[1]);
}

static void write_in_its_place(void *arg)
{
    (void)arg;
    static char data[1 << 20];
    int fds[2], other[2];
    test_connection(fds);
    drain(fds[0], fds[1]);
    test_pair(SOCK_STREAM, other);
    CHECK(dup2(other[0], fds[0]) == fds[0] && close(other[0]) == 0);
    CHECK(weft_set_write_deadline(fds[0], weft_now() + WEFT_MS) == 0);
    CHECK(weft_write(fds[0], data, sizeof data) == -ETIMEDOUT);
    close(fds[1]);
    close(other[1]);
    CHECK(weft_close(fds[0]) == 0);
}

#define CHILD_TEST(name)                                                                           \
    static void test_##name(void **state)                                                          \
    {                                                                                              \
        (void)state;                                                                               \
        in_child(name);                                                                            \
    }
CHILD_TEST(dup2_over)
CHILD_TEST(plain_close)
CHILD_TEST(file_in_its_place)
CHILD_TEST(write_in_its_place)

/* By weft_close and a connection that gets the number again; at once and right. */
TASK_TEST(numbers_come_again)
{
    for (int i = 0; i < 200; i++) {
        int fds[2];
        test_connection(fds);
        drain(fds[0], fds[1]);
        CHECK((i % 2 ? close : weft_close)(fds[0]) == 0);
        close(fds[1]);
    }
}

/* A second look is not a wait: Unix sockets end a read where something was sent along, and messages
 * are read one by one. */
static void read_two(int fd)
{
    char buffer[64];
    CHECK(weft_read(fd, buffer, sizeof buffer) == 1 && buffer[0] == 'a');
    uint64_t before = test_parks();
    CHECK(weft_read(fd, buffer, sizeof buffer) == 1 && buffer[0] == 'b');
    CHECK(weft_workers() > 1 || test_parks() == before);
}

static void send_along(int fd, int sent)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {(void *)(uintptr_t) "a", 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &sent, sizeof sent);
    CHECK(sendmsg(fd, &m, 0) == 1);
}

static void unix_connection(int type, int fds[2])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "weft-test-%d-%d", getpid(), type);
    int listener = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    fds[1] = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(connect(fds[1], (struct sockaddr *)&address, sizeof address) == 0);
    fds[0] = weft_accept(listener, NULL, NULL);
    CHECK(fds[0] >= 0 && weft_close(listener) == 0);
}

/* ---- a full queue of connections: what a Unix socket has no event for ---- */

enum { CALLERS = 12 };

static struct {
    struct sockaddr_un address;
    _Atomic int connected, ended;
} queue;

static int full_listener(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    queue.address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(queue.address.sun_path + 1, sizeof queue.address.sun_path - 1, "weft-queue-%d",
             getpid());
    CHECK(bind(fd, (struct sockaddr *)&queue.address, sizeof queue.address) == 0);
    CHECK(listen(fd, 1) == 0);
    return fd;
}

static int connect_to_it(int fd)
{
    return weft_connect(fd, (struct sockaddr *)&queue.address, sizeof queue.address);
}

static void call_it(void *arg)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)arg;
    CHECK(connect_to_it(fd) == 0);
    queue.connected++;
    weft_close(fd);
}

static void *call_from_a_thread(void *arg)
{
    call_it(arg);
    return NULL;
}

static void call_in_vain(void *arg)
{
    int fd = TO_FD(arg);
    CHECK(connect_to_it(fd) == -EBADF);
    queue.ended++;
}

TASK_TEST(connects_wait_for_room)
{
    struct weft_waitgroup wg = {0};
    pthread_t thread;
    int listener = full_listener();
    queue.connected = 0;
    for (int i = 0; i < CALLERS; i++)
        CHECK(weft_waitgroup_go(&wg, call_it, NULL) == 0);
    CHECK(pthread_create(&thread, NULL, call_from_a_thread, NULL) == 0);
    weft_sleep(20 * WEFT_MS);
    CHECK(queue.connected <= 2); /* those there is room for */
    for (int i = 0; i <= CALLERS; i++) {
        int fd = weft_accept(listener, NULL, NULL);
        CHECK(fd >= 0 && weft_close(fd) == 0);
    }
    weft_waitgroup_wait(&wg);
    CHECK(pthread_join(thread, NULL) == 0 && queue.connected == CALLERS + 1);
    weft_close(listener);
}

TASK_TEST(that_wait_ends)
{
    struct weft_waitgroup wg = {0};
    int listener = full_listener(), fds[4];
    for (int i = 0; i < 4; i++)
        CHECK((fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
    CHECK(connect_to_it(fds[0]) == 0 && connect_to_it(fds[1]) == 0);
    int64_t until = weft_now() + 5 * WEFT_MS;
    CHECK(weft_set_write_deadline(fds[2], until) == 0);
    CHECK(connect_to_it(fds[2]) == -ETIMEDOUT && weft_now() >= until);
    queue.ended = 0;
    CHECK(weft_waitgroup_go(&wg, call_in_vain, TO_ARG(fds[3])) == 0);
    weft_sleep(5 * WEFT_MS);
    CHECK(queue.ended == 0 && weft_close(fds[3]) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(queue.ended == 1);
    for (int i = 0; i < 3; i++)
        weft_close(fds[i]);
    weft_close(listener);
}

TASK_TEST(short_reads)
{
    int fds[2];
    unix_connection(SOCK_STREAM, fds);
    for (int i = 0; i < 3; i++) {
        send_along(fds[1], fds[1]);
        CHECK(write(fds[1], "b", 1) == 1);
        read_two(fds[0]);
    }
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
    unix_connection(SOCK_SEQPACKET, fds);
    for (int i = 0; i < 3; i++) {
        CHECK(write(fds[1], "a", 1) == 1 && write(fds[1], "b", 1) == 1);
        read_two(fds[0]);
    }
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
}

TASK_TEST(urgent_data)
{
    int fds[2];
    test_connection(fds);
    drain(fds[0], fds[1]);
    CHECK(write(fds[1], "a", 1) == 1 && send(fds[1], "!", 1, MSG_OOB) == 1);
    CHECK(write(fds[1], "b", 1) == 1);
    char buffer[64];
    CHECK(weft_read(fds[0], buffer, sizeof buffer) == 1 && buffer[0] == 'a');
    CHECK(weft_read(fds[0], buffer, sizeof buffer) == 1 && buffer[0] == 'b');
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
}

TASK_TEST(ends)
{
    char buffer[64];
    int fds[2];
    for (int i = 0; i < 4; i++) {
        test_connection(fds);
        if (i % 2)
            drain(fds[0], fds[1]);
        if (i / 2)
            CHECK(write(fds[1], "ab", 2) == 2);
        CHECK(shutdown(fds[1], SHUT_WR) == 0);
        if (i / 2)
            CHECK(weft_read(fds[0], buffer, sizeof buffer) == 2);
        CHECK(weft_read(fds[0], buffer, sizeof buffer) == 0);
        CHECK(weft_read(fds[0], buffer, sizeof buffer) == 0);
        CHECK(weft_write(fds[0], "x", 1) == 1);
        CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0);
    }
    test_connection(fds);
    drain(fds[0], fds[1]);
    struct linger reset = {1, 0};
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    close(fds[1]);
    CHECK(weft_read(fds[0], buffer, sizeof buffer) == -ECONNRESET);
    CHECK(weft_close(fds[0]) == 0);
}

TASK_TEST(broken_pipes)
{
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    close(fds[0]);
    CHECK(weft_write(fds[1], "x", 1) == -EPIPE);
    CHECK(weft_close(fds[1]) == 0);
    test_connection(fds);
    close(fds[1]);
    ssize_t r;
    while ((r = weft_write(fds[0], "x", 1)) == 1)
        weft_yield();
    CHECK(r == -EPIPE || r == -ECONNRESET);
    CHECK(weft_write(fds[0], "x", 1) == -EPIPE);
    CHECK(weft_close(fds[0]) == 0);
}

enum { LARGE = 4 << 20 };
static char large[LARGE];

static void write_large(void *arg)
{
    CHECK(weft_write(TO_FD(arg), large, LARGE) == LARGE);
    CHECK(weft_close(TO_FD(arg)) == 0);
}

TASK_TEST(partial_writes)
{
    static char buffer[10007];
    struct weft_waitgroup wg = {0};
    int fds[2];
    for (int i = 0; i < LARGE; i++)
        large[i] = (char)(i * 131 >> 7);
    test_connection(fds);
    weft_waitgroup_go(&wg, write_large, TO_ARG(fds[0]));
    ssize_t n, total = 0;
    while ((n = weft_read(fds[1], buffer, sizeof buffer)) > 0) {
        CHECK(memcmp(buffer, large + total, (size_t)n) == 0);
        total += n;
    }
    CHECK(n == 0 && total == LARGE);
    weft_waitgroup_wait(&wg);
    weft_close(fds[1]);
}

static void accept_until_closed(void *arg)
{
    entered++;
    CHECK(weft_accept(TO_FD(arg), NULL, NULL) == -EBADF);
}

static void read_until_closed(void *arg)
{
    char c;
    entered++;
    CHECK(weft_read(TO_FD(arg), &c, 1) == -EBADF);
}

TASK_TEST(close_ends_all_waits)
{
    struct sockaddr_in address;
    struct weft_waitgroup wg = {0};
    int fds[2], listener = test_listen(&address, 8);
    entered = 0;
    test_connection(fds);
    for (int i = 0; i < 5; i++) {
        weft_waitgroup_go(&wg, read_until_closed, TO_ARG(fds[0]));
        weft_waitgroup_go(&wg, accept_until_closed, TO_ARG(listener));
    }
    test_await(&entered, 10);
    CHECK(weft_close(fds[0]) == 0 && weft_close(listener) == 0);
    weft_waitgroup_wait(&wg);
    close(fds[1]);
}

/* No descriptors left: it says so, after a while, and goes on when there are. */
TASK_TEST(out_of_descriptors)
{
    struct sockaddr_in address;
    struct rlimit before, none;
    int listener = test_listen(&address, 8);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    none = (struct rlimit){0, before.rlim_max};
    CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
    int64_t start = weft_now();
    for (int i = 0; i < 3; i++)
        CHECK(weft_accept(listener, NULL, NULL) == -EMFILE);
    CHECK(weft_now() - start >= 15 * WEFT_MS);
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    int fd = weft_accept(listener, NULL, NULL);
    CHECK(fd >= 0 && weft_close(fd) == 0 && weft_close(listener) == 0 && close(client) == 0);
}

/* ---- many ---- */

#ifdef __SANITIZE_THREAD__
enum { MANY = 200 }; /* a task takes it long to make */
#else
enum { MANY = 5000 };
#endif
enum { MANY_ROUNDS = 3 };

static void echo(void *arg)
{
    char buffer[64];
    ssize_t n;
    while ((n = weft_read(TO_FD(arg), buffer, sizeof buffer)) > 0)
        CHECK(weft_write(TO_FD(arg), buffer, (size_t)n) == n);
    CHECK(n == 0 && weft_close(TO_FD(arg)) == 0);
}

struct server {
    int listener, count;
    struct weft_waitgroup wg;
};

static void accept_many(void *arg)
{
    struct server *s = arg;
    for (int i = 0; i < s->count; i++) {
        int fd = weft_accept(s->listener, NULL, NULL);
        CHECK(fd >= 0 && weft_waitgroup_go(&s->wg, echo, TO_ARG(fd)) == 0);
    }
}

/* 10,000 sockets, as far as the limit allows. */
TASK_TEST(many_sockets)
{
    static int fds[MANY];
    struct sockaddr_in address;
    struct rlimit files;
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    files.rlim_cur = files.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    struct server s = {.listener = test_listen(&address, 128),
                       .count =
                           files.rlim_max > 2 * MANY + 100 ? MANY : (int)(files.rlim_max / 2 - 50)};
    CHECK(weft_waitgroup_go(&s.wg, accept_many, &s) == 0);
    for (int i = 0; i < s.count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fds[i] >= 0);
        CHECK(weft_connect(fds[i], (struct sockaddr *)&address, sizeof address) == 0);
    }
    for (int r = 0; r < MANY_ROUNDS; r++) {
        for (int i = 0; i < s.count; i++)
            CHECK(weft_write(fds[i], &i, sizeof i) == sizeof i);
        for (int i = 0, back = 0; i < s.count; i++)
            CHECK(weft_read(fds[i], &back, sizeof back) == sizeof back && back == i);
    }
    for (int i = 0; i < s.count; i++)
        CHECK(weft_close(fds[i]) == 0);
    weft_waitgroup_wait(&s.wg);
    CHECK(weft_close(s.listener) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dup2_over),
        cmocka_unit_test(test_plain_close),
        cmocka_unit_test(test_file_in_its_place),
        cmocka_unit_test(test_write_in_its_place),
        cmocka_unit_test(numbers_come_again),
        cmocka_unit_test(connects_wait_for_room),
        cmocka_unit_test(that_wait_ends),
        cmocka_unit_test(short_reads),
        cmocka_unit_test(urgent_data),
        cmocka_unit_test(ends),
        cmocka_unit_test(broken_pipes),
        cmocka_unit_test(partial_writes),
        cmocka_unit_test(close_ends_all_waits),
        cmocka_unit_test(out_of_descriptors),
        cmocka_unit_test(many_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
