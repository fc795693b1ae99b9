/* The rest of the socket calls: several buffers, messages, a file sent as it is. */
#include "runtime/io/io.h"

#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

enum { IOV_MAX_OWN = 1024 };

struct message {
    const struct weft__use *use;
    int flags;
    struct msghdr *header;
};

static ssize_t result(ssize_t r)
{
    return r < 0 ? weft__failed() : r;
}

static ssize_t recv_once(void *arg)
{
    const struct message *m = arg;
    return result(recvmsg(m->use->fd, m->header, m->flags | MSG_DONTWAIT));
}

static ssize_t send_once(void *arg)
{
    const struct message *m = arg;
    return result(sendmsg(m->use->fd, m->header, m->flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

static ssize_t receive(struct message *m, const void *caller)
{
    struct weft__io_call call = {.wait = {.use = m->use,
                                          .events = POLLIN,
                                          .limit = WEFT__READ_DEADLINE,
                                          .why = WEFT__WAIT_READ,
                                          .caller = caller},
                                 .attempt = recv_once,
                                 .arg = m};
    if (m->flags & (MSG_DONTWAIT | MSG_ERRQUEUE))
        return recv_once(m);
    return weft__io_call(&call);
}

static ssize_t transmit(struct message *m, const void *caller)
{
    struct weft__io_call call = {.wait = {.use = m->use,
                                          .events = POLLOUT,
                                          .limit = WEFT__WRITE_DEADLINE,
                                          .why = WEFT__WAIT_WRITE,
                                          .caller = caller},
                                 .attempt = send_once,
                                 .arg = m};
    if (m->flags & MSG_DONTWAIT)
        return send_once(m);
    return weft__io_call(&call);
}

ssize_t weft_recvmsg(int fd, struct msghdr *message, int flags)
{
    struct weft__use use;
    struct message m = {&use, flags, message};
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, receive(&m, WEFT_CALLER()));
}

ssize_t weft_sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct msghdr header = *message;
    struct weft__use use;
    struct message m = {&use, flags, &header};
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, transmit(&m, WEFT_CALLER()));
}

ssize_t weft_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *address,
                      socklen_t *length)
{
    struct iovec v = {buffer, size};
    struct msghdr header = {.msg_name = address,
                            .msg_namelen = address && length ? *length : 0,
                            .msg_iov = &v,
                            .msg_iovlen = 1};
    struct weft__use use;
    struct message m = {&use, flags, &header};
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    ssize_t r = weft__use_result(&use, receive(&m, WEFT_CALLER()));
    if (r >= 0 && length)
        *length = header.msg_namelen;
    return r;
}

ssize_t weft_sendto(int fd, const void *buffer, size_t size, int flags,
                    const struct sockaddr *address, socklen_t length)
{
    struct iovec v = {(void *)(uintptr_t)buffer, size};
    struct msghdr header = {.msg_name = (void *)(uintptr_t)address,
                            .msg_namelen = length,
                            .msg_iov = &v,
                            .msg_iovlen = 1};
    return weft_sendmsg(fd, &header, flags);
}

/* ---- several buffers ---- */

/* What is no socket is read into the first buffer with room. */
ssize_t weft_readv(int fd, const struct iovec *buffers, int count)
{
    if (count < 0 || count > IOV_MAX_OWN)
        return -EINVAL;
    int with_room = 0;
    while (with_room < count && buffers[with_room].iov_len == 0)
        with_room++;
    if (with_room == count)
        return weft_read(fd, NULL, 0);
    struct msghdr header = {.msg_iov = (struct iovec *)(uintptr_t)buffers,
                            .msg_iovlen = (size_t)count};
    struct weft__use use;
    struct message m = {&use, 0, &header};
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    ssize_t r = receive(&m, WEFT_CALLER());
    if (r == -ENOTSOCK)
        r = weft_read(fd, buffers[with_room].iov_base, buffers[with_room].iov_len);
    return weft__use_result(&use, r);
}

/* Takes `done` bytes off the buffers; how many buffers are left. */
static int advance(struct iovec *v, int count, size_t done)
{
    int i = 0;
    while (i < count && done >= v[i].iov_len)
        done -= v[i++].iov_len;
    if (i < count) {
        v[i].iov_base = (char *)v[i].iov_base + done;
        v[i].iov_len -= done;
    }
    for (int to = 0; to + i < count && i > 0; to++)
        v[to] = v[to + i];
    return count - i;
}

static ssize_t write_each(int fd, const struct iovec *v, int count)
{
    ssize_t total = 0;
    for (int i = 0; i < count; i++) {
        ssize_t r = v[i].iov_len ? weft_write(fd, v[i].iov_base, v[i].iov_len) : 0;
        if (r < 0)
            return r;
        total += r;
    }
    return total;
}

/* At most so many at a time. */
static ssize_t write_some(const struct weft__use *use, const struct iovec *buffers, int count,
                          const void *caller)
{
    enum { AT_ONCE = 64 };
    struct iovec v[AT_ONCE];
    ssize_t total = 0;
    for (int from = 0; from < count; from += AT_ONCE) {
        int left = count - from < AT_ONCE ? count - from : AT_ONCE;
        for (int i = 0; i < left; i++)
            v[i] = buffers[from + i];
        for (left = advance(v, left, 0); left > 0;) {
            struct msghdr header = {.msg_iov = v, .msg_iovlen = (size_t)left};
            struct message m = {use, 0, &header};
            ssize_t r = transmit(&m, caller);
            if (r == -ENOTSOCK)
                return write_each(use->fd, buffers, count);
            if (r < 0)
                return r;
            total += r;
            left = advance(v, left, (size_t)r);
        }
    }
    return total;
}

ssize_t weft_writev(int fd, const struct iovec *buffers, int count)
{
    struct weft__use use;
    if (count < 0 || count > IOV_MAX_OWN)
        return -EINVAL;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, write_some(&use, buffers, count, WEFT_CALLER()));
}

/* ---- sendfile ---- */

struct transfer {
    const struct weft__use *to, *from;
    off_t *offset;
    size_t size;
    ssize_t result;
};

static void transfer(void *arg)
{
    struct transfer *t = arg;
    t->result = result(sendfile(t->to->fd, t->from->fd, t->offset, t->size));
}

/* The file may have to be read from its disk, so always on a thread that may block. The socket does
 * not block there. */
static ssize_t sendfile_once(void *arg)
{
    struct transfer *t = arg;
    weft__use_stall(t->to);
    if (weft_blocking(transfer, t) != 0)
        transfer(t);
    weft__use_go_on(t->to);
    return t->result;
}

static ssize_t send_all(struct transfer *t, const void *caller)
{
    size_t done = 0, size = t->size;
    int e = weft__no_block(t->to->fd);
    if (e < 0)
        return e;
    while (done < size) {
        t->size = size - done;
        struct weft__io_call call = {.wait = {.use = t->to,
                                              .events = POLLOUT,
                                              .limit = WEFT__WRITE_DEADLINE,
                                              .why = WEFT__WAIT_WRITE,
                                              .caller = caller},
                                     .attempt = sendfile_once,
                                     .arg = t};
        ssize_t r = weft__io_call(&call);
        if (r < 0)
            return r;
        if (r == 0)
            break;
        done += (size_t)r;
    }
    return (ssize_t)done;
}

ssize_t weft_sendfile(int to, int from, off_t *offset, size_t size)
{
    struct weft__use to_use, from_use;
    if (!weft__use_begin(&to_use, to))
        return -EBADF;
    if (!weft__use_begin(&from_use, from))
        return weft__use_result(&to_use, -EBADF);
    struct transfer t = {&to_use, &from_use, offset, size, 0};
    weft__use_stall(&from_use);
    ssize_t r = send_all(&t, WEFT_CALLER());
    weft__use_go_on(&from_use);
    weft__use_end(&from_use);
    return weft__use_result(&to_use, r);
}
