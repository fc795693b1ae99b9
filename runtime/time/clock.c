/*
 * See clock.h.
 *
 * Design notes
 *
 * The clock is a straight line over the counter: ns + (ticks - begin) * rate. It is drawn anew
 * after each stretch of up to LIMIT_MAX_NS, from a reading of both clocks and one of up to a
 * second ago, and so follows what NTP does to CLOCK_MONOTONIC; between two such readings it is off
 * by some tens of nanoseconds. Until 20 ms have passed since the first reading there is no line,
 * and the kernel is asked each time: a program starts without a wait for calibration.
 *
 * It never goes back. A line begins where the one before ends: where that was ahead of the kernel,
 * the next one is as much flatter; where it was behind, it jumps forward. A reading takes the
 * counter before it asks the kernel, so a line is never behind what the kernel says, and whoever
 * asked the kernel itself meanwhile is not ahead of those who use the line.
 *
 * There are two lines, and `seq` says which one holds. The next one is written into the other's
 * place, so that readers never wait, also in a signal handler that interrupted the writer. One that
 * finds `seq` changed after it read the line and the counter begins again.
 *
 * Should the two clocks drift apart by more than they may (the counter was set, the machine moved),
 * the kernel is asked again until a line is known; after a few of these for good.
 */
#include "runtime/time/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/sched/lock.h"

#define WARM_NS       (INT64_C(20) * WEFT_MS)
#define LIMIT_MAX_NS  (INT64_C(250) * WEFT_MS)
#define ANCHOR_MAX_NS WEFT_S
#define OFF_MAX_NS    (INT64_C(100) * WEFT_US)

enum { UNKNOWN = 0, WARMING, RUNNING, KERNEL };
enum {
    OVER_LIMIT_MAX = 8,     /* a line is followed up to so many times its limit */
    BREAKS_MAX = 20,        /* then the counter is given up */
    SLEW_PARTS = 4096,      /* the kernel may correct its clock by 1/4096 meanwhile */
    RATE_PARTS = 512,       /* and the rate changes by less than 1/512 */
    READ_TRIES = 5,         /* for a reading that */
    READ_TICKS_MAX = 20000, /* was not interrupted: some microseconds */
    DISORDER_TICKS_MAX = 1 << 20,
};

struct weft__clock_lines weft__clock_now;

/* Who draws a line holds `lock`; the rest may be read without. */
static struct {
    uint32_t lock, state, breaks;
    int64_t floor; /* no less was said before the line was lost */
    struct weft__clock_pair anchor, next_anchor;
} keeper;

/* ---- the two clocks ---- */

#if defined(__x86_64__)
#define SOURCE "tsc"
static inline uint64_t ticks_ordered(void)
{
    __builtin_ia32_lfence();
    return weft__clock_ticks();
}
#elif defined(__aarch64__)
#define SOURCE "arch_sys_counter"
static inline uint64_t ticks_ordered(void)
{
    __asm__ volatile("isb" ::: "memory");
    return weft__clock_ticks();
}
#endif

static int64_t kernel_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * WEFT_S + t.tv_nsec;
}

/* False: it was interrupted each time, so that the two do not belong together. */
static bool read_both(struct weft__clock_pair *pair)
{
    for (int i = 0; i < READ_TRIES; i++) {
        pair->ticks = ticks_ordered();
        pair->ns = kernel_clock();
        if (ticks_ordered() - pair->ticks <= READ_TICKS_MAX)
            return true;
    }
    return false;
}

/* The kernel says of a counter that all CPUs agree on it and that it always runs, by using it. By
 * plain system calls: this is no input of the program that anybody should count. */
static bool kernel_uses_counter(void)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char name[32];
    int error = errno;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    long n = fd >= 0 ? syscall(SYS_read, fd, name, sizeof name) : -1;
    if (fd >= 0)
        syscall(SYS_close, fd);
    errno = error;
    return n == (long)sizeof SOURCE && memcmp(name, SOURCE "\n", sizeof SOURCE) == 0;
}

/* ---- lines ---- */

static uint64_t rate_between(struct weft__clock_pair a, struct weft__clock_pair b)
{
    return (uint64_t)(((unsigned __int128)(b.ns - a.ns) << 32) / (b.ticks - a.ticks));
}

/* Whether a line at `rate` may follow the old one at that point, and how far the old one is ahead
 * there for those who have followed it. */
static bool continues(const struct weft__clock_line *old, uint64_t rate, struct weft__clock_pair at,
                      int64_t *ahead)
{
    uint64_t change = rate > old->rate ? rate - old->rate : old->rate - rate;
    if (at.ticks < old->ticks || change > old->rate / RATE_PARTS)
        return false;
    uint64_t passed = at.ticks - old->ticks;
    int64_t off = old->ns + weft__clock_scale(passed, old->rate) + 1 - at.ns;
    int64_t may = OFF_MAX_NS + (at.ns - old->ns) / SLEW_PARTS;
    if (off > may || off < -may)
        return false;
    *ahead = off > 0 && passed / OVER_LIMIT_MAX <= old->limit ? off : 0;
    return true;
}

bool weft__clock_follow(const struct weft__clock_line *old, struct weft__clock_pair anchor,
                        struct weft__clock_pair at, struct weft__clock_line *line)
{
    if (at.ticks <= anchor.ticks || at.ns <= anchor.ns)
        return false;
    uint64_t rate = rate_between(anchor, at);
    if (rate == 0)
        return false;
    int64_t ahead = 0;
    if (old->limit != 0 && !continues(old, rate, at, &ahead))
        return false;
    int64_t stretch = at.ns - anchor.ns < LIMIT_MAX_NS ? at.ns - anchor.ns : LIMIT_MAX_NS;
    uint64_t limit = (uint64_t)(((unsigned __int128)stretch << 32) / rate);
    /* Half of what it is ahead by is lost on the way to the next. */
    int64_t lose = ahead / 2 < stretch / 2 ? ahead / 2 : stretch / 2;
    *line = (struct weft__clock_line){
        .ticks = at.ticks,
        .ns = at.ns + ahead,
        .rate = rate - (uint64_t)(((unsigned __int128)lose * rate) / (uint64_t)stretch),
        .limit = limit ? limit : 1,
    };
    return true;
}

/* With the keeper's lock. Each store is in order after that of `seq` before it. */
static void publish(const struct weft__clock_line *line)
{
    uint32_t seq = weft__clock_now.seq + 1;
    struct weft__clock_line *to = &weft__clock_now.line[seq % 2];
    __atomic_store_n(&to->ticks, line->ticks, __ATOMIC_RELEASE);
    __atomic_store_n(&to->rate, line->rate, __ATOMIC_RELEASE);
    __atomic_store_n(&to->ns, line->ns, __ATOMIC_RELEASE);
    __atomic_store_n(&to->limit, line->limit, __ATOMIC_RELEASE);
    __atomic_store_n(&weft__clock_now.seq, seq, __ATOMIC_RELEASE);
}

/* ---- keeping it honest ---- */

static int64_t ask_kernel(void)
{
    int64_t ns = kernel_clock();
    int64_t floor = __atomic_load_n(&keeper.floor, __ATOMIC_RELAXED);
    return ns > floor ? ns : floor;
}

/* What is said from now on comes from the kernel, until a line is known anew. */
static void lose_line(const struct weft__clock_line *old, struct weft__clock_pair at)
{
    uint64_t passed = at.ticks - old->ticks;
    /* How far anybody may have followed it: nobody goes on for long after its end. */
    bool plausible = passed / OVER_LIMIT_MAX <= old->limit;
    __atomic_store_n(&keeper.floor,
                     old->ns + (plausible ? weft__clock_scale(passed, old->rate) : 0),
                     __ATOMIC_RELAXED);
    struct weft__clock_line none = {0};
    keeper.anchor = keeper.next_anchor = at;
    uint32_t next = ++keeper.breaks < BREAKS_MAX ? WARMING : KERNEL;
    __atomic_store_n(&keeper.state, next, __ATOMIC_RELEASE);
    publish(&none);
}

/* A rate is measured over some seconds: the anchor is followed by one of half that age. */
static void move_anchor(struct weft__clock_pair at)
{
    if (at.ns - keeper.next_anchor.ns < ANCHOR_MAX_NS / 2)
        return;
    keeper.anchor = keeper.next_anchor;
    keeper.next_anchor = at;
}

/* Where a line is followed while it cannot be drawn anew. */
static int64_t follow_on(const struct weft__clock_line *line, uint64_t passed)
{
    if (line->limit != 0 && passed / OVER_LIMIT_MAX <= line->limit)
        return line->ns + weft__clock_scale(passed, line->rate);
    return ask_kernel();
}

static void begin(void)
{
    bool usable = kernel_uses_counter() && read_both(&keeper.anchor);
    keeper.next_anchor = keeper.anchor;
    __atomic_store_n(&keeper.state, usable ? WARMING : KERNEL, __ATOMIC_RELEASE);
}

/* With the keeper's lock: what the time is, having seen to the line. */
static int64_t keep(void)
{
    struct weft__clock_line line;
    struct weft__clock_pair at;
    if (keeper.state == UNKNOWN)
        begin();
    if (keeper.state == WARMING && kernel_clock() - keeper.anchor.ns < WARM_NS)
        return ask_kernel();
    struct weft__clock_line old = weft__clock_line_of(weft__clock_now.seq);
    if (keeper.state == KERNEL || !read_both(&at))
        return follow_on(&old, ticks_ordered() - old.ticks);
    if (at.ns < keeper.floor)
        return ask_kernel();
    if (!weft__clock_follow(&old, keeper.anchor, at, &line)) {
        lose_line(&old, at);
        return ask_kernel();
    }
    move_anchor(at);
    publish(&line);
    __atomic_store_n(&keeper.state, RUNNING, __ATOMIC_RELEASE);
    return line.ns;
}

/* There is no line, or its end has come. */
static int64_t read_slowly(const struct weft__clock_line *line, uint64_t passed)
{
    if (__atomic_load_n(&keeper.state, __ATOMIC_ACQUIRE) == KERNEL)
        return ask_kernel();
    if (line->limit != 0 && -passed < DISORDER_TICKS_MAX)
        return line->ns; /* the counter was read out of order, just before the line began */
    if (!weft__try_lock(&keeper.lock))
        return follow_on(line, passed);
    int64_t ns = keep();
    weft__unlock(&keeper.lock);
    return ns;
}

static inline int64_t read_clock(bool ordered)
{
    for (;;) {
        uint32_t seq = __atomic_load_n(&weft__clock_now.seq, __ATOMIC_ACQUIRE);
        struct weft__clock_line line = weft__clock_line_of(seq);
        uint64_t passed = (ordered ? ticks_ordered() : weft__clock_ticks()) - line.ticks;
        if (__builtin_expect(__atomic_load_n(&weft__clock_now.seq, __ATOMIC_RELAXED) != seq, 0))
            continue;
        if (__builtin_expect(passed < line.limit, 1))
            return line.ns + weft__clock_scale(passed, line.rate);
        return read_slowly(&line, passed);
    }
}

int64_t weft__clock(void)
{
    return read_clock(false);
}

int64_t weft_now(void)
{
    return read_clock(true);
}

int64_t weft__after_ns(int64_t ns)
{
    int64_t begin = read_clock(false);
    if (ns <= 0)
        return begin;
    return ns > INT64_MAX - 1 - begin ? INT64_MAX - 1 : begin + ns;
}
