/* The slow paths of lock.h and fence.h. */
#include "runtime/sched/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/arch/context.h"
#include "runtime/sched/fence.h"

enum { SPINS_BEFORE_YIELD = 200 };

void weft__lock_slow(uint32_t *lock)
{
    for (;;) {
        for (int i = 0; i < SPINS_BEFORE_YIELD; i++) {
            if (__atomic_load_n(lock, __ATOMIC_RELAXED) == 0 && weft__try_lock(lock))
                return;
            weft__relax();
        }
        sched_yield();
    }
}

void weft__unlocked_slow(const uint32_t *lock)
{
    for (int i = 1; __atomic_load_n(lock, __ATOMIC_ACQUIRE) != 0; i++) {
        if (i % SPINS_BEFORE_YIELD == 0)
            sched_yield();
        weft__relax();
    }
}

/* Past the C library: a tool that looks at the program's waits has nothing to see here. Negative
 * errno on failure. */
static long futex(uint32_t *word, long op, long value, const struct timespec *limit)
{
#if defined(__x86_64__)
    long result;
    register const struct timespec *r10 __asm__("r10") = limit;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_futex), "D"(word), "S"(op), "d"(value), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_futex;
    register long x0 __asm__("x0") = (long)word;
    register long x1 __asm__("x1") = op;
    register long x2 __asm__("x2") = value;
    register const struct timespec *x3 __asm__("x3") = limit;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
    long result = syscall(SYS_futex, word, op, value, limit, NULL, 0);
    return result < 0 ? -errno : result;
#endif
}

bool weft__futex_wait(uint32_t *word, uint32_t expected, int64_t ns)
{
    struct timespec limit = {ns / 1000000000, ns % 1000000000};
    return futex(word, FUTEX_WAIT_PRIVATE, expected, ns < 0 ? NULL : &limit) != -ETIMEDOUT;
}

void weft__futex_wake(uint32_t *word, int count)
{
    futex(word, FUTEX_WAKE_PRIVATE, count, NULL);
}

bool weft__fences_full = true;

void weft__fences_begin(void)
{
    bool full = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0;
    __atomic_store_n(&weft__fences_full, full, __ATOMIC_RELAXED);
}

void weft__full_fence(void)
{
#ifdef WEFT_TSAN
    static uint32_t word; /* it knows no fences; for the processor this is one */
    __atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Registered once, the call fails no more; if it does, the fence is at least our own. */
void weft__heavy_fence(void)
{
    weft__full_fence();
    if (!__atomic_load_n(&weft__fences_full, __ATOMIC_RELAXED))
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}
