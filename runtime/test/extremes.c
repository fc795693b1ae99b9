/*
 * Arguments at the ends of their ranges, and beyond them: sizes, counts, times, descriptors. What
 * weft.h allows goes well; all else is the error that it names, and nothing is left behind.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "runtime/test/check.h"

/* So much memory is not to be had: an error, here too. */
#if defined(__SANITIZE_ADDRESS__)
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#elif defined(__SANITIZE_THREAD__)
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}
#endif

static void nothing(void *arg)
{
    (void)arg;
}

static int no_error(void *arg)
{
    (void)arg;
    return 0;
}

/* ---- the run and its tasks ---- */

static void count_workers(void *arg)
{
    *(unsigned *)arg = weft_workers();
    CHECK(weft_run(nothing, NULL) == -EBUSY);
}

static void options(void **state)
{
    (void)state;
    static const struct weft_options bad[] = {
        {.workers = UINT_MAX}, {.workers = 257},          {.stack_bytes = 1},
        {.stack_bytes = 8192}, {.stack_bytes = SIZE_MAX}, {.stack_bytes = (size_t)1 << 62},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(weft_run_with(&bad[i], nothing, NULL) == -EINVAL);
    CHECK(weft_workers() == 0 && weft_go(nothing, NULL) == -ESRCH);
    unsigned workers = 0;
    struct weft_options most = {.workers = 64, .stack_bytes = 16384, .blocking_threads = UINT_MAX};
    CHECK(weft_run_with(&most, count_workers, &workers) == 0 && workers == 64);
    CHECK(weft_run_with(NULL, count_workers, &workers) == 0 && workers >= 1);
}

static void settings(void **state)
{
    (void)state;
    static const char *const odd[] = {"", "0", "-1", "many", "99999999999999999999", "2x"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct weft_options one = {.workers = 1};
        unsigned workers = 0;
        setenv("WEFT_BLOCKING", odd[i], 1);
        CHECK(weft_run_with(&one, count_workers, &workers) == 0 && workers == 1);
        unsetenv("WEFT_BLOCKING");
        if (strlen(odd[i]) > 4)
            continue; /* so many workers as there may be */
        setenv("WEFT_WORKERS", odd[i], 1);
        CHECK(weft_run(count_workers, &workers) == 0 && workers >= 1);
        unsetenv("WEFT_WORKERS");
    }
}

TASK_TEST(captures)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 127, SIZE_MAX / 2};
    struct weft_flight_options flights = {.value_size = 1};
    struct weft_flight *flight = weft_flight_new(&flights);
    struct weft_group group = {0};
    char byte = 0, value;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct weft_task_options o = {.capture_size = sizes[i]};
        CHECK(weft_go_copy(nothing, &byte, sizes[i]) == -ENOMEM);
        CHECK(weft_go_with(&o, nothing, &byte) == -ENOMEM);
        CHECK(weft_group_go_copy(&group, no_error, &byte, sizes[i]) == -ENOMEM);
        CHECK(weft_flight_do_ctx(flight, NULL, "a", NULL, &byte, sizes[i], &value, NULL) ==
              -ENOMEM);
    }
    CHECK(weft_group_wait(&group) == 0);
    CHECK(weft_go_copy(nothing, NULL, 0) == 0);
    await_ends();
    weft_flight_free(flight);
}

/* ---- channels and select ---- */

TASK_TEST(channels)
{
    struct weft_chan *endless = weft_chan_new(0, SIZE_MAX);
    if (endless) { /* elements without size take no room */
        CHECK(weft_chan_cap(endless) == SIZE_MAX && weft_chan_send(endless, NULL) == 0);
        CHECK(weft_chan_len(endless) == 1 && weft_chan_recv(endless, NULL) == 0);
        weft_chan_release(endless);
    }
    CHECK(!weft_chan_new(SIZE_MAX, SIZE_MAX) && !weft_chan_new(SIZE_MAX, 1) &&
          !weft_chan_new(2, SIZE_MAX / 2 + 2) && !weft_chan_new(SIZE_MAX / 2 + 2, 2));
}

enum { TOO_MANY = 65537 };

TASK_TEST(selects)
{
    static const int64_t limits[] = {INT64_MAX, INT64_MAX - 1, WEFT_FOREVER, 0};
    struct weft_chan *c = weft_chan_new(1, 1);
    struct weft_case cases[2] = {WEFT_RECV(c, NULL), WEFT_RECV(NULL, NULL)};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        CHECK(weft_chan_send(c, "") == 0);
        CHECK(weft_select(cases, 2, limits[i]) == 0 && cases[0].ok == 1);
    }
    CHECK(weft_select(cases, 2, 0) == -ETIMEDOUT);
    CHECK(weft_select(NULL, 0, 0) == -ETIMEDOUT && weft_select(NULL, 0, 1) == -ETIMEDOUT);
    struct weft_case *many = calloc(TOO_MANY, sizeof *many);
    for (unsigned i = 0; i < TOO_MANY; i++)
        many[i] = (struct weft_case)WEFT_RECV(NULL, NULL);
    CHECK(weft_select(many, TOO_MANY, 0) == -EINVAL && weft_select(many, TOO_MANY, 1) == -EINVAL);
    CHECK(weft_select(many, TOO_MANY - 1, 1) == -ETIMEDOUT);
    many[7] = (struct weft_case)WEFT_RECV(c, NULL);
    CHECK(weft_chan_send(c, "") == 0 && weft_select(many, TOO_MANY - 1, WEFT_FOREVER) == 7);
    free(many);
    cases[1].kind = (enum weft_case_kind)77;
    CHECK(weft_select(cases, 2, 0) == -EINVAL);
    cases[0] = cases[1] = (struct weft_case)WEFT_DEFAULT;
    CHECK(weft_select(cases, 2, 0) == -EINVAL);
    weft_chan_release(c);
}

/* ---- time ---- */

TASK_TEST(past)
{
    static const int64_t past[] = {INT64_MIN, INT64_MIN + 1, -WEFT_S, -1, 0};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        weft_sleep(past[i]);
        struct weft_chan *after = weft_after(past[i]);
        CHECK(weft_chan_recv(after, NULL) == 0);
        weft_chan_release(after);
        CHECK(!weft_tick(past[i]));
        struct weft_timer *t = weft_timer_new(INT64_MAX);
        CHECK(weft_timer_reset(t, past[i]) == 1 && weft_chan_recv(weft_timer_chan(t), NULL) == 0);
        CHECK(weft_timer_stop(t) == 0);
        weft_timer_free(t);
        struct weft_ctx *a = weft_ctx_with_timeout(NULL, past[i]);
        struct weft_ctx *b = weft_ctx_with_deadline(NULL, past[i]);
        CHECK(weft_chan_recv(weft_ctx_done(a), NULL) == -EPIPE);
        CHECK(weft_chan_recv(weft_ctx_done(b), NULL) == -EPIPE);
        CHECK(weft_ctx_err(a) == -ETIMEDOUT && weft_ctx_err(b) == -ETIMEDOUT);
        weft_ctx_release(a);
        weft_ctx_release(b);
    }
}

TASK_TEST(far_away)
{
    static const int64_t far[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2};
    for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
        struct weft_timer *t = weft_timer_new(far[i]), *f = weft_timer_func(far[i], nothing, NULL);
        struct weft_ctx *a = weft_ctx_with_timeout(NULL, far[i]);
        struct weft_ctx *b = weft_ctx_with_deadline(a, far[i]);
        int64_t deadline = 0;
        weft_yield();
        CHECK(weft_ctx_deadline(b, &deadline) == 1 && deadline > weft_now());
        CHECK(weft_ctx_err(a) == 0 && weft_ctx_err(b) == 0);
        CHECK(weft_chan_try_recv(weft_timer_chan(t), NULL) == -EAGAIN);
        CHECK(weft_timer_reset(f, far[i]) == 1 && weft_timer_stop(f) == 1);
        CHECK(weft_timer_stop(t) == 1);
        weft_ctx_cancel(a);
        CHECK(weft_ctx_err(b) == -ECANCELED);
        weft_ctx_release(b);
        weft_ctx_release(a);
        weft_timer_free(f);
        weft_timer_free(t);
    }
}

/* ---- semaphores, groups ---- */

TASK_TEST(units)
{
    struct weft_sem *all = weft_sem_new(INT64_MAX), *none = weft_sem_new(0);
    CHECK(weft_sem_try_acquire(all, INT64_MAX) == 0 && weft_sem_try_acquire(all, 1) == -EBUSY);
    CHECK(weft_sem_acquire_for(all, INT64_MAX, 0) == -ETIMEDOUT);
    weft_sem_release(all, INT64_MAX);
    CHECK(weft_sem_acquire(all, NULL, 1) == 0);
    CHECK(weft_sem_try_acquire(all, INT64_MAX) == -EBUSY);
    weft_sem_release(all, 1);
    CHECK(weft_sem_try_acquire(none, 0) == 0 && weft_sem_try_acquire(none, 1) == -EBUSY);
    CHECK(weft_sem_acquire_for(none, INT64_MAX, 1) == -ETIMEDOUT);
    weft_sem_free(all);
    weft_sem_free(none);
}

TASK_TEST(limits)
{
    struct weft_group group = {0};
    weft_group_set_limit(&group, 0);
    CHECK(weft_group_try_go(&group, no_error, NULL) == -EBUSY);
    weft_group_set_limit(&group, INT64_MAX);
    CHECK(weft_group_try_go(&group, no_error, NULL) == 0 && weft_group_wait(&group) == 0);
    weft_group_set_limit(&group, INT64_MIN);
    CHECK(weft_group_go(&group, no_error, NULL) == 0 && weft_group_wait(&group) == 0);
}

/* ---- sizes of what is kept ---- */

static int copy_nothing(void *arg, void *result)
{
    (void)arg, (void)result;
    return 0;
}

TASK_TEST(sizes)
{
    static const size_t large[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof large / sizeof *large; i++) {
        struct weft_pool_options pools = {.size = large[i]};
        struct weft_pool *pool = weft_pool_new(&pools);
        CHECK(pool && !weft_pool_get(pool));
        weft_pool_free(pool);
        CHECK(!weft_map_new(large[i], 1) && !weft_map_new(1, large[i]));
        CHECK(!weft_map_new(large[i], large[i]));
        struct weft_cmap_options keys = {.key_size = large[i]}, values = {.value_size = large[i]};
        CHECK(!weft_cmap_new(&keys) && !weft_cmap_new(&values));
        struct weft_flight_options flights = {.value_size = large[i]};
        struct weft_flight *flight = weft_flight_new(&flights);
        CHECK(!flight || weft_flight_do(flight, "", copy_nothing, NULL, NULL, NULL) == -ENOMEM);
        weft_flight_free(flight);
    }
}

/* ---- descriptors ---- */

TASK_TEST(no_descriptors)
{
    static const int none[] = {-1, INT_MIN, INT_MAX, 1 << 20};
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct iovec part = {&at, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    off_t offset = 0;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        int fd = none[i];
        CHECK(weft_read(fd, &at, 1) == -EBADF && weft_write(fd, &at, 1) == -EBADF);
        CHECK(weft_readv(fd, &part, 1) == -EBADF && weft_writev(fd, &part, 1) == -EBADF);
        CHECK(weft_recvfrom(fd, &at, 1, 0, NULL, NULL) == -EBADF);
        CHECK(weft_sendto(fd, &at, 1, 0, NULL, 0) == -EBADF);
        CHECK(weft_recvmsg(fd, &message, 0) == -EBADF && weft_sendmsg(fd, &message, 0) == -EBADF);
        CHECK(weft_accept(fd, NULL, NULL) == -EBADF);
        CHECK(weft_connect(fd, (struct sockaddr *)&at, sizeof at) == -EBADF);
        CHECK(weft_poll(fd, POLLIN, 0) == -EBADF && weft_close(fd) == -EBADF);
        CHECK(weft_set_deadline(fd, 1) == -EBADF && weft_set_read_deadline(fd, 0) == -EBADF &&
              weft_set_write_deadline(fd, INT64_MAX) == -EBADF);
        CHECK(weft_pread(fd, &at, 1, 0) == -EBADF && weft_pwrite(fd, &at, 1, 0) == -EBADF);
        CHECK(weft_fsync(fd) == -EBADF && weft_sendfile(fd, fd, &offset, 1) == -EBADF);
    }
}

TASK_TEST(odd_amounts)
{
    int fds[2], sockets[2];
    char bytes[4] = "abc";
    struct iovec parts[2] = {{bytes, 1}, {bytes, 1}};
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    CHECK(weft_write(fds[1], bytes, 0) == 0 && weft_read(fds[0], bytes, 0) == 0);
    CHECK(weft_write(fds[1], NULL, 1) == -EFAULT);
    CHECK(weft_writev(fds[1], parts, -1) == -EINVAL && weft_readv(fds[0], parts, -1) == -EINVAL);
    CHECK(weft_writev(fds[1], parts, INT_MAX) == -EINVAL);
    CHECK(weft_writev(fds[1], parts, 0) == 0 && weft_readv(fds[0], parts, 0) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    CHECK(weft_read(sockets[0], NULL, 0) == 0 && weft_readv(sockets[0], parts, 0) == 0);
    CHECK(weft_close(sockets[0]) == 0 && weft_close(sockets[1]) == 0);
    CHECK(weft_poll(fds[0], POLLIN, 0) == 0 && weft_poll(fds[0], POLLIN, 1) == 0);
    CHECK(weft_poll(fds[1], POLLOUT, INT64_MAX) == POLLOUT);
    CHECK(weft_set_read_deadline(fds[0], INT64_MIN) == 0);
    CHECK(weft_read(fds[0], bytes, 1) == -ETIMEDOUT);
    CHECK(weft_set_read_deadline(fds[0], INT64_MAX) == 0);
    CHECK(weft_write(fds[1], "x", 1) == 1 && weft_read(fds[0], bytes, 1) == 1 && *bytes == 'x');
    CHECK(weft_close(fds[0]) == 0 && weft_close(fds[1]) == 0 && weft_close(fds[1]) == -EBADF);
}

TASK_TEST(odd_addresses)
{
    static const char *const ports[] = {
        "127.0.0.1:-1", "127.0.0.1:65536", "[::1", "127.0.0.1", "", ":99999999999999999"};
    struct addrinfo *found;
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        CHECK(weft_listen("tcp", ports[i]) < 0 && weft_dial("tcp", ports[i], WEFT_S) < 0);
    }
    CHECK(weft_listen("", "127.0.0.1:0") == -EINVAL && weft_listen("tcpx", ":0") == -EINVAL);
    CHECK(weft_dial("icmp", "127.0.0.1:1", 0) == -EINVAL);
    char path[400];
    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    CHECK(weft_listen("unix", path) == -ENAMETOOLONG && weft_listen("unix", "") < 0);
    CHECK(weft_dial("unix", "/nowhere/at/all", WEFT_S) == -ENOENT);
    CHECK(weft_open("/nowhere/at/all", O_RDONLY, 0) == -ENOENT);
    CHECK(weft_resolve(NULL, NULL, NULL, &found) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options),        cmocka_unit_test(settings),
        cmocka_unit_test(captures),       cmocka_unit_test(channels),
        cmocka_unit_test(selects),        cmocka_unit_test(past),
        cmocka_unit_test(far_away),       cmocka_unit_test(units),
        cmocka_unit_test(limits),         cmocka_unit_test(sizes),
        cmocka_unit_test(no_descriptors), cmocka_unit_test(odd_amounts),
        cmocka_unit_test(odd_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
