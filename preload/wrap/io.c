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

/* `told`: what is looked at when a call on what answers at once is over. */
#define THREE_WAYS(ret, name, params, args, fd, told)                                              \
    SECOND_WAY ret quick_##name params                                                             \
    {                                                                                              \
        if (!pl_io_known_noblock((int)(fd)))                                                       \
            return slow_##name args;                                                               \
        ret answer = PL_LOAD(name) args;                                                           \
        told return answer;                                                                        \
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
    THREE_WAYS(ret, name, params, args, fd, pl_io_tried((intptr_t)answer, PL_CALL());)

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

/* What is found each time and never taken: a write that is possible and not made, all else. */
#define PL_IO_READY(ret, name, params, args, object, timed, found, asked)                          \
    WAITS(ret, name, params, args, EL_WAIT_POLL, object, timed,                                    \
          if (answer > 0 && waiting.actor != NULL &&                                               \
              __builtin_expect(pl_spin_polled(pl_spin_waited_before(&waiting)), 0))                \
              found_again(found, &waiting, PL_CALL());                                             \
          if (answer >= 0) asked;)

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

/* What a poll answered, as the kernel has just written it: of what it found something, at first of
 * what is more than that one may write. 0: of nothing that can be told. */
struct ready {
    uint64_t what;
    int more;
};

#define WRITABLE (POLLOUT | POLLWRNORM | POLLWRBAND)

static struct ready ready_events(const struct epoll_event *e, int n)
{
    for (int i = 0; i < n; i++)
        if ((e[i].events & ~(uint32_t)WRITABLE) != 0)
            return (struct ready){e[i].data.u64 + 1, 1};
    return (struct ready){n > 0 ? e[0].data.u64 + 1 : 0, 0};
}

static struct ready ready_polled(const struct pollfd *p, nfds_t n)
{
    struct ready first = {0, 0};
    for (nfds_t i = 0; i < n; i++) {
        if ((p[i].revents & ~WRITABLE) != 0)
            return (struct ready){(uint64_t)p[i].fd + 1, 1};
        if (first.what == 0 && p[i].revents != 0)
            first.what = (uint64_t)p[i].fd + 1;
    }
    return first;
}

/* The first descriptor of the set, plus one. The kernel has written whole words of it. */
static uint64_t first_in(const fd_set *set, int n)
{
    for (int i = 0; set != NULL && i < n; i += NFDBITS)
        if (set->fds_bits[i / NFDBITS] != 0)
            return (uint64_t)(i + __builtin_ctzl((unsigned long)set->fds_bits[i / NFDBITS])) + 1;
    return 0;
}

static struct ready ready_selected(int n, const fd_set *r, const fd_set *w, const fd_set *x)
{
    const uint64_t what = first_in(r, n), other = what != 0 ? what : first_in(x, n);
    return other != 0 ? (struct ready){other, 1} : (struct ready){first_in(w, n), 0};
}

/* Whoever asks for them uses them, whether something happens there or not. */
static inline void polled(const struct pollfd *p, nfds_t n)
{
    for (nfds_t i = 0; i < n; i++)
        pl_descriptor_used(p[i].fd);
}

/* The poll before found something as well, and nothing was had or waited for since. */
static __attribute__((noinline, cold)) void found_again(struct ready ready, const struct pl_wait *w,
                                                        struct pl_call call)
{
    const uint64_t before = pl_spin_waited_before(w);
    if (ready.more)
        pl_spin_untaken(ready.what, before, call);
    else if (ready.what != 0)
        pl_spin_writable(ready.what, before, call);
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

/* The end of a stream is there for good, and for whoever asks again. */
static inline void had_read(int fd, size_t wanted, ssize_t n, struct pl_call call)
{
    if (n > 0)
        pl_spin_not();
    else if (n == 0 && wanted != 0)
        pl_spin_at_end(fd, pl_descriptor_life(fd), call);
}

#define READ(name, params, args)                                                                   \
    THIRD_WAY ssize_t slow_##name params                                                           \
    {                                                                                              \
        pl_descriptor_used(fd);                                                                    \
        if (pl_io_plain(fd)) {                                                                     \
            ssize_t at_once = PL_REAL(name) args;                                                  \
            if (at_once == 0 && pl_fd_known(fd) == PL_FD_NOBLOCK)                                  \
                had_read(fd, n, 0, PL_CALL());                                                     \
            else                                                                                   \
                pl_io_answered(fd, (intptr_t)at_once, PL_CALL());                                  \
            return at_once;                                                                        \
        }                                                                                          \
        struct pl_wait w;                                                                          \
        pl_wait_begin(&w, EL_WAIT_READ, (uint64_t)fd, 0, PL_CALL());                               \
        ssize_t result = PL_REAL(name) args;                                                       \
        pl_wait_end(&w, pl_io_error(result));                                                      \
        after_read(fd, buf, result);                                                               \
        had_read(fd, n, result, PL_CALL());                                                        \
        return result;                                                                             \
    }                                                                                              \
    THREE_WAYS(ssize_t, name, params, args, fd,                                                    \
               if (__builtin_expect(answer == 0, 0)) had_read(fd, n, 0, PL_CALL());                \
               else pl_io_tried(answer, PL_CALL());)

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
