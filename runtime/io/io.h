/* What the files of runtime/io share: how a call that would block is waited for. */
#ifndef WEFT_IO_IO_H
#define WEFT_IO_IO_H

#include <errno.h>
#include <poll.h>

#include "runtime/io/netpoll.h"
#include "runtime/io/use.h"

/* -errno. A call, as the compiler takes the address of errno to be the same before and after a
 * wait, where the thread may be another. */
ssize_t weft__failed(void);

/* Waits for the events: in a task by parking, outside by poll(2). 0: try again; or a negative
 * errno. */
int weft__io_wait(const struct weft__fd_wait *wait);

/* A call that is tried until it does not block. It returns a negative errno, and so does this. */
struct weft__io_call {
    struct weft__fd_wait wait;
    ssize_t (*attempt)(void *arg);
    void *arg;
};

ssize_t weft__io_call(struct weft__io_call *call);

/* Makes fd non-blocking: 0 or a negative errno. */
int weft__no_block(int fd);

/* What is no socket: read and write, without stalling the worker. Or a negative errno, -EAGAIN
 * where a wait makes sense. */
ssize_t weft__file_read(const struct weft__use *use, void *buffer, size_t size);
ssize_t weft__file_write(const struct weft__use *use, const void *buffer, size_t size);

/* The same where epoll knows no such kind: on a thread that may block. */
ssize_t weft__blocking_read(const struct weft__use *use, void *buffer, size_t size);
ssize_t weft__blocking_write(const struct weft__use *use, const void *buffer, size_t size);

#endif
