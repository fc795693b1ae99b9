/*
 * clock.c - the clock of a record: the processor's counter where it is a clock, and the system's
 * CLOCK_MONOTONIC elsewhere.
 *
 * libc's clock_gettime is used: it is async-signal-safe and, unlike the system call, cheap.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define NS_PER_S UINT64_C(1000000000)
/* How long the start of a program may take for measuring the counter's frequency. */
#define MEASURE_NS UINT64_C(300000)
/* The least that must have passed since a launcher looked, and how far what it found may be off. */
#define SPAN_LEAST_NS UINT64_C(200000)
#define ROUGH_SHARE   256

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t el_now_monotonic(const struct el_log *log)
{
    return clock_ns(CLOCK_MONOTONIC) - log->clock_base;
}

static uint64_t scale(uint64_t value, uint64_t by, uint64_t per)
{
    return (uint64_t)((unsigned __int128)value * by / per);
}

uint64_t el_ticks_to_ns(const struct el_log *log, uint64_t ticks)
{
    return scale(ticks, NS_PER_S, log->clock_hz);
}

uint64_t el_ns_to_ticks(const struct el_log *log, uint64_t ns)
{
    return scale(ns, log->clock_hz, NS_PER_S);
}

void el_read_clocks(const struct el_log *log, struct el_clocks *out)
{
    uint64_t best = UINT64_MAX;
    /* Of three readings, the one that was interrupted least. */
    for (int i = 0; i < 3; i++) {
        uint64_t before = el_now(log);
        uint64_t monotonic = clock_ns(CLOCK_MONOTONIC);
        uint64_t realtime = clock_ns(CLOCK_REALTIME);
        uint64_t after = el_now(log);
        if (after - before < best) {
            best = after - before;
            *out = (struct el_clocks){before + best / 2, monotonic, realtime};
        }
    }
}

#if defined(__x86_64__) || defined(__i386__)

/* The kernel's opinion: its clock is the TSC, or it left that for a slow one. */
enum opinion { NO_OPINION, TRUSTS_TSC, DISTRUSTS_TSC };

static enum opinion kernel_opinion(void)
{
    static const char path[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    static const char slow[][5] = {"hpet", "acpi", "jiff", "refi"};
    char word[16] = "";
    int fd = el_sys_open(AT_FDCWD, path, O_RDONLY);
    if (fd < 0)
        return NO_OPINION;
    el_sys_read(fd, word, sizeof(word) - 1);
    el_sys_close(fd);
    for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
        if (memcmp(word, slow[i], 4) == 0)
            return DISTRUSTS_TSC;
    }
    return memcmp(word, "tsc\n", 5) == 0 ? TRUSTS_TSC : NO_OPINION;
}

static bool tsc_may_be_read(void)
{
    int mode = PR_TSC_ENABLE;
    el_sys(SYS_prctl, PR_GET_TSC, (long)&mode, 0, 0, 0, 0);
    return mode == PR_TSC_ENABLE;
}

static bool tsc_is_invariant(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8) != 0;
}

/* Whether the TSC runs at one speed always, on all processors, and may be read. A guest pays
 * microseconds for asking the processor itself. */
static bool tsc_is_clock(void)
{
    if (!tsc_may_be_read())
        return false;
    enum opinion kernel = kernel_opinion();
    return kernel == TRUSTS_TSC || (kernel == NO_OPINION && tsc_is_invariant());
}

/* What the processor says of itself; 0 when it says nothing. */
static uint64_t tsc_told_hz(void)
{
    unsigned denominator, numerator, crystal, d;
    if (!__get_cpuid(0x15, &denominator, &numerator, &crystal, &d) || denominator == 0 ||
        numerator == 0 || crystal == 0)
        return 0;
    return (uint64_t)crystal * numerator / denominator;
}

static struct el_tsc_reading read_both(void)
{
    struct el_tsc_reading best = {0, 0};
    uint64_t best_width = UINT64_MAX;
    for (int i = 0; i < 4; i++) {
        uint64_t before = __rdtsc();
        uint64_t ns = clock_ns(CLOCK_MONOTONIC);
        uint64_t width = __rdtsc() - before;
        if (width < best_width) {
            best_width = width;
            best = (struct el_tsc_reading){before + width / 2, ns};
        }
    }
    return best;
}

struct el_tsc_reading el_tsc_begin(void)
{
    return tsc_is_clock() ? read_both() : (struct el_tsc_reading){0, 0};
}

uint64_t el_tsc_end_hz(struct el_tsc_reading first, uint64_t span_ns)
{
    struct el_tsc_reading last;
    if (first.ns == 0 || span_ns == 0)
        return 0;
    do
        last = read_both();
    while (last.ns - first.ns < span_ns);
    return scale(last.ticks - first.ticks, NS_PER_S, last.ns - first.ns);
}

#else

struct el_tsc_reading el_tsc_begin(void)
{
    return (struct el_tsc_reading){0, 0};
}

uint64_t el_tsc_end_hz(struct el_tsc_reading first, uint64_t span_ns)
{
    (void)first;
    (void)span_ns;
    return 0;
}

#endif

uint64_t el_tsc_measure_hz(uint64_t span_ns)
{
    return el_tsc_end_hz(el_tsc_begin(), span_ns);
}

#if defined(__x86_64__) || defined(__i386__)

/* What passed since the launcher looked tells the speed better than it could, if both clocks went
 * on: that of a time namespace is set apart. */
static uint64_t tsc_hz(const struct el_options *options)
{
    const uint64_t rough = options->rough_hz, may_differ = rough / ROUGH_SHARE;
    uint64_t hz = rough == 0 ? tsc_told_hz() : el_tsc_end_hz(options->since, SPAN_LEAST_NS);
    if (rough != 0)
        return hz - (rough - may_differ) <= 2 * may_differ ? hz : rough;
    return hz != 0 ? hz : el_tsc_measure_hz(MEASURE_NS);
}

#endif

void el_clock_start(struct el_log *log, const struct el_options *options)
{
    log->clock = EL_CLOCK_MONOTONIC;
    log->clock_hz = NS_PER_S;
#if defined(__x86_64__) || defined(__i386__)
    /* Who says how fast it is has looked whether it is a clock. */
    if (options->rough_hz != 0 ? tsc_may_be_read() : tsc_is_clock()) {
        log->clock = EL_CLOCK_TSC;
        log->clock_hz = tsc_hz(options);
    }
#elif defined(__aarch64__)
    uint64_t hz;
    (void)options;
    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
    if (hz != 0) {
        log->clock = EL_CLOCK_CNTVCT;
        log->clock_hz = hz;
    }
#endif
    log->clock_base = 0;
    log->clock_base = el_now(log);
}
