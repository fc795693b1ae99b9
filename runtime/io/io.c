/*
 * Reading, writing, accepting, connecting: the call first, and a wait only where it would block.
 * Sockets are asked not to block call by call; other descriptors are made non-blocking.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "runtime/io/netpoll.h"
#include "runtime/time/timers.h"

/* For what is not a socket. True if a wait makes sense: it does not block now. */
static bool no_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return false;
    return (flags & O_NONBLOCK) || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool would_block(ssize_t r)
{
    return r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* Waits for fd: in a task by parking, outside by poll(2). 0, or a negative errno. */
static int wait_for(int fd, short events, enum weft__wait why, const void *caller)
{
    struct weft_task *t = weft__self();
    if (t) {
        int r = weft__netpoll_wait(t, fd, events, INT64_MAX, why, caller);
        return r < 0 ? r : 0;
    }
    struct pollfd p = {.fd = fd, .events = events};
    int r;
    do
        r = poll(&p, 1, -1);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static ssize_t read_once(int fd, void *buffer, size_t size)
{
    ssize_t r = recv(fd, buffer, size, MSG_DONTWAIT);
    if (r < 0 && errno == ENOTSOCK) {
        no_block(fd);
        r = read(fd, buffer, size);
    }
    return r;
}

ssize_t weft_read(int fd, void *buffer, size_t size)
{
    for (;;) {
        ssize_t r = read_once(fd, buffer, size);
        if (r >= 0)
            return r;
        if (would_block(r)) {
            int e = wait_for(fd, POLLIN, WEFT__WAIT_READ, WEFT_CALLER());
            if (e < 0)
                return e;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
}

static ssize_t write_once(int fd, const void *buffer, size_t size)
{
    ssize_t r = send(fd, buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (r < 0 && errno == ENOTSOCK) {
        no_block(fd);
        r = write(fd, buffer, size);
    }
    return r;
}

ssize_t weft_write(int fd, const void *buffer, size_t size)
{
    size_t done = 0;
    do {
        ssize_t r = write_once(fd, (const char *)buffer + done, size - done);
        if (r >= 0) {
            done += (size_t)r;
        } else if (would_block(r)) {
            int e = wait_for(fd, POLLOUT, WEFT__WAIT_WRITE, WEFT_CALLER());
            if (e < 0)
                return e;
        } else if (errno != EINTR) {
            return -errno;
        }
    } while (done < size);
    return (ssize_t)done;
}

int weft_accept(int fd, struct sockaddr *address, socklen_t *length)
{
    if (!no_block(fd))
        return -errno;
    for (;;) {
        int r = accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (r >= 0)
            return r;
        if (would_block(r)) {
            int e = wait_for(fd, POLLIN, WEFT__WAIT_ACCEPT, WEFT_CALLER());
            if (e < 0)
                return e;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return -errno;
        }
    }
}

int weft_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (!no_block(fd))
        return -errno;
    if (connect(fd, address, length) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    int e = wait_for(fd, POLLOUT, WEFT__WAIT_CONNECT, WEFT_CALLER());
    if (e < 0)
        return e;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return -errno;
    return -error;
}

static int poll_now(int fd, short events, int ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r = poll(&p, 1, ms);
    if (r < 0)
        return errno == EINTR ? 0 : -errno;
    if (r > 0 && (p.revents & POLLNVAL))
        return -EBADF;
    return r > 0 ? (int)(unsigned short)p.revents : 0;
}

/* Outside a task. */
static int poll_thread(int fd, short events, int64_t until)
{
    for (;;) {
        int64_t left = until == INT64_MAX ? WEFT_S : until - weft_now();
        int64_t ms = left <= 0 ? 0 : left > WEFT_S ? 1000 : (left + WEFT_MS - 1) / WEFT_MS;
        int r = poll_now(fd, events, (int)ms);
        if (r != 0 || (until != INT64_MAX && weft_now() >= until))
            return r;
    }
}

int weft_poll(int fd, short events, int64_t timeout_ns)
{
    struct weft_task *t = weft__self();
    int64_t until = timeout_ns < 0 ? INT64_MAX : weft__after_ns(timeout_ns);
    if (!t)
        return poll_thread(fd, events, until);
    for (;;) {
        int r = poll_now(fd, events, 0);
        if (r != 0 || timeout_ns == 0)
            return r;
        r = weft__netpoll_wait(t, fd, events, until, WEFT__WAIT_POLL, WEFT_CALLER());
        if (r == -ETIMEDOUT)
            return 0;
        if (r < 0)
            return r;
    }
}

int weft_close(int fd)
{
    weft__netpoll_forget(fd);
    return close(fd) == 0 ? 0 : -errno;
}
