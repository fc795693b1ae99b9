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

/* ---- the line that holds, for reading without a call ---- */

/* Of the two, `seq` says which; see clock.c. */
struct weft__clock_lines {
    uint32_t seq;
    struct weft__clock_line line[2];
};
extern struct weft__clock_lines weft__clock_now __attribute__((visibility("hidden")));

static inline uint64_t weft__clock_ticks(void)
{
    uint64_t t;
#if defined(__x86_64__)
    t = __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
#endif
    return t;
}

/* In order before a later look at `seq`. */
static inline __attribute__((always_inline)) struct weft__clock_line
weft__clock_line_of(uint32_t seq)
{
    const struct weft__clock_line *from = &weft__clock_now.line[seq % 2];
    struct weft__clock_line line;
    line.ticks = __atomic_load_n(&from->ticks, __ATOMIC_ACQUIRE);
    line.rate = __atomic_load_n(&from->rate, __ATOMIC_ACQUIRE);
    line.ns = __atomic_load_n(&from->ns, __ATOMIC_ACQUIRE);
    line.limit = __atomic_load_n(&from->limit, __ATOMIC_ACQUIRE);
    return line;
}

static inline int64_t weft__clock_scale(uint64_t passed, uint64_t rate)
{
    return (int64_t)(((unsigned __int128)passed * rate) >> 32);
}

/* weft__after_ns without a call; false: ask that. */
static inline bool weft__after_ns_quick(int64_t ns, int64_t *when)
{
    uint32_t seq = __atomic_load_n(&weft__clock_now.seq, __ATOMIC_ACQUIRE);
    struct weft__clock_line line = weft__clock_line_of(seq);
    uint64_t passed = weft__clock_ticks() - line.ticks;
    if (ns <= 0 || __atomic_load_n(&weft__clock_now.seq, __ATOMIC_RELAXED) != seq ||
        passed >= line.limit)
        return false;
    return !__builtin_add_overflow(line.ns + weft__clock_scale(passed, line.rate), ns, when);
}

#endif
