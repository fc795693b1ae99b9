/* Descriptors that tasks wait for. Whichever worker has time asks epoll about them. */
#ifndef WEFT_IO_NETPOLL_H
#define WEFT_IO_NETPOLL_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/sched/sched.h"

/* At the begin of a run, and at its end. 0 or a negative errno. */
int weft__netpoll_open(void);
void weft__netpoll_close(void);

/* Makes tasks ready whose descriptors are; sleeps for that up to `ns` (< 0: no limit). */
void weft__netpoll(int64_t ns);

/* Ends the sleep of whoever is in weft__netpoll, or the next one. */
void weft__netpoll_kick(void);

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
