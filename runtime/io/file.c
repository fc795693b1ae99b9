/*
 * Descriptors that are no sockets. What is in memory, and pipes, are read and written here and now
 * (RWF_NOWAIT). A regular file that would make the thread wait for its disk is handed to a thread
 * that may block; epoll knows no regular files, which tells them from a pipe that is empty. What
 * knows no RWF_NOWAIT (terminals, older kernels) is made non-blocking.
 */
#include "runtime/io/io.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL /* Linux 6.18 */
#define RWF_NOSIGNAL 0x100
#endif

/* ---- calls on a thread that may block ---- */

enum op { READ, WRITE, PREAD, PWRITE, FSYNC, OPEN };

struct job {
    enum op op;
    const struct weft__use *use; /* NULL: OPEN */
    int flags;
    mode_t mode;
    const char *path;
    void *buffer;
    size_t size;
    off_t offset;
    ssize_t result; /* or a negative errno */
};

static ssize_t call(const struct job *job)
{
    int fd = job->use ? job->use->fd : -1;
    switch (job->op) {
    case READ:
        return read(fd, job->buffer, job->size);
    case WRITE:
        return write(fd, job->buffer, job->size);
    case PREAD:
        return pread(fd, job->buffer, job->size, job->offset);
    case PWRITE:
        return pwrite(fd, job->buffer, job->size, job->offset);
    case FSYNC:
        return fsync(fd);
    case OPEN:
        return open(job->path, job->flags, job->mode);
    }
    return -1;
}

static void run_job(void *arg)
{
    struct job *job = arg;
    do {
        job->result = call(job);
        if (job->result < 0)
            job->result = weft__failed();
    } while (job->result == -EINTR);
}

static ssize_t do_blocking(struct job *job)
{
    if (job->use)
        weft__use_stall(job->use);
    if (weft_blocking(run_job, job) != 0)
        run_job(job); /* no thread could be had */
    if (job->use)
        weft__use_go_on(job->use);
    return job->result;
}

ssize_t weft__blocking_read(const struct weft__use *use, void *buffer, size_t size)
{
    return do_blocking(&(struct job){.op = READ, .use = use, .buffer = buffer, .size = size});
}

ssize_t weft__blocking_write(const struct weft__use *use, const void *buffer, size_t size)
{
    return do_blocking(
        &(struct job){.op = WRITE, .use = use, .buffer = (void *)(uintptr_t)buffer, .size = size});
}

/* ---- read and write ---- */

/* No RWF_NOWAIT here. */
static bool is_unknown(ssize_t r)
{
    return r == -EOPNOTSUPP || r == -ENOSYS;
}

/* Of those that know no RWF_NOWAIT. */
static bool may_stall(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

ssize_t weft__file_read(const struct weft__use *use, void *buffer, size_t size)
{
    int fd = use->fd;
    struct iovec v = {buffer, size};
    ssize_t r = preadv2(fd, &v, 1, -1, RWF_NOWAIT);
    if (r < 0)
        r = weft__failed();
    if (!is_unknown(r))
        return r;
    if (may_stall(fd))
        return weft__blocking_read(use, buffer, size);
    weft__no_block(fd); /* where that fails, so does read */
    r = read(fd, buffer, size);
    return r < 0 ? weft__failed() : r;
}

/* write(2) where a broken pipe is an error and no signal. One that was there before stays. */
static ssize_t write_unsignalled(int fd, const struct iovec *v, int flags)
{
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigemptyset(&pending);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    if (sigismember(&before, SIGPIPE))
        sigpending(&pending);
    ssize_t r = flags ? pwritev2(fd, v, 1, -1, flags) : writev(fd, v, 1);
    if (r < 0)
        r = weft__failed();
    if (r == -EPIPE && !sigismember(&pending, SIGPIPE)) {
        struct timespec none = {0, 0};
        while (sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static ssize_t write_no_wait(int fd, const struct iovec *v)
{
    static bool no_flag; /* the kernel knows no RWF_NOSIGNAL */
    if (!__atomic_load_n(&no_flag, __ATOMIC_RELAXED)) {
        ssize_t r = pwritev2(fd, v, 1, -1, RWF_NOWAIT | RWF_NOSIGNAL);
        if (r < 0)
            r = weft__failed();
        if (!is_unknown(r))
            return r;
    }
    ssize_t r = write_unsignalled(fd, v, RWF_NOWAIT);
    if (!is_unknown(r))
        __atomic_store_n(&no_flag, true, __ATOMIC_RELAXED);
    return r;
}

ssize_t weft__file_write(const struct weft__use *use, const void *buffer, size_t size)
{
    int fd = use->fd;
    struct iovec v = {(void *)(uintptr_t)buffer, size};
    ssize_t r = write_no_wait(fd, &v);
    if (!is_unknown(r))
        return r;
    if (may_stall(fd))
        return weft__blocking_write(use, buffer, size);
    weft__no_block(fd);
    return write_unsignalled(fd, &v, 0);
}

/* ---- files ---- */

static ssize_t read_at(const struct weft__use *use, void *buffer, size_t size, off_t offset)
{
    struct iovec v = {buffer, size};
    ssize_t r;
    do {
        r = preadv2(use->fd, &v, 1, offset, RWF_NOWAIT);
        if (r < 0)
            r = weft__failed();
    } while (r == -EINTR);
    if (r != -EAGAIN && !is_unknown(r))
        return r;
    return do_blocking(
        &(struct job){.op = PREAD, .use = use, .buffer = buffer, .size = size, .offset = offset});
}

ssize_t weft_pread(int fd, void *buffer, size_t size, off_t offset)
{
    struct weft__use use;
    if (offset < 0)
        return -EINVAL;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, read_at(&use, buffer, size, offset));
}

static ssize_t write_at(const struct weft__use *use, const char *buffer, size_t size, off_t offset)
{
    size_t done = 0;
    do {
        struct iovec v = {(char *)(uintptr_t)buffer + done, size - done};
        off_t at = offset + (off_t)done;
        ssize_t r = pwritev2(use->fd, &v, 1, at, RWF_NOWAIT);
        if (r < 0)
            r = weft__failed();
        if (r == -EAGAIN || is_unknown(r))
            r = do_blocking(&(struct job){
                .op = PWRITE, .use = use, .buffer = v.iov_base, .size = v.iov_len, .offset = at});
        if (r < 0 && r != -EINTR)
            return r;
        done += r > 0 ? (size_t)r : 0;
    } while (done < size);
    return (ssize_t)done;
}

ssize_t weft_pwrite(int fd, const void *buffer, size_t size, off_t offset)
{
    struct weft__use use;
    if (offset < 0)
        return -EINVAL;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return weft__use_result(&use, write_at(&use, buffer, size, offset));
}

int weft_fsync(int fd)
{
    struct weft__use use;
    if (!weft__use_begin(&use, fd))
        return -EBADF;
    return (int)weft__use_result(&use, do_blocking(&(struct job){.op = FSYNC, .use = &use}));
}

int weft_open(const char *path, int flags, mode_t mode)
{
    struct job job = {.op = OPEN, .path = path, .flags = flags | O_CLOEXEC, .mode = mode};
    int fd = (int)do_blocking(&job);
    if (fd >= 0)
        weft__fd_forget(fd);
    return fd;
}
