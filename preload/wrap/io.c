/*
 * io.c - wrappers of the calls that do IO or wait for the outside.
 *
 * Nearly all of them are made from the lines of symbols-io.def: a call that may wait tells its
 * actor's cell what it waits for while the real function runs. Descriptors that begin and end are
 * in file.c.
 *
 * A thread that is cancelled inside the real call, or leaves it by longjmp, never comes back here:
 * core/wait.h copes with the end that was skipped, so no cleanup handler is needed.
 */
#include "preload/wrap/io.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#define PL_SYMBOL(ret, name, params)

/*
 * The way of a call on /dev/null is a handful of instructions: the exported function keeps no frame
 * and calls nothing, and leaves everything else to a second one by a jump. So the second one finds
 * the caller's frame where the first one would (PL_CALL); this is why optimisation is on for the
 * first in every build. The second is that of most calls of a server, and touches little; it
 * leaves the rest to a third one in the same way.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define SECOND_WAY static __attribute__((noipa, optimize("O2", "no-omit-frame-pointer")))
#define THIRD_WAY  static __attribute__((noipa))
#else
#define SECOND_WAY static __attribute__((noinline))
#define THIRD_WAY  static __attribute__((noinline))
#endif

/* Those that servers make for each request. */
#define OFTEN(ret, name, params)                                                                   \
    PL_USUAL ret name params;                                                                      \
    PL_USUAL SECOND_WAY ret quick_##name params;
OFTEN(ssize_t, read, (int fd, void *buf, size_t n))
OFTEN(ssize_t, recv, (int fd, void *buf, size_t n, int flags))
OFTEN(ssize_t, readv, (int fd, const struct iovec *v, int n))
OFTEN(ssize_t, write, (int fd, const void *buf, size_t n))
OFTEN(ssize_t, send, (int fd, const void *buf, size_t n, int flags))
OFTEN(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags))
OFTEN(ssize_t, writev, (int fd, const struct iovec *v, int n))
PL_USUAL int epoll_wait(int fd, struct epoll_event *e, int n, int ms);
PL_USUAL int poll(struct pollfd *p, nfds_t n, int ms);

#define THREE_WAYS(ret, name, params, args, fd)                                                    \
    SECOND_WAY ret quick_##name params                                                             \
    {                                                                                              \
        if (!pl_io_known_noblock((int)(fd)))                                                       \
            return slow_##name args;                                                               \
        ret answer = PL_LOAD(name) args;                                                           \
        pl_io_tried((intptr_t)answer, PL_CALL());                                                  \
        return answer;                                                                             \
    }                                                                                              \
    PL_EXPORT PL_FRAMELESS ret name params                                                         \
    {                                                                                              \
        if (__builtin_expect(pl_io_none(fd), 1))                                                   \
            return PL_LOAD(name) args;                                                             \
        return quick_##name args;                                                                  \
    }

#define PL_IO_FD(ret, name, params, args, kind, fd)                                                \
    THIRD_WAY ret slow_##name params                                                               \
    {                                                                                              \
        pl_descriptor_used((int)(fd));                                                             \
        if (pl_io_plain(fd)) {                                                                     \
            ret at_once = PL_REAL(name) args;                                                      \
            pl_io_answered((int)(fd), (intptr_t)at_once, PL_CALL());                               \
            return at_once;                                                                        \
        }                                                                                          \
        struct pl_wait waiting;                                                                    \
        pl_wait_begin(&waiting, EL_WAIT_##kind, (uint64_t)(fd), 0, PL_CALL());                     \
        ret answer = PL_REAL(name) args;                                                           \
        pl_wait_end(&waiting, pl_io_error((intptr_t)answer));                                      \
        return answer;                                                                             \
    }                                                                                              \
    THREE_WAYS(ret, name, params, args, fd)

/* `after`: what is looked at when it is over. */
#define WAITS(ret, name, params, args, kind, object, timed, after)                                 \
    PL_EXPORT ret name params                                                                      \
    {                                                                                              \
        enum pl_io_timed how = timed;                                                              \
        if (!pl_io_waits(how)) {                                                                   \
            ret at_once = PL_REAL(name) args;                                                      \
            if (how == PL_AT_ONCE && (intptr_t)at_once == 0)                                       \
                pl_io_asked(kind, PL_CALL());                                                      \
            return at_once;                                                                        \
        }                                                                                          \
        struct pl_wait waiting;                                                                    \
        pl_wait_begin(&waiting, kind, (uint64_t)(object), how != PL_UNTIMED, PL_CALL());           \
        ret answer = PL_REAL(name) args;                                                           \
        pl_wait_end(&waiting, pl_io_error((intptr_t)answer));                                      \
        after return answer;                                                                       \
    }

#define PL_IO_WAIT(ret, name, params, args, kind, object, timed)                                   \
    WAITS(ret, name, params, args, EL_WAIT_##kind, object, timed,                                  \
          if (EL_WAIT_##kind == EL_WAIT_SLEEP && how == PL_NAP && waiting.actor != NULL)           \
              pl_spin_napped(pl_spin_waited_before(&waiting), PL_CALL());)

/* A write that is awaited and never made: the poll finds it possible each time. */
#define PL_IO_READY(ret, name, params, args, object, timed, found)                                 \
    WAITS(ret, name, params, args, EL_WAIT_POLL, object, timed,                                    \
          const uint64_t where = answer > 0 ? found : 0;                                           \
          if (__builtin_expect(where != 0 && waiting.actor != NULL, 0))                            \
              pl_spin_writable(where, pl_spin_waited_before(&waiting), PL_CALL());)

/* With a lock held the call counts, though it waits for nobody. EL_WAIT_NONE: it never does. */
#define PL_FD_NEW(ret, name, params, args, kind, class, what)                                      \
    PL_EXPORT ret name params                                                                      \
    {                                                                                              \
        struct pl_wait waiting;                                                                    \
        int counted = EL_WAIT_##kind != EL_WAIT_NONE && pl_io_waits(PL_IF_HELD) &&                 \
                      pl_wait_begin(&waiting, EL_WAIT_##kind, PL_NO_FD, 1, PL_CALL());             \
        ret made = PL_REAL(name) args;                                                             \
        if (counted)                                                                               \
            pl_wait_end(&waiting, pl_io_error(made));                                              \
        pl_fd_begins(made, class);                                                                 \
        pl_descriptor_opened(made, EL_FD_##what, PL_CALL());                                       \
        return made;                                                                               \
    }

/* Where a poll answered that one may write, and nothing else; 0: there was more, or nothing. The
 * kernel has just written what is read here. */
#define WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)

static uint64_t writable_events(const struct epoll_event *e, int n)
{
    for (int i = 0; i < n; i++)
        if ((e[i].events & ~(uint32_t)WRITABLE) != 0)
            return 0;
    return n > 0 ? e[0].data.u64 + 1 : 0;
}

static uint64_t writable_polled(const struct pollfd *p, nfds_t n)
{
    uint64_t first = 0;
    for (nfds_t i = 0; i < n; i++) {
        if ((p[i].revents & ~WRITABLE) != 0)
            return 0;
        if (first == 0 && p[i].revents != 0)
            first = (uint64_t)p[i].fd + 1;
    }
    return first;
}

/* Of so many descriptors, is none in the set? The kernel has written whole words of it. */
static int is_empty(const fd_set *set, int n)
{
    for (int i = 0; set != NULL && i < n; i += NFDBITS)
        if (set->fds_bits[i / NFDBITS] != 0)
            return 0;
    return 1;
}

static uint64_t writable_selected(int n, const fd_set *r, const fd_set *w, const fd_set *x)
{
    if (w == NULL || !is_empty(r, n) || !is_empty(x, n))
        return 0;
    for (int i = 0; i < n; i += NFDBITS)
        if (w->fds_bits[i / NFDBITS] != 0)
            return (uint64_t)(i + __builtin_ctzl((unsigned long)w->fds_bits[i / NFDBITS])) + 1;
    return 0;
}

#include "preload/wrap/symbols-io.def"

/* A timerfd gives eight bytes, the number of expirations that nobody had taken. */
static void after_read(int fd, const void *buf, ssize_t n)
{
    if (n == (ssize_t)sizeof(uint64_t) && pl_fd_known(fd) == PL_FD_TIMER) {
        uint64_t count;
        __builtin_memcpy(&count, buf, sizeof count);
        pl_timerfd_taken(fd, count);
    }
}

#define READ(name, params, args)                                                                   \
    THIRD_WAY ssize_t slow_##name params                                                           \
    {                                                                                              \
        pl_descriptor_used(fd);                                                                    \
        if (pl_io_plain(fd)) {                                                                     \
            ssize_t at_once = PL_REAL(name) args;                                                  \
            pl_io_answered(fd, (intptr_t)at_once, PL_CALL());                                      \
            return at_once;                                                                        \
        }                                                                                          \
        struct pl_wait w;                                                                          \
        pl_wait_begin(&w, EL_WAIT_READ, (uint64_t)fd, 0, PL_CALL());                               \
        ssize_t result = PL_REAL(name) args;                                                       \
        pl_wait_end(&w, pl_io_error(result));                                                      \
        after_read(fd, buf, result);                                                               \
        return result;                                                                             \
    }                                                                                              \
    THREE_WAYS(ssize_t, name, params, args, fd)

READ(read, (int fd, void *buf, size_t n), (fd, buf, n))
READ(__read, (int fd, void *buf, size_t n), (fd, buf, n))
READ(__read_chk, (int fd, void *buf, size_t n, size_t room), (fd, buf, n, room))

/* The listener is as ready as before. */
static void not_accepted(int fd, int result, struct pl_call call)
{
    if (result >= 0)
        pl_spin_not();
    else if (errno == EMFILE || errno == ENFILE)
        pl_spin_refused(EL_SPIN_NO_FD, (uint64_t)fd, call);
}

/* That connections are accepted with a lock held is known even where it takes no wait: it tells
 * what the lock is for. */
#define ACCEPT(name, params, args, class)                                                          \
    PL_EXPORT int name params                                                                      \
    {                                                                                              \
        pl_descriptor_used(fd);                                                                    \
        if (__builtin_expect(pl_io_plain(fd) && !pl_holds_lock(), 1)) {                            \
            int plain = PL_REAL(name) args;                                                        \
            pl_io_answered(fd, plain, PL_CALL());                                                  \
            not_accepted(fd, plain, PL_CALL());                                                    \
            pl_fd_begins(plain, class);                                                            \
            pl_descriptor_opened(plain, EL_FD_ACCEPTED, PL_CALL());                                \
            return plain;                                                                          \
        }                                                                                          \
        struct pl_wait w;                                                                          \
        pl_wait_begin(&w, EL_WAIT_ACCEPT, (uint64_t)fd, 0, PL_CALL());                             \
        int result = PL_REAL(name) args;                                                           \
        pl_wait_end(&w, pl_io_error(result));                                                      \
        pl_io_answered(fd, result, PL_CALL());                                                     \
        not_accepted(fd, result, PL_CALL());                                                       \
        pl_fd_begins(result, class);                                                               \
        pl_descriptor_opened(result, EL_FD_ACCEPTED, PL_CALL());                                   \
        return result;                                                                             \
    }

/* What to. The kernel has read it before it was refused. */
static uint64_t address_of(const struct sockaddr *to, socklen_t len)
{
    const unsigned char *bytes = (const unsigned char *)to;
    uint64_t sum = 0xcbf29ce484222325u;
    for (socklen_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3u;
    return sum | 1;
}

#define CONNECT(name)                                                                              \
    PL_EXPORT int name(int fd, __CONST_SOCKADDR_ARG to, socklen_t len)                             \
    {                                                                                              \
        pl_descriptor_used(fd);                                                                    \
        struct pl_wait w;                                                                          \
        const int waits =                                                                          \
            !pl_io_plain(fd) && pl_wait_begin(&w, EL_WAIT_CONNECT, (uint64_t)fd, 0, PL_CALL());    \
        int result = PL_REAL(name)(fd, to, len);                                                   \
        if (waits)                                                                                 \
            pl_wait_end(&w, pl_io_error(result));                                                  \
        else                                                                                       \
            pl_io_answered(fd, result, PL_CALL());                                                 \
        if (result == 0 || errno == EINPROGRESS)                                                   \
            pl_spin_not();                                                                         \
        else if (errno == ECONNREFUSED || errno == ENOENT)                                         \
            pl_spin_refused(EL_SPIN_REFUSED, address_of(to.__sockaddr__, len), PL_CALL());         \
        return result;                                                                             \
    }

CONNECT(connect)
CONNECT(__connect)

ACCEPT(accept, (int fd, __SOCKADDR_ARG from, socklen_t *len), (fd, from, len), PL_FD_WAITS)
ACCEPT(accept4, (int fd, __SOCKADDR_ARG from, socklen_t *len, int flags), (fd, from, len, flags),
       pl_fd_flags((flags & SOCK_NONBLOCK) != 0))

PL_EXPORT void sync(void)
{
    struct pl_wait w;
    pl_wait_begin(&w, EL_WAIT_FSYNC, PL_NO_FD, 1, PL_CALL());
    PL_REAL(sync)();
    pl_wait_end(&w, 0);
}
