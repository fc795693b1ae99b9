/*
 * Descriptors that tasks wait for. Whichever worker has time asks epoll about them.
 *
 * What is known about a descriptor is one word, which a caller reads before it tries a call and
 * hands back when the call would have blocked: a wait ends at once if the word has moved on.
 */
#ifndef WEFT_IO_NETPOLL_H
#define WEFT_IO_NETPOLL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/sched.h"

struct weft__fd;
struct weft__use;

/* Bits of the word; above them a number that grows with each event. */
enum {
    WEFT__FD_READABLE = 1, /* a read may find something; believed only with EDGES */
    WEFT__FD_MORE = 2,     /* also after a read that got less than it asked for */
    WEFT__FD_EDGES = 4,    /* from accept or connect: registered once, edge-triggered */
    WEFT__FD_LIMITED = 8,  /* it has a deadline */
    WEFT__FD_STREAM = 16,  /* a read that got less than it asked for took all there was */
    WEFT__FD_ASKED = 32,   /* whether that is so */
    WEFT__FD_EVENT = 64,   /* what an event adds */
};

/* What ends a wait besides its events. */
enum weft__limit {
    WEFT__READ_DEADLINE = 0,
    WEFT__WRITE_DEADLINE = 1,
    WEFT__OWN_LIMIT = 2, /* a time that the caller gives */
};

/* Each run has its own epoll: a straggler of another takes none of its events. 0 or a negative
 * errno. To be closed when no thread of the run is left. */
int weft__netpoll_open(struct weft__run *run);
void weft__netpoll_close(struct weft__run *run);

/* The run is over: nobody waits any more. */
void weft__netpoll_abandon(void);

/* In a child of fork, which has one thread: nobody waits, no call is under way. */
void weft__netpoll_forget(void);

/* Makes tasks ready whose descriptors are; sleeps for that up to `ns` (< 0: no limit). */
void weft__netpoll(struct weft__run *run, int64_t ns);

/* Ends the sleep of whoever is in weft__netpoll, or the next one. */
void weft__netpoll_kick(struct weft__run *run);

/* epoll_wait(2) with a limit in nanoseconds (< 0: none). */
struct epoll_event;
long weft__epoll_wait(int epoll_fd, struct epoll_event *events, int room, int64_t ns);

/* How many tasks wait. */
uint32_t weft__netpoll_waiting(void);

/* NULL: nothing is known of it. Valid for good. */
struct weft__fd *weft__fd_find(int fd);

/* The word; 0 for NULL. */
uint32_t weft__fd_look(const struct weft__fd *state);

/* No read finds anything, unless there was an event since `word` was looked at. */
void weft__fd_drained(struct weft__fd *state, uint32_t word);

/* Adds STREAM and ASKED bits for as long as it is the same descriptor. */
void weft__fd_learn(struct weft__fd *state, uint32_t word, uint32_t bits);

/* The number stands for a descriptor that was just made: what was known of it is void. The waits
 * for it end with -EBADF. */
void weft__fd_adopt(int fd);

/* The socket is being connected, so it is in use by Weft: what else is known of it stays. And that
 * came to nothing. */
void weft__fd_trust(int fd);
void weft__fd_distrust(int fd);

/* Around close(2): ends the waits for fd, and wakes those that came meanwhile to look again. */
void weft__fd_forget(int fd);
void weft__fd_closed(int fd);

/* As weft_set_deadline; `limits` has a bit for each enum weft__limit. */
int weft__fd_set_deadline(int fd, unsigned limits, int64_t when);

/* True if the deadline is set and has come. */
bool weft__fd_is_late(struct weft__fd *state, enum weft__limit limit);

struct weft__fd_wait {
    const struct weft__use *use;
    uint32_t word; /* looked at before the call that would have blocked */
    short events;  /* of poll(2) */
    enum weft__limit limit;
    int64_t until; /* with WEFT__OWN_LIMIT; INT64_MAX: never */
    enum weft__wait why;
    const void *caller;
};

/* Parks the task until one of the events holds: what holds, or 0 for "look again"; -ETIMEDOUT;
 * WEFT__CLOSED when it was closed; -EBADF when it is about to be; -EPERM: not a kind of descriptor
 * to wait for; or another negative errno. */
int weft__netpoll_wait(struct weft_task *t, const struct weft__fd_wait *wait);

#endif
