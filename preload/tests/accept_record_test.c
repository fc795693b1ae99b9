/*
 * accept_record_test.c - a server has no descriptor left for the next connection: accept fails, and
 * the poll before it finds the listener as ready as it was. The record, which has none left to grow
 * by either, tells of that.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"

/* ---- the program ---- */

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            exit(1);                                                                               \
    } while (0)

#define FAILURES 30000 /* it takes that many until a descriptor is free */

static int listener, port;
static atomic_int served, failures;

static void listen_anywhere(void)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, len) == 0);
    CHECK(listen(listener, 4) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    port = ntohs(address.sin_port);
}

static void *serve(void *arg)
{
    for (;;) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        CHECK(poll(&ready, 1, -1) == 1);
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            close(fd);
            if (++served == 2)
                return arg;
        } else {
            CHECK(errno == EMFILE);
            failures++;
        }
    }
}

static int call(void)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

static int program(void)
{
    struct rlimit limit;
    pthread_t server;

    listen_anywhere();
    CHECK(pthread_create(&server, NULL, serve, NULL) == 0);
    close(call());
    do
        usleep(5000);
    while (served == 0);
    int last = open("/dev/null", O_RDONLY);
    CHECK(last >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)last + 2;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int client = call(); /* has the last one */
    while (failures < FAILURES)
        usleep(5000);
    limit.rlim_cur = before;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    pthread_join(server, NULL);
    close(client);
    close(last);
    puts("served");
    return 0;
}

/* ---- what the record says ---- */

static int rows;

static void on_cell(const struct el_record *record)
{
    const struct el_spin *s = &record->any.spin;
    if (record->info->id != EL_ID_spin || s->state != EL_LIVE || s->kind != EL_SPIN_NO_FD)
        return;
    assert_true(s->longest > 1000 && s->count >= s->longest && s->stack != 0);
    rows++;
}

static void accepts_in_vain_are_a_row(void **state)
{
    (void)state;
    char out[200];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_true(record_read(on_cell, NULL) > 0);
    assert_int_equal(rows, 1);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(accepts_in_vain_are_a_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
