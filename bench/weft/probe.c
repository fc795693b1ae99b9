/*
 * probe_bench WORKLOAD N: what no runtime can leave out of a workload of weft_bench if it keeps the
 * semantics, and nothing else: the system calls, atomics, switches and cache misses. compare.py
 * runs it in turn with the others, where it knows the workload. A goal below it cannot be reached
 * on that machine.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "runtime/arch/context.h"

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A lock of the simplest kind, never contended here. */
static inline void take(uint32_t *lock)
{
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        abort();
}

static inline void give(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/* ---- a task: counted in and out of a group, that one waits for ---- */

static struct weft__context here, there;
static uint64_t group;
static uint32_t guard;

__attribute__((noreturn)) static void member(void)
{
    for (;;) {
        give(&guard); /* of the one that waits, now that it is off its stack */
        __atomic_sub_fetch(&group, UINT64_C(1) << 32, __ATOMIC_ACQ_REL);
        weft__jump(&there, &here, false);
    }
}

static void spawn_one(long n)
{
    static _Alignas(64) char stack[16384];
    weft__context_prepare(&there, stack, stack + sizeof stack);
    there.frame->sp = (char *)there.frame->sp - sizeof(void *); /* as after a call */
    there.frame->pc = (void *)(uintptr_t)member;
    for (long i = 0; i < n; i++) {
        uint64_t state = __atomic_add_fetch(&group, UINT64_C(1) << 32, __ATOMIC_ACQ_REL);
        take(&guard);
        if (!__atomic_compare_exchange_n(&group, &state, state + 1, 0, __ATOMIC_ACQ_REL,
                                         __ATOMIC_ACQUIRE))
            abort();
        weft__jump(&here, &there, false);
        __atomic_store_n(&group, 0, __ATOMIC_RELEASE);
    }
}

/* ---- stacks: the first page of each, and its guard ---- */

enum { BATCH = 64, SLAB = 1024, STACK = 65536, PAGE = 4096, INSTALL = 102, POPULATE = 23 };

static void advise(char *first, int advice)
{
    static int self = -1;
    struct iovec pages[BATCH];
    if (self < 0)
        self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    for (size_t i = 0; i < BATCH; i++)
        pages[i] = (struct iovec){first + i * STACK, PAGE};
    if (syscall(SYS_process_madvise, self, pages, (size_t)BATCH, advice, 0U) < 0)
        perror("process_madvise"); /* an old kernel: the figure says nothing */
}

/* Chained, as the tasks of a queue are. */
static void *make_stacks(long n)
{
    char *slab = NULL, *chain = NULL;
    for (long i = 0; i < n; i++) {
        char *stack = slab + i % SLAB * STACK;
        if (i % SLAB == 0) {
            stack = slab = mmap(NULL, (size_t)SLAB * STACK, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
            if (slab == MAP_FAILED)
                abort();
            madvise(slab, (size_t)SLAB * STACK, MADV_NOHUGEPAGE);
        }
        if (i % BATCH == 0) {
            advise(stack, INSTALL);
            advise(stack + STACK - PAGE, POPULATE);
        }
        char *word = stack + STACK - 64;
        *(char **)(void *)word = chain;
        chain = word;
    }
    return chain;
}

/* Each is made, and then come to once more. */
static void parked(long n)
{
    for (void *at = make_stacks(n); at != NULL; at = *(void **)at)
        ((long *)at)[1]++;
}

static void sleepers(long n)
{
    long begin = now_ns();
    make_stacks(n);
    printf("asleep_ms=%ld ", (now_ns() - begin) / 1000000);
}

/* ---- a buffer between two tasks ---- */

static struct {
    uint32_t lock;
    size_t count, first;
    long item[128];
} buffer;

__attribute__((noinline)) static void put(const long *value)
{
    take(&buffer.lock);
    memcpy(&buffer.item[(buffer.first + buffer.count) % 128], value, sizeof *value);
    buffer.count++;
    give(&buffer.lock);
}

__attribute__((noinline)) static void get(long *value)
{
    take(&buffer.lock);
    memcpy(value, &buffer.item[buffer.first], sizeof *value);
    buffer.first = (buffer.first + 1) % 128;
    buffer.count--;
    give(&buffer.lock);
}

static void buffered(long n)
{
    for (long i = 0, value; i < n; i += 128) {
        for (long k = 0; k < 128; k++)
            put(&k);
        for (long k = 0; k < 128; k++)
            get(&value);
    }
}

/* ---- one timer of many is set to later: the clock, a lock, a line of memory ---- */

static inline uint64_t counter(void)
{
#ifdef __x86_64__
    return __builtin_ia32_rdtsc();
#else
    return (uint64_t)now_ns();
#endif
}

static void timer_reset10k(long n)
{
    enum { TIMERS = 10000 };
    struct timer {
        int64_t when;
        char rest[120];
    } *timers = calloc(TIMERS, sizeof *timers);
    static uint32_t lock;
    if (!timers)
        abort();
    for (long i = 0; i < n; i++) {
        struct timer *timer = &timers[i * 7919 % TIMERS];
        int64_t when = (int64_t)(((unsigned __int128)counter() << 31) >> 32) + i;
        take(&lock);
        timer->when = when;
        give(&lock);
    }
    free(timers);
}

/* ---- a free mutex ---- */

static void mutex_alone(long n)
{
    static uint32_t word;
    for (long i = 0; i < n; i++) {
        uint32_t locked = 1;
        take(&word);
        if (!__atomic_compare_exchange_n(&word, &locked, 0, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            abort();
    }
}

static const struct {
    const char *name;
    void (*run)(long n);
} probes[] = {
    {"spawn_one", spawn_one},
    {"parked", parked},
    {"sleepers", sleepers},
    {"buffered", buffered},
    {"timer_reset10k", timer_reset10k},
    {"mutex_alone", mutex_alone},
};

int main(int argc, char **argv)
{
    long n = argc == 3 ? atol(argv[2]) : 0;
    for (size_t i = 0; n > 0 && i < sizeof probes / sizeof *probes; i++) {
        if (strcmp(argv[1], probes[i].name) != 0)
            continue;
        long begin = now_ns();
        probes[i].run(n);
        printf("ns=%ld\n", now_ns() - begin);
        return 0;
    }
    fprintf(stderr, "usage: probe_bench WORKLOAD N\n");
    return 2;
}
