/* A run's epoll: the calls of the system. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/io/netpoll.h"

int weft__netpoll_open(struct weft__run *run)
{
    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    run->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = -1};
    if (run->epoll_fd >= 0 && run->event_fd >= 0 &&
        epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, run->event_fd, &e) == 0)
        return 0;
    int r = -errno;
    weft__netpoll_close(run);
    return r;
}

void weft__netpoll_close(struct weft__run *run)
{
    if (run->epoll_fd >= 0)
        close(run->epoll_fd);
    if (run->event_fd >= 0)
        close(run->event_fd);
    run->epoll_fd = run->event_fd = -1;
}

void weft__netpoll_kick(struct weft__run *run)
{
    uint64_t one = 1;
    if (write(run->event_fd, &one, sizeof one) < 0) {
        /* EAGAIN: so many kicks are on their way already that one more says nothing. */
    }
}

/* Before Linux 5.11 in milliseconds, rounded up. */
long weft__epoll_wait(int epoll_fd, struct epoll_event *events, int room, int64_t ns)
{
    static uint32_t no_pwait2;
    if (ns != 0 && !__atomic_load_n(&no_pwait2, __ATOMIC_RELAXED)) {
        struct timespec limit = {ns / WEFT_S, ns % WEFT_S};
        long n = syscall(SYS_epoll_pwait2, epoll_fd, events, room, ns < 0 ? NULL : &limit, NULL, 0);
        if (n >= 0 || errno != ENOSYS)
            return n;
        __atomic_store_n(&no_pwait2, 1, __ATOMIC_RELAXED);
    }
    int64_t ms = ns > WEFT_S ? 1000 : (ns + WEFT_MS - 1) / WEFT_MS;
    return epoll_wait(epoll_fd, events, room, ns < 0 ? -1 : (int)ms);
}
