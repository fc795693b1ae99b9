/* Descriptors that tasks wait for. Whichever worker has time asks epoll about them. */
#ifndef WEFT_IO_NETPOLL_H
#define WEFT_IO_NETPOLL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/sched.h"

/* Each run has its own epoll: a straggler of another takes none of its events. 0 or a negative
 * errno. To be closed when no thread of the run is left. */
int weft__netpoll_open(struct weft__run *run);
void weft__netpoll_close(struct weft__run *run);

/* The run is over: nobody waits any more. */
void weft__netpoll_abandon(void);

/* Makes tasks ready whose descriptors are; sleeps for that up to `ns` (< 0: no limit). */
void weft__netpoll(struct weft__run *run, int64_t ns);

/* Ends the sleep of whoever is in weft__netpoll, or the next one. */
void weft__netpoll_kick(struct weft__run *run);

/* How many tasks wait. */
uint32_t weft__netpoll_waiting(void);

/* Parks the task until one of `events` (of poll(2)) holds for fd or `until` has come (INT64_MAX:
 * never): what holds; -ETIMEDOUT; -EBADF when weft_close ended it; -EPERM: not a kind of descriptor
 * to wait for; or another negative errno. */
int weft__netpoll_wait(struct weft_task *t, int fd, short events, int64_t until,
                       enum weft__wait why, const void *caller);

/* Ends the waits for fd. */
void weft__netpoll_forget(int fd);

#endif
