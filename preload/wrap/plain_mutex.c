/* plain_mutex.c - see plain_mutex.h. */
#include "preload/wrap/plain_mutex.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <string.h>

#include "preload/core/cfi.h"
#include "preload/core/sys.h"

#define CALLED (~0u)

uint32_t pl_mutex_usual = CALLED;

static int is_same(const pthread_mutex_t *a, const pthread_mutex_t *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

int pl_mutex_behaves(int (*lock)(pthread_mutex_t *), int (*trylock)(pthread_mutex_t *),
                     int (*unlock)(pthread_mutex_t *))
{
    const pthread_mutex_t free = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_t real = free, ours = free;
    const uint32_t tid = (uint32_t)pl_sys_tid();
    if (lock(&real) != 0 || !pl_mutex_take(&ours, tid) || !is_same(&real, &ours))
        return 0;
    if (trylock(&ours) != EBUSY || pl_mutex_take(&real, tid) || !is_same(&real, &ours))
        return 0;
    /* Each is given back in the way that the other one was taken. */
    if (unlock(&ours) != 0 || !pl_mutex_give(&real, tid))
        return 0;
    if (!is_same(&ours, &free) || !is_same(&real, &free))
        return 0;
    if (trylock(&real) != 0 || !pl_mutex_take(&ours, tid) || !is_same(&real, &ours))
        return 0;
    /* Who gives up what is waited for wakes somebody. */
    ours.__data.__lock = 2;
    if (pl_mutex_give(&ours, tid) || ours.__data.__lock != 2 || unlock(&ours) != 0)
        return 0;
    return unlock(&real) == 0 && is_same(&ours, &free) && is_same(&real, &free);
}

#if defined(__x86_64__)
/* Valgrind's tools watch the C library's functions: a lock that is taken past them is none there.
 * What is told of is a row of turns that changes nothing on a processor. */
static int is_watched(void)
{
    volatile uint64_t request[6] = {0x1001, 0, 0, 0, 0, 0}; /* does the program run on it? */
    uint64_t answer = 0;
    __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "+d"(answer)
                     : "a"(&request[0])
                     : "cc", "memory");
    return answer != 0;
}
#else
static int is_watched(void)
{
    return 1;
}
#endif

static int is_libcs(int (*real)(pthread_mutex_t *))
{
    const char *(*beside)(void) = gnu_get_libc_version;
    const uintptr_t libc = pl_cfi_module((uintptr_t)beside);
    return libc != 0 && pl_cfi_module((uintptr_t)real) == libc;
}

/* After record.c knows whether there is or may be a record. */
__attribute__((constructor(102))) static void plain_mutex_begin(void)
{
    int (*lock)(pthread_mutex_t *) = PL_LOAD(pthread_mutex_lock);
    int (*trylock)(pthread_mutex_t *) = PL_LOAD(pthread_mutex_trylock);
    int (*unlock)(pthread_mutex_t *) = PL_LOAD(pthread_mutex_unlock);
    if (pl_is_deaf() || !is_libcs(lock) || !is_libcs(trylock) || !is_libcs(unlock) || is_watched())
        return;
    if (pl_mutex_behaves(lock, trylock, unlock))
        __atomic_store_n(&pl_mutex_usual, 0, __ATOMIC_RELAXED);
}
