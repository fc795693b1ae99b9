/*
 * The time, cheaply: CLOCK_MONOTONIC read from the CPU's own counter where the kernel does so too,
 * else asked from the C library.
 */
#ifndef WEFT_TIME_CLOCK_H
#define WEFT_TIME_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* As weft_now(), but the CPU may read its counter some nanoseconds before what stands above the
 * call: to say when a timer is due, not to order events of several threads. */
int64_t weft__clock(void);

/* That plus `ns`, without overflow. */
int64_t weft__after_ns(int64_t ns);

/* What keeps the clock honest, for its test. */
struct weft__clock_pair {
    uint64_t ticks; /* of the counter, read just before */
    int64_t ns;     /* CLOCK_MONOTONIC */
};

/* Of the straight line through the last readings. */
struct weft__clock_line {
    uint64_t ticks, rate; /* where it begins; nanoseconds a tick, times 2^32 */
    int64_t ns;
    uint64_t limit; /* it is good for so many ticks */
};

/* The line that begins at the reading `at`; `anchor` is an older one. It follows `old`, whose limit
 * is 0 if there is none. False: the two clocks do not go together. */
bool weft__clock_follow(const struct weft__clock_line *old, struct weft__clock_pair anchor,
                        struct weft__clock_pair at, struct weft__clock_line *line);

#endif
