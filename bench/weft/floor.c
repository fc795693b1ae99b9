/*
 * floor_bench: what the machine itself takes for the primitives that a runtime is made of, in
 * nanoseconds each. A figure of weft_bench cannot be below the sum of those it needs.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <weft.h>

#include "runtime/arch/context.h"

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void print(const char *name, long ns, long count)
{
    printf("%s=%.2f\n", name, (double)ns / (double)count);
}

/* ---- the stack switch ---- */

static struct weft__context here, there;

/* In place of the runtime's entry. */
__attribute__((noreturn)) static void other_stack(void)
{
    for (;;)
        weft__jump(&there, &here, false);
}

static void measure_switch(void)
{
    enum { COUNT = 2000000 };
    static _Alignas(64) char stack[16384];
    weft__context_prepare(&there, stack, stack + sizeof stack);
    there.frame->sp = (char *)there.frame->sp - sizeof(void *); /* as after a call */
    there.frame->pc = (void *)(uintptr_t)other_stack;
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++)
        weft__jump(&here, &there, false);
    print("switch", now_ns() - begin, 2L * COUNT);
}

/* ---- clocks, atomics, system calls ---- */

static void measure_clocks(void)
{
    enum { COUNT = 1000000 };
    struct timespec t;
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++)
        clock_gettime(CLOCK_MONOTONIC, &t);
    print("clock_gettime", now_ns() - begin, COUNT);
#ifdef __x86_64__
    uint64_t sink = 0;
    begin = now_ns();
    for (long i = 0; i < COUNT; i++)
        sink += __builtin_ia32_rdtsc();
    print("rdtsc", now_ns() - begin, sink == 0 ? 0 : COUNT);
#endif
}

static void measure_atomics(void)
{
    enum { COUNT = 5000000 };
    static _Atomic long word;
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++) {
        long old = i;
        atomic_compare_exchange_strong_explicit(&word, &old, i + 1, memory_order_acquire,
                                                memory_order_relaxed);
    }
    print("compare_exchange", now_ns() - begin, COUNT);
    begin = now_ns();
    for (long i = 0; i < COUNT / 10; i++)
        syscall(SYS_getppid);
    print("system_call", now_ns() - begin, COUNT / 10);
}

/* ---- memory ---- */

static void measure_pages(void)
{
    enum { COUNT = 20000, PAGE = 4096 };
    char *at = mmap(NULL, (size_t)COUNT * PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        abort();
    madvise(at, (size_t)COUNT * PAGE, MADV_NOHUGEPAGE);
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++)
        at[i * PAGE] = 1;
    print("first_page_touch", now_ns() - begin, COUNT);
    munmap(at, (size_t)COUNT * PAGE);
}

/* What a task's stack takes at its first use, made ready for many at once: its first page, and the
 * guard. */
static void measure_stacks(void)
{
    enum { COUNT = 16384, BATCH = 64, STACK = 65536, PAGE = 4096, INSTALL = 102, POPULATE = 23 };
    char *at = mmap(NULL, (size_t)COUNT * STACK, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        abort();
    madvise(at, (size_t)COUNT * STACK, MADV_NOHUGEPAGE);
    int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
    long took[2] = {0, 0};
    for (size_t i = 0; i < COUNT; i += BATCH) {
        struct iovec pages[2][BATCH];
        for (size_t k = 0; k < BATCH; k++) {
            pages[0][k] = (struct iovec){at + (i + k + 1) * STACK - PAGE, PAGE};
            pages[1][k] = (struct iovec){at + (i + k) * STACK, PAGE};
        }
        for (int which = 0; which < 2; which++) {
            long begin = now_ns();
            if (syscall(SYS_process_madvise, self, pages[which], (size_t)BATCH,
                        which ? INSTALL : POPULATE, 0U) < 0)
                return; /* an old kernel */
            took[which] += now_ns() - begin;
        }
    }
    print("stack_page", took[0], COUNT);
    print("stack_guard", took[1], COUNT);
    close(self);
    munmap(at, (size_t)COUNT * STACK);
}

/* ---- threads ---- */

static _Atomic uint32_t whose;

static void wait_for(uint32_t mine)
{
    while (atomic_load(&whose) != mine)
        syscall(SYS_futex, &whose, FUTEX_WAIT_PRIVATE, 1 - mine, NULL, NULL, 0);
}

static void hand_over(uint32_t mine)
{
    atomic_store(&whose, 1 - mine);
    syscall(SYS_futex, &whose, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer(void *rounds)
{
    for (long i = 0; i < (long)rounds; i++) {
        wait_for(1);
        hand_over(1);
    }
    return NULL;
}

static void measure_futex(void)
{
    enum { COUNT = 2000 };
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer, (void *)(long)COUNT) != 0)
        abort();
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++) {
        hand_over(0);
        wait_for(0);
    }
    print("futex_round_trip", now_ns() - begin, COUNT);
    pthread_join(thread, NULL);
}

static void *nothing(void *arg)
{
    return arg;
}

static void measure_threads(void)
{
    enum { COUNT = 500 };
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            abort();
        pthread_join(thread, NULL);
    }
    print("thread_create_join", now_ns() - begin, COUNT);
}

/* ---- what telling who holds a lock, and since where, takes at least ---- */

struct held {
    const void *lock, *place;
};
static struct held held_list[8];
static __thread struct held *volatile held_top = held_list;
static uint32_t free_lock;

static inline void lock_change(uint32_t *lock, uint32_t from, uint32_t to, int order)
{
    if (!__atomic_compare_exchange_n(lock, &from, to, 0, order, __ATOMIC_RELAXED))
        abort();
}

static inline void lock_and_unlock(void)
{
    lock_change(&free_lock, 0, 1, __ATOMIC_ACQUIRE);
    lock_change(&free_lock, 1, 0, __ATOMIC_RELEASE);
}

/* As the thread's list has it: at the call, without one. */
static inline void lock_and_unlock_held(void)
{
    struct held *top = held_top;
    *(volatile struct held *)top = (struct held){&free_lock, __builtin_return_address(0)};
    held_top = top + 1;
    lock_and_unlock();
    top = held_top - 1;
    if (((volatile struct held *)top)->lock != &free_lock)
        abort();
    held_top = top;
}

/* As Weft takes a lock and gives it up, also one while another is held: plainly, and noted in the
 * first of two places that is free, which a thread finds by a pointer. */
static struct placed_lock {
    uint32_t state;
    const void *volatile given_up_at;
} __attribute__((aligned(64))) outer_lock, inner_lock;

static struct held_places {
    int32_t left; /* so many more may be noted until one is a sample */
    struct {
        uintptr_t lock;
        const void *pc, *frame, *caller;
    } at[2];
} held_two = {.left = INT32_MAX};
static __thread struct held_places *volatile held_places = &held_two;

/* The place is filled in before the lock is taken. */
#define TAKE_AT(k, which, address)                                                                 \
    do {                                                                                           \
        if (--held->left < 0)                                                                      \
            abort();                                                                               \
        volatile __typeof__(held->at[k]) *at_ = &held->at[k];                                      \
        at_->pc = address;                                                                         \
        at_->frame = __builtin_dwarf_cfa();                                                        \
        at_->caller = __builtin_return_address(0);                                                 \
        take(which);                                                                               \
        at_->lock = (uintptr_t)(which);                                                            \
        __asm__ volatile("" : : "i"(k)); /* a branch, and no address that has to be waited for */  \
    } while (0)

static inline void take(struct placed_lock *lock)
{
    lock_change(&lock->state, 0, 1, __ATOMIC_ACQUIRE);
}

static inline void take_noted(struct placed_lock *lock, const void *address)
{
    struct held_places *held = held_places;
    if (held->at[0].lock == 0)
        TAKE_AT(0, lock, address);
    else if (held->at[1].lock == 0)
        TAKE_AT(1, lock, address);
    else
        abort();
}

/* By one instruction where there is one, for signal handlers. */
static inline void clear(uintptr_t *word, uintptr_t lock)
{
    if (!WEFT__CLEAR(*word, lock))
        abort();
}

static inline void unnote(const void *lock)
{
    struct held_places *held = held_places;
    if (held->at[0].lock == (uintptr_t)lock) {
        clear(&held->at[0].lock, (uintptr_t)lock);
        __asm__ volatile("" : : "i"(0));
    } else if (held->at[1].lock == (uintptr_t)lock) {
        clear(&held->at[1].lock, (uintptr_t)lock);
        __asm__ volatile("" : : "i"(1));
    } else {
        abort();
    }
}

static inline void give_up(struct placed_lock *lock)
{
    lock->given_up_at = __builtin_return_address(0);
    if (__atomic_sub_fetch(&lock->state, 1, __ATOMIC_RELEASE) != 0)
        abort();
}

static inline void lock_and_unlock_placed(void)
{
    take(&outer_lock);
    give_up(&outer_lock);
}

static inline void lock_and_unlock_noted(void)
{
    take_noted(&outer_lock, &&here);
here:
    unnote(&outer_lock);
    give_up(&outer_lock);
}

static inline void nested(void)
{
    take(&outer_lock);
    take(&inner_lock);
    give_up(&inner_lock);
    give_up(&outer_lock);
}

static inline void nested_noted(void)
{
    take_noted(&outer_lock, &&outer);
outer:
    take_noted(&inner_lock, &&inner);
inner:
    unnote(&inner_lock);
    give_up(&inner_lock);
    unnote(&outer_lock);
    give_up(&outer_lock);
}

#define LOCK_COUNT 100000
#define LOCK_LOOP(pair)                                                                            \
    static void loop_##pair(void)                                                                  \
    {                                                                                              \
        for (long i = 0; i < LOCK_COUNT; i++)                                                      \
            pair();                                                                                \
    }
LOCK_LOOP(lock_and_unlock)
LOCK_LOOP(lock_and_unlock_held)
LOCK_LOOP(lock_and_unlock_placed)
LOCK_LOOP(lock_and_unlock_noted)
LOCK_LOOP(nested)
LOCK_LOOP(nested_noted)

/* In turn, the least of each: they are compared with each other. */
static void measure_locks(void)
{
    static const struct {
        const char *name;
        void (*loop)(void);
    } locks[] = {
        {"lock_pair", loop_lock_and_unlock},
        {"lock_pair_listed", loop_lock_and_unlock_held},
        {"lock_pair_placed", loop_lock_and_unlock_placed},
        {"lock_pair_noted", loop_lock_and_unlock_noted},
        {"lock_nested", loop_nested},
        {"lock_nested_noted", loop_nested_noted},
    };
    enum { KINDS = sizeof locks / sizeof locks[0], ROUNDS = 40 };
    long least[KINDS] = {0};
    for (int i = 0; i < ROUNDS * KINDS; i++) {
        const int k = i % KINDS;
        long begin = now_ns();
        locks[k].loop();
        long ns = now_ns() - begin;
        if (i < KINDS || ns < least[k])
            least[k] = ns;
    }
    for (int k = 0; k < KINDS; k++)
        print(locks[k].name, least[k], LOCK_COUNT);
}

/* ---- what telling of a task that is made, and of its end, takes at least ---- */

/* The task is like the thread's last: by the same, from the same call, whose nearest frames are the
 * same. Both functions are called as those of a library that may be absent, and say that they are
 * under way, for signal handlers. */
static struct telling {
    uint32_t busy, left;
    uint64_t maker;
    const void *start, *pc, *sp;
    const void *frame[4], *const *at[4];
    void *shared; /* what is known of all of them */
    uint64_t made, ended, live, most;
} telling = {.left = 64};
static const void *const *volatile frames;
static uint64_t current_task = 1;

static void tell_made(void **tool, const void *start)
{
    struct telling *t = &telling;
    const void *sp = __builtin_dwarf_cfa(), *pc = __builtin_return_address(0);
    __atomic_store_n(&t->busy, 1, __ATOMIC_RELEASE);
    if (t->maker != *(volatile uint64_t *)&current_task || t->start != start || t->pc != pc ||
        t->sp != sp) {
        t->maker = current_task;
        t->start = start;
        t->pc = pc;
        t->sp = sp;
        for (int i = 0; i < 4; i++)
            t->frame[i] = *(t->at[i] = frames + i);
    }
    for (int i = 0; i < 4; i++)
        if (*t->at[i] != t->frame[i])
            abort();
    if (--t->left == 0) {
        t->made += 64;
        t->left = 64;
    }
    *tool = t->shared;
    __atomic_store_n(&t->busy, 0, __ATOMIC_RELEASE);
}

static void tell_ended(void **tool)
{
    struct telling *t = &telling;
    __atomic_store_n(&t->busy, 1, __ATOMIC_RELEASE);
    if (*tool == t->shared)
        t->ended++;
    *tool = NULL;
    __atomic_store_n(&t->busy, 0, __ATOMIC_RELEASE);
}

/* The counts of the place are right after each call: how many live, and the most that did. */
static void tell_made_at_once(void **tool, const void *start)
{
    struct telling *t = &telling;
    tell_made(tool, start);
    t->live = ++t->made - t->ended;
    if (t->live > t->most)
        t->most = t->live;
}

static void tell_ended_at_once(void **tool)
{
    struct telling *t = &telling;
    tell_ended(tool);
    t->live = t->made - t->ended;
}

static void measure_telling(const char *name, void (*volatile made)(void **, const void *),
                            void (*volatile ended)(void **))
{
    enum { COUNT = 2000000 };
    static const void *some[4] = {&some[0], &some[1], &some[2], &some[3]};
    static void *volatile tool;
    frames = some;
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++) {
        if (made != NULL)
            made((void **)&tool, some);
        if (ended != NULL)
            ended((void **)&tool);
    }
    print(name, now_ns() - begin, COUNT);
}

/* ---- what telling of a wait and of its end takes at least ---- */

/* The task waits as it did last: for the same, from the same call, whose caller is the same; and
 * the one that woke it last does so again. What others see of it changes: that it waits, since
 * when, how often, who ended it; and of the object the same. */
static struct waiting {
    uint64_t number, object;
    const void *pc, *sp, *word, *const *at;
    struct {
        uint32_t state, kind;
        uint64_t since, waker;
        uint32_t waits;
    } seen;
} waiting;
static struct {
    uint64_t waiter, waker;
    const void *pc, *sp;
    uint64_t waked_at, ticks;
    uint32_t waits, wakes;
} waited_for;
static uint64_t tick_now;

static void tell_waits(struct waiting *w, uint64_t object, int kind)
{
    const void *sp = __builtin_dwarf_cfa(), *pc = __builtin_return_address(0);
    __atomic_store_n(&telling.busy, 1, __ATOMIC_RELEASE);
    if (w->object != object || w->pc != pc || w->sp != sp) {
        w->object = object;
        w->pc = pc;
        w->sp = sp;
        w->word = *(w->at = frames);
        waited_for.waiter = w->number = current_task;
    }
    if (*w->at != w->word || waited_for.waiter != w->number)
        abort();
    waited_for.waits++;
    w->seen.waits++;
    w->seen.since = ++tick_now;
    w->seen.waker = 0;
    w->seen.kind = (uint32_t)kind;
    __atomic_store_n(&w->seen.state, 4, __ATOMIC_RELEASE);
    __atomic_store_n(&telling.busy, 0, __ATOMIC_RELEASE);
}

static void tell_woken(struct waiting *w, uint64_t object)
{
    const void *sp = __builtin_dwarf_cfa(), *pc = __builtin_return_address(0);
    const uint64_t me = *(volatile uint64_t *)&current_task;
    __atomic_store_n(&telling.busy, 1, __ATOMIC_RELEASE);
    if (waited_for.waker != me || waited_for.pc != pc || waited_for.sp != sp) {
        waited_for.waker = me;
        waited_for.pc = pc;
        waited_for.sp = sp;
    }
    if (w->object != object)
        abort();
    waited_for.waked_at = tick_now;
    waited_for.ticks += tick_now - w->seen.since;
    waited_for.wakes++;
    w->seen.waker = me;
    w->seen.kind = 0;
    __atomic_store_n(&w->seen.state, 2, __ATOMIC_RELEASE);
    __atomic_store_n(&telling.busy, 0, __ATOMIC_RELEASE);
}

static void measure_waits(void)
{
    enum { COUNT = 2000000 };
    static void (*volatile waits)(struct waiting *, uint64_t, int) = tell_waits;
    static void (*volatile woken)(struct waiting *, uint64_t) = tell_woken;
    static struct waiting *volatile task = &waiting;
    long begin = now_ns();
    for (long i = 0; i < COUNT; i++) {
        waits(task, 1, 20);
        woken(task, 1);
    }
    print("wait_told", now_ns() - begin, COUNT);
}

int main(void)
{
    measure_switch();
    measure_clocks();
    measure_atomics();
    measure_pages();
    measure_stacks();
    measure_futex();
    measure_threads();
    measure_locks();
    measure_telling("task_told", tell_made, tell_ended);
    measure_telling("task_told_at_once", tell_made_at_once, tell_ended_at_once);
    measure_waits();
    return 0;
}
