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

bool weft__futex_wait(uint32_t *word, uint32_t expected, int64_t ns)
{
    struct timespec limit = {ns / 1000000000, ns % 1000000000};
    long r =
        syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, ns < 0 ? NULL : &limit, NULL, 0);
    return !(r < 0 && errno == ETIMEDOUT);
}

void weft__futex_wake(uint32_t *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
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
