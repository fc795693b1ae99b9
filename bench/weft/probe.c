/*
 * probe_bench WORKLOAD N: what no runtime can leave out of a workload of weft_bench if it keeps the
 * semantics, and nothing else: the system calls, atomics, switches and cache misses. compare.py
 * runs it in turn with the others, where it knows the workload. A goal below it cannot be reached
 * on that machine. WEFT_WORKERS is the number of threads that share the work, where that helps.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
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
#include "runtime/test/number.h"

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

enum { WORKERS_MAX = 64 };
static long workers = 1;

/* A lock of the simplest kind, never contended here. */
static inline void take(uint32_t *lock)
{
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(lock, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        abort();
}

/* Of what only tasks touch: with one worker that takes no atomic instruction. */
static inline void take_object(uint32_t *lock)
{
    if (workers > 1) {
        take(lock);
        return;
    }
    if (__atomic_load_n(lock, __ATOMIC_ACQUIRE) != 0)
        abort();
    __atomic_store_n(lock, 1, __ATOMIC_RELAXED);
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
static void *chain_stacks(long n)
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

struct share {
    pthread_t thread;
    long count, size;
    void *chain;
};

static void *make_share(void *arg)
{
    struct share *share = arg;
    share->chain = chain_stacks(share->count);
    return NULL;
}

static void *visit_share(void *arg)
{
    for (void *at = ((struct share *)arg)->chain; at != NULL; at = *(void **)at)
        ((long *)at)[1]++;
    return NULL;
}

/* A thread for each worker. */
static void share_out(struct share *shares, void *(*fn)(void *share))
{
    for (long i = 1; i < workers; i++) {
        if (pthread_create(&shares[i].thread, NULL, fn, &shares[i]) != 0)
            abort();
    }
    fn(&shares[0]);
    for (long i = 1; i < workers; i++)
        pthread_join(shares[i].thread, NULL);
}

static struct share shares[WORKERS_MAX];

static void make_stacks(long n)
{
    for (long i = 0; i < workers; i++)
        shares[i].count = n / workers;
    share_out(shares, make_share);
}

/* Each is made, and then come to once more. */
static void parked(long n)
{
    make_stacks(n);
    share_out(shares, visit_share);
}

static void sleepers(long n)
{
    long begin = now_ns();
    make_stacks(n);
    printf("asleep_ms=%ld ", (now_ns() - begin) / 1000000);
}

/* ---- a tree of tasks, ten below each, whose sums are sent up to who waits for them ---- */

enum { LEVELS_MAX = 12 };

/* The one of each level that lives, and the channel of those below it. */
struct node {
    struct weft__context context;
    uint32_t lock;
    long *waiter;
    long number, size;
    _Alignas(64) char stack[4096];
};
static __thread struct node *running_node;

static void switch_node(struct node *from, struct node *to)
{
    running_node = to;
    weft__jump(&from->context, &to->context, false);
}

static long sum_below(struct node *me)
{
    struct node *child = me + 1;
    long sum = 0, value;
    for (long i = 0; i < 10; i++) {
        child->number = me->number + i * (me->size / 10);
        child->size = me->size / 10;
        take_object(&me->lock);
        me->waiter = &value;
        give(&me->lock);
        switch_node(me, child);
        sum += value;
    }
    return sum;
}

__attribute__((noreturn)) static void node_main(void)
{
    for (;;) {
        struct node *me = running_node, *parent = me - 1;
        long sum = me->size == 1 ? me->number : sum_below(me);
        take_object(&parent->lock);
        memcpy(parent->waiter, &sum, sizeof sum);
        parent->waiter = NULL;
        give(&parent->lock);
        switch_node(me, parent);
    }
}

/* So many trees of `size` leaves. */
static void *sum_share(void *arg)
{
    const struct share *share = arg;
    struct node *nodes = aligned_alloc(64, LEVELS_MAX * sizeof *nodes);
    if (!nodes)
        abort();
    memset(nodes, 0, LEVELS_MAX * sizeof *nodes);
    for (struct node *node = nodes + 1; node < nodes + LEVELS_MAX; node++) {
        weft__context_prepare(&node->context, node->stack, node->stack + sizeof node->stack);
        node->context.frame->sp = (char *)node->context.frame->sp - sizeof(void *);
        node->context.frame->pc = (void *)(uintptr_t)node_main;
    }
    for (long i = 0, value; i < share->count; i++) {
        nodes->waiter = &value;
        nodes[1].size = share->size;
        switch_node(nodes, &nodes[1]);
        if (value != share->size * (share->size - 1) / 2)
            abort();
    }
    free(nodes);
    return NULL;
}

static void skynet(long n)
{
    for (long i = 0; i < workers; i++) {
        shares[i].size = n / 10;
        shares[i].count = 10 / workers + (i < 10 % workers);
    }
    share_out(shares, sum_share);
}

/* ---- a buffer between two tasks ---- */

static struct {
    uint32_t lock;
    size_t count, first;
    long item[128];
} buffer;

__attribute__((noinline)) static void put(const long *value)
{
    take_object(&buffer.lock);
    memcpy(&buffer.item[(buffer.first + buffer.count) % 128], value, sizeof *value);
    buffer.count++;
    give(&buffer.lock);
}

__attribute__((noinline)) static void get(long *value)
{
    take_object(&buffer.lock);
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

struct timer {
    int64_t when;
    char rest[120];
};

__attribute__((noinline)) static void set_timer(struct timer *timer, int64_t ns)
{
    static uint32_t lock;
    int64_t when = (int64_t)(((unsigned __int128)counter() << 31) >> 32) + ns;
    take_object(&lock);
    timer->when = when;
    give(&lock);
}

static void timer_reset(long n)
{
    static struct timer timer;
    for (long i = 0; i < n; i++)
        set_timer(&timer, i);
}

/* As the program has them: by an array of pointers. */
static void timer_reset10k(long n)
{
    enum { TIMERS = 10000 };
    static struct timer *timers[TIMERS];
    for (long i = 0; i < TIMERS; i++) {
        if (!(timers[i] = calloc(1, sizeof *timers[i])))
            abort();
    }
    for (long i = 0; i < n; i++)
        set_timer(timers[i * 7919 % TIMERS], i);
}

/* Its memory, and the lock twice: to arm it and to disarm it. */
static void timer_func_stop(long n)
{
    for (long i = 0; i < n; i++) {
        struct timer *timer = malloc(sizeof *timer);
        if (!timer)
            abort();
        __asm__ volatile("" : "+r"(timer));
        set_timer(timer, i);
        static uint32_t lock;
        take_object(&lock);
        timer->when = 0;
        give(&lock);
        free(timer);
    }
}

/* ---- two channels are looked at, of which nobody has anything ---- */

struct channel {
    uint64_t version, count;
    void *sender;
    bool closed;
};

struct look {
    int kind;
    const struct channel *channel;
    void *value;
    int ok;
};

__attribute__((noinline)) static int look(const struct look *looks, unsigned n)
{
    uint64_t version = 0, any = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct channel *c = looks[i].channel;
        version += __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        any |= __atomic_load_n(&c->count, __ATOMIC_ACQUIRE);
        any |= (uintptr_t)__atomic_load_n(&c->sender, __ATOMIC_ACQUIRE);
        any |= __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE);
    }
    for (unsigned i = 0; i < n; i++) /* none changed meanwhile */
        version -= __atomic_load_n(&looks[i].channel->version, __ATOMIC_ACQUIRE);
    return any == 0 && version == 0;
}

static void select_default(long n)
{
    static struct channel a, b;
    for (long i = 0; i < n; i++) {
        long v;
        struct look looks[] = {{2, &a, &v, 0}, {2, &b, &v, 0}};
        if (!look(looks, 2))
            abort();
    }
}

/* ---- two threads, and a word that goes from one to the other and back ---- */

enum { LOOKS_BEFORE_SLEEP = 2000 };
static uint32_t turn, asleep[2];

static void await_turn(uint32_t mine)
{
    for (long i = 0; __atomic_load_n(&turn, __ATOMIC_ACQUIRE) != mine; i++) {
#ifdef __x86_64__
        __builtin_ia32_pause();
#endif
        if (i < LOOKS_BEFORE_SLEEP)
            continue;
        __atomic_store_n(&asleep[mine], 1, __ATOMIC_SEQ_CST);
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1 - mine, NULL, NULL, 0);
        __atomic_store_n(&asleep[mine], 0, __ATOMIC_SEQ_CST);
    }
}

static void pass_turn(uint32_t mine)
{
    __atomic_store_n(&turn, 1 - mine, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&asleep[1 - mine], __ATOMIC_SEQ_CST) != 0)
        syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *rounds)
{
    for (long i = 0; i < (long)rounds; i++) {
        await_turn(1);
        pass_turn(1);
    }
    return NULL;
}

static void pinned(long n)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer, (void *)n) != 0)
        abort();
    for (long i = 0; i < n; i++) {
        pass_turn(0);
        await_turn(0);
    }
    pthread_join(thread, NULL);
}

/* ---- a free mutex ---- */

static volatile long counted;

static inline __attribute__((always_inline)) void give_up(uint32_t *word)
{
    if (__atomic_sub_fetch(word, 1, __ATOMIC_RELEASE) != 0)
        abort();
}

static inline __attribute__((always_inline)) void count_locked(void)
{
    static uint32_t word;
    take(&word);
    counted++;
    give_up(&word);
}

static void mutex_alone(long n)
{
    for (long i = 0; i < n; i++)
        count_locked();
}

static void mutex_nested(long n)
{
    static _Alignas(64) uint32_t outer;
    static _Alignas(64) uint32_t inner;
    for (long i = 0; i < n; i++) {
        take(&outer);
        take(&inner);
        counted++;
        give_up(&inner);
        give_up(&outer);
    }
}

/* A reader comes and goes by an addition each. */
static void rw_read(long n)
{
    static uint32_t readers;
    for (long i = 0; i < n; i++) {
        if (__atomic_add_fetch(&readers, 1, __ATOMIC_ACQUIRE) == 0)
            abort();
        counted++;
        give_up(&readers);
    }
}

/* In a function of its own, as what is done at its end. */
__attribute__((noinline)) static void locked(void)
{
    count_locked();
    __asm__ volatile("");
}

static void defer(long n)
{
    for (long i = 0; i < n; i++)
        locked();
}

static const struct {
    const char *name;
    void (*run)(long n);
} probes[] = {
    {"spawn_one", spawn_one},
    {"parked", parked},
    {"sleepers", sleepers},
    {"skynet", skynet},
    {"buffered", buffered},
    {"timer_reset", timer_reset},
    {"timer_reset10k", timer_reset10k},
    {"timer_func_stop", timer_func_stop},
    {"select_default", select_default},
    {"pinned", pinned},
    {"mutex_alone", mutex_alone},
    {"mutex_nested", mutex_nested},
    {"rw_read", rw_read},
    {"defer", defer},
};

int main(int argc, char **argv)
{
    long n = argc == 3 ? number_read("N", argv[2], 1, LONG_MAX) : 0;
    const char *setting = getenv("WEFT_WORKERS");
    workers = setting ? number_read("WEFT_WORKERS", setting, 1, WORKERS_MAX) : 1;
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
