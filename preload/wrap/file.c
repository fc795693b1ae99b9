/*
 * file.c - wrappers of the calls that make and end descriptors, where a table line cannot say it.
 */
#include "preload/wrap/io.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>

/* The mode is there only when a file may be made; the real function is told 0 otherwise, which it
 * ignores. The descriptor's class is found out when it is used. */
static mode_t open_mode(int flags, va_list rest)
{
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE)
        return va_arg(rest, mode_t);
    return 0;
}

#define OPEN(name, params, ...)                                                                    \
    PL_EXPORT int name params                                                                      \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = open_mode(flags, rest);                                                      \
        va_end(rest);                                                                              \
        struct pl_wait w;                                                                          \
        int counted =                                                                              \
            pl_io_waits(PL_IF_HELD) && pl_wait_begin(&w, EL_WAIT_OPEN, PL_NO_FD, 1, PL_CALL());    \
        int fd = PL_REAL(name)(__VA_ARGS__, flags, mode);                                          \
        if (counted)                                                                               \
            pl_wait_end(&w, pl_io_error(fd));                                                      \
        pl_fd_begins(fd, PL_FD_UNKNOWN);                                                           \
        pl_descriptor_opened(fd, EL_FD_FILE, PL_CALL());                                           \
        return fd;                                                                                 \
    }

OPEN(open, (const char *path, int flags, ...), path)
OPEN(open64, (const char *path, int flags, ...), path)
OPEN(__open, (const char *path, int flags, ...), path)
OPEN(__open64, (const char *path, int flags, ...), path)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, path)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, path)

#define PIPE(name, params, args, class, kind)                                                      \
    PL_EXPORT int name params                                                                      \
    {                                                                                              \
        int result = PL_REAL(name) args;                                                           \
        if (result == 0) {                                                                         \
            pl_fd_begins(pair[0], class);                                                          \
            pl_fd_begins(pair[1], class);                                                          \
            pl_descriptor_opened(pair[0], kind, PL_CALL());                                        \
            pl_descriptor_opened(pair[1], kind, PL_CALL());                                        \
        }                                                                                          \
        return result;                                                                             \
    }

PIPE(pipe, (int pair[2]), (pair), PL_FD_WAITS, EL_FD_PIPE)
PIPE(__pipe, (int pair[2]), (pair), PL_FD_WAITS, EL_FD_PIPE)
PIPE(pipe2, (int pair[2], int flags), (pair, flags), pl_fd_flags((flags & O_NONBLOCK) != 0),
     EL_FD_PIPE)
PIPE(socketpair, (int family, int type, int protocol, int pair[2]), (family, type, protocol, pair),
     pl_fd_flags((type & SOCK_NONBLOCK) != 0), EL_FD_SOCKET)

PL_EXPORT int dup(int fd)
{
    int copy = PL_REAL(dup)(fd);
    pl_fd_begins(copy, PL_FD_UNKNOWN);
    pl_descriptor_opened(copy, EL_FD_COPY, PL_CALL());
    return copy;
}

/* What `to` was ends; when both are the same number nothing happens. */
#define DUP2(name, params, args)                                                                   \
    PL_EXPORT int name params                                                                      \
    {                                                                                              \
        if (fd == to)                                                                              \
            return PL_REAL(name) args;                                                             \
        pl_fd_timer_ends(to);                                                                      \
        int copy = PL_REAL(name) args;                                                             \
        pl_fd_begins(copy, PL_FD_UNKNOWN);                                                         \
        pl_descriptor_opened(copy, EL_FD_COPY, PL_CALL());                                         \
        return copy;                                                                               \
    }

DUP2(dup2, (int fd, int to), (fd, to))
DUP2(__dup2, (int fd, int to), (fd, to))
DUP2(dup3, (int fd, int to, int flags), (fd, to, flags))

/* A number is free for others as soon as the real close returned: whoever gets it then says what it
 * is, and this comes late at worst, which makes the class unknown. */
#define CLOSE(name, type)                                                                          \
    PL_EXPORT int name(type fd)                                                                    \
    {                                                                                              \
        pl_fd_timer_ends(fd);                                                                      \
        pl_descriptor_closing(fd, 0);                                                              \
        int result = PL_REAL(name)(fd);                                                            \
        if (fd >= 0 && pl_fd_known(fd) != PL_FD_UNKNOWN)                                           \
            pl_fd_begins(fd, PL_FD_UNKNOWN);                                                       \
        return result;                                                                             \
    }

CLOSE(close, int)
CLOSE(__close, int)
CLOSE(mq_close, mqd_t)

PL_EXPORT int close_range(unsigned lo, unsigned hi, int flags)
{
    int result = PL_REAL(close_range)(lo, hi, flags);
    if (result == 0 && (flags & (int)CLOSE_RANGE_CLOEXEC) == 0) {
        pl_fd_range_ends(lo, hi);
        pl_descriptors_closed(lo, hi);
    }
    return result;
}

PL_EXPORT void closefrom(int lo)
{
    PL_REAL(closefrom)(lo);
    pl_fd_range_ends(lo < 0 ? 0 : (unsigned)lo, ~0u);
    pl_descriptors_closed(lo < 0 ? 0 : (unsigned)lo, ~0u);
}

/* Streams close their descriptors inside the C library. closedir(NULL) is an error and no crash,
 * though its prototype says that no NULL comes: the compiler is not to believe it. */
static int fd_of_file(FILE *stream)
{
    int error = errno;
    __asm__("" : "+r"(stream));
    int fd = stream != NULL ? fileno(stream) : -1;
    errno = error;
    return fd;
}

static int fd_of_dir(DIR *stream)
{
    __asm__("" : "+r"(stream));
    return stream != NULL ? dirfd(stream) : -1;
}

#define STREAM_CLOSE(name, type, fd_of, kind)                                                      \
    PL_EXPORT int name(type *stream)                                                               \
    {                                                                                              \
        int fd = fd_of(stream);                                                                    \
        struct pl_wait w;                                                                          \
        int counted = pl_io_waits(PL_IF_HELD) &&                                                   \
                      pl_wait_begin(&w, kind, (uint64_t)(int64_t)fd, 1, PL_CALL());                \
        pl_descriptor_closing(fd, fd < 0 ? 0 : __fbufsize(stream));                                \
        int result = PL_REAL(name)(stream);                                                        \
        if (counted)                                                                               \
            pl_wait_end(&w, pl_io_error(result));                                                  \
        pl_fd_begins(fd, PL_FD_UNKNOWN);                                                           \
        return result;                                                                             \
    }

STREAM_CLOSE(fclose, FILE, fd_of_file, EL_WAIT_WRITE)
STREAM_CLOSE(pclose, FILE, fd_of_file, EL_WAIT_CHILD)

PL_EXPORT int closedir(DIR *stream)
{
    int fd = fd_of_dir(stream);
    pl_descriptor_closing(fd, 0);
    int result = PL_REAL(closedir)(stream);
    pl_fd_begins(fd, PL_FD_UNKNOWN);
    return result;
}

/* The optional argument is a long, an int or a pointer; like the C library, take the register. */
static int fcntl_call(int (*real)(int, int, ...), int fd, int cmd, void *arg, struct pl_call call)
{
    struct pl_wait w;
    int result;
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        result = real(fd, cmd, arg);
        pl_fd_begins(result, PL_FD_UNKNOWN);
        pl_descriptor_opened(result, EL_FD_COPY, call);
        return result;
    case F_SETFL:
        result = real(fd, cmd, arg);
        if (result == 0)
            pl_fd_blocking(fd, ((uintptr_t)arg & O_NONBLOCK) == 0);
        return result;
    case F_SETLKW:
    case F_OFD_SETLKW:
        pl_wait_begin(&w, EL_WAIT_FLOCK, (uint64_t)(int64_t)fd, 0, call);
        result = real(fd, cmd, arg);
        pl_wait_end(&w, pl_io_error(result));
        return result;
    default:
        return real(fd, cmd, arg);
    }
}

#define FCNTL(name)                                                                                \
    PL_EXPORT int name(int fd, int cmd, ...)                                                       \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, cmd);                                                                       \
        void *arg = va_arg(rest, void *);                                                          \
        va_end(rest);                                                                              \
        return fcntl_call(PL_REAL(name), fd, cmd, arg, PL_CALL());                                 \
    }

FCNTL(fcntl)
FCNTL(fcntl64)
FCNTL(__fcntl)

PL_EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *arg = va_arg(rest, void *);
    va_end(rest);
    int result = PL_REAL(ioctl)(fd, request, arg);
    if (request == FIONBIO && result == 0)
        pl_fd_blocking(fd, *(int *)arg == 0);
    return result;
}
