/* Listen, dial, resolve; messages, several buffers, sendfile. */
#include "runtime/io/sockets_test.h"

#include <netdb.h>
#include <stdbool.h>
#include <sys/uio.h>

static void greet(void *arg)
{
    char buffer[16];
    int fd = weft_accept(TO_FD(arg), NULL, NULL);
    CHECK(fd >= 0 && weft_read(fd, buffer, sizeof buffer) == 5);
    CHECK(weft_write(fd, buffer, 5) == 5 && weft_close(fd) == 0);
}

static void meet(const char *network, const char *listen_at, const char *dial)
{
    struct weft_waitgroup wg = {0};
    char buffer[16];
    int listener = weft_listen(network, listen_at);
    CHECK(listener >= 0);
    CHECK(weft_waitgroup_go(&wg, greet, TO_ARG(listener)) == 0);
    char address[64];
    struct sockaddr_in in = {0};
    socklen_t length = sizeof in;
    if (dial) {
        CHECK(getsockname(listener, (struct sockaddr *)&in, &length) == 0);
        snprintf(address, sizeof address, "%s:%d", dial, ntohs(in.sin_port));
    }
    int fd = weft_dial(network, dial ? address : listen_at, 60 * WEFT_S);
    CHECK(fd >= 0 && weft_write(fd, "hello", 5) == 5);
    CHECK(weft_read(fd, buffer, sizeof buffer) == 5 && memcmp(buffer, "hello", 5) == 0);
    CHECK(weft_read(fd, buffer, sizeof buffer) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(weft_close(fd) == 0 && weft_close(listener) == 0);
}

TASK_TEST(listen_and_dial)
{
    char name[64];
    meet("tcp", "127.0.0.1:0", "127.0.0.1");
    meet("tcp4", ":0", "localhost");
    snprintf(name, sizeof name, "@weft-net-test-%d", getpid());
    meet("unix", name, NULL);
}

/* Whether somebody answers there. */
static bool is_heard(const char *network, const char *host, int port)
{
    char address[64];
    snprintf(address, sizeof address, "%s:%d", host, port);
    int fd = weft_dial(network, address, 60 * WEFT_S);
    CHECK(fd >= 0 || fd == -ECONNREFUSED || fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT);
    if (fd >= 0)
        weft_close(fd);
    return fd >= 0;
}

static int port_of(int listener)
{
    struct sockaddr_in6 at;
    socklen_t length = sizeof at;
    CHECK(getsockname(listener, (struct sockaddr *)&at, &length) == 0);
    return ntohs(at.sin6_port); /* at the same place in each family */
}

static bool has_ipv6(void)
{
    int fd = weft_listen("tcp6", "[::1]:0");
    if (fd >= 0)
        weft_close(fd);
    return fd >= 0;
}

/* As Go: without a host all addresses of each family that the network has. */
TASK_TEST(all_addresses)
{
    static const char *const networks[] = {"tcp", "tcp4", "tcp6"};
    for (int i = 0; i < (has_ipv6() ? 3 : 2); i++) {
        int listener = weft_listen(networks[i], ":0"), port = port_of(listener);
        CHECK(listener >= 0);
        CHECK(is_heard("tcp4", "127.0.0.1", port) == (i != 2));
        CHECK(is_heard("tcp6", "[::1]", port) == (i != 1 && has_ipv6()));
        char other[16];
        snprintf(other, sizeof other, ":%d", port);
        CHECK(weft_listen(networks[i], other) == -EADDRINUSE);
        weft_close(listener);
    }
}

/* The first test: no thread is there from one before. */
TASK_TEST(numbers_need_no_thread)
{
    struct weft_stats stats;
    int listener = weft_listen("tcp", "127.0.0.1:0");
    CHECK(is_heard("tcp", "127.0.0.1", port_of(listener)));
    CHECK(!is_heard("tcp", "127.0.0.1", 1));
    CHECK(weft_stats(&stats) == 0 && stats.blocking_threads == 0);
    weft_close(listener);
}

TASK_TEST(bad_addresses)
{
    CHECK(weft_listen("ftp", "127.0.0.1:0") == -EINVAL);
    CHECK(weft_listen("tcp", "127.0.0.1") == -EINVAL);
    CHECK(weft_listen("tcp", "::1:80") == -EINVAL);
    CHECK(weft_listen("tcp", "[::1:0") == -EINVAL);
    CHECK(weft_listen("tcp", "127.0.0.1:no-such-service") == -ENOENT);
    CHECK(weft_listen("unix", "") == -EINVAL);
    CHECK(weft_dial("unix", "/nowhere/at/all", WEFT_S) == -ENOENT);
    int listener = weft_listen("tcp", "127.0.0.1:0"), other;
    struct sockaddr_in in;
    socklen_t length = sizeof in;
    char address[64];
    CHECK(getsockname(listener, (struct sockaddr *)&in, &length) == 0);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(in.sin_port));
    CHECK((other = weft_listen("tcp", address)) == -EADDRINUSE);
    CHECK(weft_close(listener) == 0);
    CHECK(weft_dial("tcp", address, WEFT_FOREVER) == -ECONNREFUSED);
}

TASK_TEST(resolve)
{
    struct addrinfo *found;
    CHECK(weft_resolve("127.0.0.1", "80", NULL, &found) == 0 && found);
    CHECK(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port == htons(80));
    freeaddrinfo(found);
    struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};
    CHECK(weft_resolve("no-number", "80", &numeric, &found) == -ENOENT && !found);
}

static void answer(void *arg)
{
    char buffer[16];
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    ssize_t n =
        weft_recvfrom(TO_FD(arg), buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
    CHECK(n == 3 && length == sizeof from);
    CHECK(weft_sendto(TO_FD(arg), buffer, 3, 0, (struct sockaddr *)&from, length) == 3);
}

TASK_TEST(datagrams)
{
    struct weft_waitgroup wg = {0};
    char buffer[16];
    struct sockaddr_in to;
    socklen_t length = sizeof to;
    int server = weft_listen("udp", "127.0.0.1:0"), client = weft_listen("udp", "127.0.0.1:0");
    CHECK(server >= 0 && client >= 0);
    CHECK(weft_recvfrom(client, buffer, sizeof buffer, MSG_DONTWAIT, NULL, NULL) == -EAGAIN);
    CHECK(getsockname(server, (struct sockaddr *)&to, &length) == 0);
    for (int i = 0; i < 20; i++) {
        weft_waitgroup_go(&wg, answer, TO_ARG(server));
        weft_yield();
        CHECK(weft_sendto(client, "abc", 3, 0, (struct sockaddr *)&to, length) == 3);
        CHECK(weft_recvfrom(client, buffer, sizeof buffer, 0, NULL, NULL) == 3);
        weft_waitgroup_wait(&wg);
    }
    struct msghdr nothing = {0}; /* which no blocking call waits for either */
    CHECK(weft_recvmsg(client, &nothing, MSG_ERRQUEUE) == -EAGAIN);
    CHECK(weft_set_read_deadline(client, weft_now()) == 0);
    CHECK(weft_recvfrom(client, buffer, sizeof buffer, 0, NULL, NULL) == -ETIMEDOUT);
    CHECK(weft_close(server) == 0 && weft_close(client) == 0);
}

enum { BUFFERS = 150, EACH = 5001 };
static char data[BUFFERS * EACH], back[BUFFERS * EACH];

static void read_all(void *arg)
{
    size_t total = 0;
    while (total < sizeof back) {
        struct iovec v[2] = {{back + total, 1}, {back + total + 1, sizeof back - total - 1}};
        ssize_t r = weft_readv(TO_FD(arg), v, v[1].iov_len ? 2 : 1);
        CHECK(r > 0);
        total += (size_t)r;
    }
}

static void write_buffers(int to, int from)
{
    struct iovec v[BUFFERS + 1];
    struct weft_waitgroup wg = {0};
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7 >> 3);
    memset(back, 0, sizeof back);
    for (size_t i = 0; i < BUFFERS; i++)
        v[i] = (struct iovec){data + i * EACH, EACH};
    v[BUFFERS] = v[BUFFERS - 1];
    v[BUFFERS - 1] = (struct iovec){NULL, 0};
    weft_waitgroup_go(&wg, read_all, TO_ARG(from));
    CHECK(weft_writev(to, v, BUFFERS + 1) == (ssize_t)sizeof data);
    weft_waitgroup_wait(&wg);
    CHECK(memcmp(data, back, sizeof data) == 0);
    CHECK(weft_writev(to, v, -1) == -EINVAL && weft_writev(to, v, 0) == 0);
    CHECK(weft_close(to) == 0 && weft_close(from) == 0);
}

TASK_TEST(several_buffers)
{
    int fds[2];
    test_connection(fds);
    write_buffers(fds[0], fds[1]);
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    write_buffers(fds[1], fds[0]);
}

TASK_TEST(messages)
{
    char control[CMSG_SPACE(sizeof(int))] = {0}, c;
    struct iovec v = {&c, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    int fds[2];
    test_pair(SOCK_STREAM, fds);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    h->cmsg_level = SOL_SOCKET;
    h->cmsg_type = SCM_RIGHTS;
    h->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(h), fds, sizeof(int));
    c = 'm';
    CHECK(weft_sendmsg(fds[0], &m, 0) == 1);
    c = 0;
    CHECK(weft_recvmsg(fds[1], &m, MSG_CMSG_CLOEXEC) == 1 && c == 'm');
    int copy;
    memcpy(&copy, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof copy);
    CHECK(weft_close(copy) == 0 && weft_close(fds[0]) == 0);
    CHECK(weft_recvmsg(fds[1], &m, 0) == 0 && weft_close(fds[1]) == 0);
}

TASK_TEST(whole_file)
{
    struct weft_waitgroup wg = {0};
    FILE *file = tmpfile();
    int fds[2];
    off_t offset = 0;
    CHECK(file && weft_write(fileno(file), data, sizeof data) == (ssize_t)sizeof data);
    test_connection(fds);
    memset(back, 0, sizeof back);
    weft_waitgroup_go(&wg, read_all, TO_ARG(fds[1]));
    /* More than it has. */
    CHECK(weft_sendfile(fds[0], fileno(file), &offset, 2 * sizeof data) == (ssize_t)sizeof data);
    CHECK(offset == (off_t)sizeof data);
    weft_waitgroup_wait(&wg);
    CHECK(memcmp(data, back, sizeof data) == 0);
    CHECK(weft_close(fds[0]) == 0 && close(fds[1]) == 0 && fclose(file) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {

        cmocka_unit_test(numbers_need_no_thread),
        cmocka_unit_test(listen_and_dial),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(resolve),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(several_buffers),
        cmocka_unit_test(messages),
        cmocka_unit_test(whole_file),
        cmocka_unit_test(all_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
