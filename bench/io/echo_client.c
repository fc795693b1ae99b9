/*
 * echo_client PORT CONNECTIONS SECONDS SIZE PID: keeps CONNECTIONS connections to an echo server on
 * the loopback busy, each with one message of SIZE bytes on its way, and prints requests a second,
 * quantiles of the time from send to the last byte back, and the CPU time of process PID over the
 * same seconds. One thread and epoll, so that the server is what is measured.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "runtime/test/number.h"

enum {
    EVENTS = 512,
    SIZE_MAX_BYTES = 16384,
    PER_ADDRESS = 20000, /* connections from one source address: its ports are not endless */
    SUB_BITS = 5,        /* a bucket is 1/32 of its value wide */
    BUCKETS = (64 - SUB_BITS) << SUB_BITS,
};
#define WARM_UP_NS INT64_C(1000000000)

struct connection {
    int fd;
    size_t got;
    int64_t sent_at;
};

static struct connection *connections;
static long count;
static size_t size;
static char out[SIZE_MAX_BYTES], in[SIZE_MAX_BYTES];
static uint64_t buckets[BUCKETS], requests;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        die("clock_gettime");
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 1 << SUB_BITS)
        return (unsigned)ns;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ns) - SUB_BITS;
    return ((shift + 1) << SUB_BITS) + (unsigned)(ns >> shift) - (1 << SUB_BITS);
}

static uint64_t value_of(unsigned bucket)
{
    if (bucket < 1 << SUB_BITS)
        return bucket;
    unsigned shift = (bucket >> SUB_BITS) - 1;
    return ((uint64_t)(bucket & ((1 << SUB_BITS) - 1)) + (1 << SUB_BITS)) << shift;
}

static uint64_t quantile(double q)
{
    uint64_t rank = (uint64_t)((double)requests * q), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += buckets[i];
        if (seen > rank)
            return value_of(i);
    }
    return 0;
}

static void send_next(struct connection *c)
{
    c->got = 0;
    c->sent_at = now(CLOCK_MONOTONIC);
    if (send(c->fd, out, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
}

static void connect_all(long port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    for (long i = 0; i < count; i++) {
        int one = 1;
        struct linger reset = {1, 0}; /* leave nothing in TIME_WAIT for the next run */
        struct sockaddr_in from = {.sin_family = AF_INET,
                                   .sin_addr.s_addr =
                                       htonl(INADDR_LOOPBACK + (uint32_t)(i / PER_ADDRESS))};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
            die("socket");
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
            die("bind");
        if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
            die("connect");
        connections[i].fd = fd;
    }
}

static void on_ready(struct connection *c, uint64_t *recorded)
{
    ssize_t n = recv(c->fd, in, size - c->got, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 || memcmp(in, out + c->got, (size_t)n) != 0) {
        fprintf(stderr, "echo_client: not what was sent\n");
        exit(1);
    }
    c->got += (size_t)n;
    if (c->got < size)
        return;
    if (recorded) {
        buckets[bucket_of((uint64_t)(now(CLOCK_MONOTONIC) - c->sent_at))]++;
        ++*recorded;
    }
    send_next(c);
}

static void run_until(int epoll, int64_t until, uint64_t *recorded)
{
    struct epoll_event events[EVENTS];
    while (now(CLOCK_MONOTONIC) < until) {
        int n = epoll_wait(epoll, events, EVENTS, 100);
        for (int i = 0; i < n; i++)
            on_ready(events[i].data.ptr, recorded);
    }
}

int main(int argc, char **argv)
{
    clockid_t server;
    if (argc != 6) {
        fprintf(stderr, "usage: echo_client PORT CONNECTIONS SECONDS SIZE PID\n");
        return 2;
    }
    count = number_read("CONNECTIONS", argv[2], 1, INT32_MAX);
    size = (size_t)number_read("SIZE", argv[4], 1, SIZE_MAX_BYTES);
    double seconds = number_read_seconds("SECONDS", argv[3]);
    struct rlimit files = {(rlim_t)count + 100, (rlim_t)count + 100};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0)
        die("setrlimit");
    errno = clock_getcpuclockid((pid_t)number_read("PID", argv[5], 1, INT32_MAX), &server);
    if (errno != 0)
        die("clock_getcpuclockid");
    connections = calloc((size_t)count, sizeof *connections);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || epoll < 0)
        die("memory or epoll");
    for (size_t i = 0; i < size; i++)
        out[i] = (char)(i * 7 + 1);
    connect_all(number_read("PORT", argv[1], 1, UINT16_MAX));
    for (long i = 0; i < count; i++) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.ptr = &connections[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &e) != 0)
            die("epoll_ctl");
        send_next(&connections[i]);
    }
    run_until(epoll, now(CLOCK_MONOTONIC) + WARM_UP_NS, NULL);
    int64_t start = now(CLOCK_MONOTONIC), cpu = now(server), own = now(CLOCK_PROCESS_CPUTIME_ID);
    run_until(epoll, start + (int64_t)(seconds * 1e9), &requests);
    double wall = (double)(now(CLOCK_MONOTONIC) - start);
    if (requests == 0)
        return 1;
    printf("rps=%.0f p50_us=%.1f p99_us=%.1f p999_us=%.1f cpu_us=%.3f client_us=%.3f\n",
           (double)requests / wall * 1e9, (double)quantile(0.5) / 1e3, (double)quantile(0.99) / 1e3,
           (double)quantile(0.999) / 1e3, (double)(now(server) - cpu) / 1e3 / (double)requests,
           (double)(now(CLOCK_PROCESS_CPUTIME_ID) - own) / 1e3 / (double)requests);
    return 0;
}
