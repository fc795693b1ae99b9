/*
 * Reading, writing, accepting, connecting: the call first, and a wait only where it would block.
 * Sockets are asked not to block call by call, see file.c for what is none.
 */
#include "runtime/io/io.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include "runtime/time/timers.h"

enum { POLL_SLICE_MS = 100 };

/* How long an accept that finds no descriptors free waits before it says so. */
#define BACK_OFF_MIN_NS (INT64_C(5) * WEFT_MS)
#define BACK_OFF_MAX_NS WEFT_S

/* How long a connect that finds a full queue waits before it tries again. */
#define QUEUE_PAUSE_MIN_NS (50 * WEFT_US)
#define QUEUE_PAUSE_MAX_NS (5 * WEFT_MS)

__attribute__((noinline)) ssize_t weft__failed(void)
{
    return -errno;
}

int weft__no_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && ((flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0))
        return 0;
    return (int)weft__failed();
}

/* Looks now and then whether the deadline was moved, or the descriptor is to be closed. */
static int poll_in_turns(const struct weft__fd_wait *wait)
{
    struct weft__fd *state = wait->use->state;
    struct pollfd p = {.fd = wait->use->fd, .events = wait->events};
    for (;;) {
        int r = poll(&p, 1, POLL_SLICE_MS);
        if (r > 0)
            return 0;
        if (r < 0 && (r = (int)weft__failed()) != -EINTR)
            return r;
        if ((weft__fd_look(state) & WEFT__FD_LIMITED) && weft__fd_is_late(state, wait->limit))
            return -ETIMEDOUT;
        if (state && weft__use_is_closing(state))
            return -EBADF;
    }
}

/* Outside a task. */
static int wait_in_thread(const struct weft__fd_wait *wait)
{
    weft__use_stall(wait->use);
    int r = poll_in_turns(wait);
    weft__use_go_on(wait->use);
    return r;
}

int weft__io_wait(const struct weft__fd_wait *wait)
{
    struct weft_task *t = weft__self();
    if (!t)
        return wait_in_thread(wait);
    int r = weft__netpoll_wait(t, wait);
    return r < 0 ? r : 0;
}

/* True if it is known that there is nothing to read. A plain thread does not rely on that: it hears
 * of no events. */
static inline bool nothing_to_read(uint32_t word)
{
    return (word & (WEFT__FD_EDGES | WEFT__FD_READABLE)) == WEFT__FD_EDGES && weft__self();
}

static inline bool is_late(struct weft__fd *state, uint32_t word, enum weft__limit limit)
{
    return __builtin_expect(word & WEFT__FD_LIMITED, 0) && weft__fd_is_late(state, limit);
}

ssize_t weft__io_call(struct weft__io_call *call)
{
    struct weft__fd_wait *wait = &call->wait;
    bool reads = wait->events & POLLIN;
    for (;;) {
        struct weft__fd *state = wait->use->state;
        wait->word = weft__fd_look(state);
        if (is_late(state, wait->word, wait->limit))
            return -ETIMEDOUT;
        if (!reads || !nothing_to_read(wait->word)) {
            ssize_t r = call->attempt(call->arg);
            if (r == -EINTR)
                continue;
            if (r != -EAGAIN)
                return r;
            if (reads && state)
                weft__fd_drained(state, wait->word);
        }
        int e = weft__io_wait(wait);
        if (e < 0)
            return e;
    }
}

/* ---- read and write ---- */

/* Whether a short read says that nothing is left: not so for messages, nor where a read stops at
 * something that was sent along (Unix sockets). */
static bool is_plain_stream(int fd)
{
    int protocol = 0;
    socklen_t length = sizeof protocol;
    return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 &&
           protocol == IPPROTO_TCP;
}

static void after_short_read(struct weft__fd *state, uint32_t word, int fd)
{
    if (word & WEFT__FD_STREAM)
        weft__fd_drained(state, word);
    else if (!(word & WEFT__FD_ASKED))
        weft__fd_learn(state, word,
                       WEFT__FD_ASKED | (is_plain_stream(fd) ? (uint32_t)WEFT__FD_STREAM : 0));
}

static ssize_t read_once(const struct weft__use *use, void *buffer, size_t size)
{
    ssize_t r = recv(use->fd, buffer, size, MSG_DONTWAIT);
    if (r < 0)
        r = weft__failed();
    return r == -ENOTSOCK ? weft__file_read(use, buffer, size) : r;
}

static int wait_to_read(const struct weft__use *use, uint32_t word, const void *caller)
{
    return weft__io_wait(&(struct weft__fd_wait){.use = use,
                                                 .word = word,
                                                 .events = POLLIN,
                                                 .limit = WEFT__READ_DEADLINE,
                                                 .why = WEFT__WAIT_READ,
                                                 .caller = caller});
}

static inline ssize_t read_used(const struct weft__use *use, void *buffer, size_t size,
                                const void *caller)
{
    struct weft__fd *state = use->state;
    for (;;) {
        uint32_t word = weft__fd_look(state);
        if (is_late(state, word, WEFT__READ_DEADLINE))
            return -ETIMEDOUT;
        if (size == 0 || !nothing_to_read(word)) {
            ssize_t r = read_once(use, buffer, size);
            if (r >= 0) {
                if ((size_t)r < size && r > 0 &&
                    (word & (WEFT__FD_EDGES | WEFT__FD_MORE)) == WEFT__FD_EDGES)
                    after_short_read(state, word, use->fd);
                return r;
            }
            if (r == -EINTR)
                continue;
            if (r != -EAGAIN)
                return r;
            if (size == 0)
                return 0; /* whatever there is to read */
            if (state)
                weft__fd_drained(state, word);
        }
        int e = wait_to_read(use, word, caller);
        if (e == -EPERM)
            return weft__blocking_read(use, buffer, size);
        if (e < 0)
            return e;
    }
}

ssize_t weft_read(int fd, void *buffer, size_t size)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, read_used(&use, buffer, size, WEFT_CALLER()));
}

static ssize_t write_once(const struct weft__use *use, const void *buffer, size_t size)
{
    ssize_t r = send(use->fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r < 0)
        r = weft__failed();
    return r == -ENOTSOCK ? weft__file_write(use, buffer, size) : r;
}

static int wait_to_write(const struct weft__use *use, uint32_t word, const void *caller)
{
    return weft__io_wait(&(struct weft__fd_wait){.use = use,
                                                 .word = word,
                                                 .events = POLLOUT,
                                                 .limit = WEFT__WRITE_DEADLINE,
                                                 .why = WEFT__WAIT_WRITE,
                                                 .caller = caller});
}

static inline ssize_t write_used(const struct weft__use *use, const char *buffer, size_t size,
                                 const void *caller)
{
    size_t done = 0;
    do {
        uint32_t word = weft__fd_look(use->state);
        if (is_late(use->state, word, WEFT__WRITE_DEADLINE))
            return -ETIMEDOUT;
        ssize_t r = write_once(use, buffer + done, size - done);
        if (r == -EAGAIN) {
            r = wait_to_write(use, word, caller);
            if (r == -EPERM)
                r = weft__blocking_write(use, buffer + done, size - done);
        }
        if (r >= 0)
            done += (size_t)r;
        else if (r != -EINTR)
            return r;
    } while (done < size);
    return (ssize_t)done;
}

ssize_t weft_write(int fd, const void *buffer, size_t size)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, write_used(&use, buffer, size, WEFT_CALLER()));
}

/* ---- connections ---- */

struct accept_args {
    int fd;
    struct sockaddr *address;
    socklen_t *length, room;
};

static ssize_t accept_once(void *arg)
{
    struct accept_args *a = arg;
    for (;;) {
        if (a->length)
            *a->length = a->room;
        int r = accept4(a->fd, a->address, a->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (r >= 0)
            return r;
        ssize_t error = weft__failed();
        if (error != -ECONNABORTED)
            return error;
    }
}

/* A server that only tries again would burn its CPU until somebody closes something. */
static void back_off(void)
{
    static int64_t last_ns, last_at;
    int64_t now = weft_now(), ns = __atomic_load_n(&last_ns, __ATOMIC_RELAXED);
    bool again = now - __atomic_load_n(&last_at, __ATOMIC_RELAXED) < 2 * ns + BACK_OFF_MIN_NS;
    ns = !again ? BACK_OFF_MIN_NS : 2 * ns > BACK_OFF_MAX_NS ? BACK_OFF_MAX_NS : 2 * ns;
    __atomic_store_n(&last_ns, ns, __ATOMIC_RELAXED);
    __atomic_store_n(&last_at, now, __ATOMIC_RELAXED);
    if (weft__self())
        weft_sleep(ns);
}

static int accept_used(const struct weft__use *use, struct sockaddr *address, socklen_t *length,
                       const void *caller)
{
    int e = weft__no_block(use->fd);
    if (e < 0)
        return e;
    struct accept_args args = {use->fd, address, length, length ? *length : 0};
    struct weft__io_call call = {.wait = {.use = use,
                                          .events = POLLIN,
                                          .limit = WEFT__READ_DEADLINE,
                                          .why = WEFT__WAIT_ACCEPT,
                                          .caller = caller},
                                 .attempt = accept_once,
                                 .arg = &args};
    return (int)weft__io_call(&call);
}

int weft_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    int r = (int)weft__use_result(&use, accept_used(&use, address, length, WEFT_CALLER()));
    if (r >= 0)
        weft__fd_adopt(r);
    else if (r == -EMFILE || r == -ENFILE || r == -ENOBUFS || r == -ENOMEM)
        back_off();
    return r;
}

static int connect_result(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return (int)weft__failed();
    return -error;
}

/* An event may have been about something else. */
static bool is_decided(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    return poll(&p, 1, 0) != 0;
}

static int wait_to_connect(const struct weft__use *use, const void *caller)
{
    do {
        struct weft__fd_wait wait = {.use = use,
                                     .word = weft__fd_look(use->state),
                                     .events = POLLOUT,
                                     .limit = WEFT__WRITE_DEADLINE,
                                     .why = WEFT__WAIT_CONNECT,
                                     .caller = caller};
        int e = weft__io_wait(&wait);
        if (e < 0)
            return e;
    } while (!is_decided(use->fd));
    return connect_result(use->fd);
}

/* There is no event for room in the queue of a Unix socket that listens: asks now and then. */
static int connect_in_turns(const struct weft__use *use, const struct sockaddr *address,
                            socklen_t length)
{
    int64_t pause = QUEUE_PAUSE_MIN_NS;
    for (;;) {
        if (is_late(use->state, weft__fd_look(use->state), WEFT__WRITE_DEADLINE))
            return -ETIMEDOUT;
        if (use->state && weft__use_is_closing(use->state))
            return -EBADF;
        int e = connect(use->fd, address, length) == 0 ? 0 : (int)weft__failed();
        if (e != -EAGAIN || address->sa_family != AF_UNIX)
            return e;
        weft__use_stall(use);
        weft_sleep(pause);
        weft__use_go_on(use);
        if (pause < QUEUE_PAUSE_MAX_NS)
            pause *= 2;
    }
}

static int connect_used(const struct weft__use *use, const struct sockaddr *address,
                        socklen_t length, const void *caller)
{
    int fd = use->fd, e = weft__no_block(fd);
    if (e < 0)
        return e;
    e = connect_in_turns(use, address, length);
    if (e != 0 && e != -EINPROGRESS && e != -EINTR)
        return e;
    weft__fd_trust(fd);
    if (e != 0 && (e = wait_to_connect(use, caller)) != 0 && e != WEFT__CLOSED)
        weft__fd_distrust(fd);
    return e;
}

int weft_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return (int)weft__use_result(&use, connect_used(&use, address, length, WEFT_CALLER()));
}

/* ---- poll ---- */

static int poll_now(int fd, short events, int ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r = poll(&p, 1, ms);
    if (r < 0) {
        r = (int)weft__failed();
        return r == -EINTR ? 0 : r;
    }
    if (r > 0 && (p.revents & POLLNVAL))
        return -EBADF;
    return r > 0 ? (int)(unsigned short)p.revents : 0;
}

/* Outside a task. Looks now and then whether the descriptor is to be closed. */
static int poll_thread(const struct weft__use *use, short events, int64_t until)
{
    for (;;) {
        int64_t left = until == INT64_MAX ? WEFT_S : until - weft_now();
        int64_t ms = left <= 0 ? 0 : (left + WEFT_MS - 1) / WEFT_MS;
        int r = poll_now(use->fd, events, ms > POLL_SLICE_MS ? POLL_SLICE_MS : (int)ms);
        if (r != 0 || (until != INT64_MAX && weft_now() >= until))
            return r;
        if (use->state && weft__use_is_closing(use->state))
            return -EBADF;
    }
}

static int poll_task(struct weft_task *t, const struct weft__fd_wait *limits, int64_t timeout_ns)
{
    for (;;) {
        struct weft__fd_wait wait = *limits;
        wait.word = weft__fd_look(wait.use->state);
        int r = poll_now(wait.use->fd, wait.events, 0);
        if (r != 0 || timeout_ns == 0)
            return r;
        r = weft__netpoll_wait(t, &wait);
        if (r == -ETIMEDOUT)
            return 0;
        if (r < 0)
            return r;
    }
}

int weft_poll(int fd, short events, int64_t timeout_ns)
{
    struct weft_task *t = weft__self();
    struct weft__use use;
    int r;
    if (fd < 0 || !weft__use_begin(&use, fd))
        return -EBADF; /* poll(2) passes a negative one over */
    struct weft__fd_wait wait = {.use = &use,
                                 .events = events,
                                 .limit = WEFT__OWN_LIMIT,
                                 .until = timeout_ns < 0 ? INT64_MAX : weft__after_ns(timeout_ns),
                                 .why = WEFT__WAIT_POLL,
                                 .caller = WEFT_CALLER()};
    if (t) {
        r = poll_task(t, &wait, timeout_ns);
    } else {
        weft__use_stall(&use);
        r = poll_thread(&use, events, wait.until);
        weft__use_go_on(&use);
    }
    return (int)weft__use_result(&use, r);
}

/* ---- deadlines ---- */

int weft_set_deadline(int fd, int64_t when)
{
    return weft__fd_set_deadline(fd, 1u << WEFT__READ_DEADLINE | 1u << WEFT__WRITE_DEADLINE, when);
}

int weft_set_read_deadline(int fd, int64_t when)
{
    return weft__fd_set_deadline(fd, 1u << WEFT__READ_DEADLINE, when);
}

int weft_set_write_deadline(int fd, int64_t when)
{
    return weft__fd_set_deadline(fd, 1u << WEFT__WRITE_DEADLINE, when);
}
