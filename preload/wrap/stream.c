/*
 * stream.c - wrappers of the calls by which the C library opens a descriptor inside, as a stream of
 * bytes or of names; and epoll_ctl, by which a descriptor is watched. fclose, pclose and closedir
 * are in file.c.
 */
#include "preload/wrap/io.h"

#include <dirent.h>
#include <string.h>
#include <sys/epoll.h>

static void stream_opened(FILE *stream, const char *mode, struct pl_call call)
{
    if (stream == NULL)
        return;
    int error = errno;
    enum el_fd_kind kind = mode != NULL && mode[0] == 'r' && strchr(mode, '+') == NULL
                               ? EL_FD_STREAM_IN
                               : EL_FD_STREAM_OUT;
    pl_descriptor_opened(fileno(stream), kind, call);
    errno = error;
}

#define STREAM(name, params, args, mode)                                                           \
    PL_EXPORT FILE *name params                                                                    \
    {                                                                                              \
        struct pl_wait w;                                                                          \
        int counted =                                                                              \
            pl_io_waits(PL_IF_HELD) && pl_wait_begin(&w, EL_WAIT_OPEN, PL_NO_FD, 1, PL_CALL());    \
        FILE *stream = PL_REAL(name) args;                                                         \
        if (counted)                                                                               \
            pl_wait_end(&w, stream == NULL ? errno : 0);                                           \
        stream_opened(stream, mode, PL_CALL());                                                    \
        return stream;                                                                             \
    }

STREAM(fopen, (const char *path, const char *mode), (path, mode), mode)
STREAM(fopen64, (const char *path, const char *mode), (path, mode), mode)
STREAM(popen, (const char *command, const char *mode), (command, mode), mode)
STREAM(tmpfile, (void), (), NULL)
STREAM(tmpfile64, (void), (), NULL)

PL_EXPORT DIR *opendir(const char *path)
{
    DIR *stream = PL_REAL(opendir)(path);
    if (stream != NULL)
        pl_descriptor_opened(dirfd(stream), EL_FD_DIR, PL_CALL());
    return stream;
}

/* What the stream does with the descriptor from here on is not seen. */
PL_EXPORT FILE *fdopen(int fd, const char *mode)
{
    FILE *stream = PL_REAL(fdopen)(fd, mode);
    if (stream != NULL)
        pl_descriptor_watched(fd, 1);
    return stream;
}

PL_EXPORT int epoll_ctl(int loop, int change, int fd, struct epoll_event *event)
{
    int result = PL_REAL(epoll_ctl)(loop, change, fd, event);
    if (result == 0)
        pl_descriptor_watched(fd, change != EPOLL_CTL_DEL);
    return result;
}
