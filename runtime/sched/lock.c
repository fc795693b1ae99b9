/* The slow paths of lock.h. */
#include "runtime/sched/lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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
