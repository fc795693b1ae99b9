/*
 * alloc_pool.c - see alloc_pool.h.
 */
#include "preload/heap/alloc_pool.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

PL_LARGE unsigned char pl_pool_small[PL_POOL_SMALL] __attribute__((aligned(64)));
unsigned char *_Atomic pl_pool_large;

static _Atomic size_t small_used;
static _Atomic size_t large_used;

/* In front of each block. */
struct head {
    size_t size;
    size_t pad;
};
_Static_assert(sizeof(struct head) == PL_POOL_ALIGN, "a head keeps the alignment");

/* The reservation, made by whoever needs it first; losers of the race give theirs back. */
static unsigned char *large_pool(void)
{
    unsigned char *pool = atomic_load_explicit(&pl_pool_large, memory_order_acquire);
    if (pool != NULL)
        return pool;
    long at = syscall(SYS_mmap, NULL, (size_t)PL_POOL_LARGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L);
    if (at == -1)
        return NULL;
    if (atomic_compare_exchange_strong_explicit(&pl_pool_large, &pool, (unsigned char *)at,
                                                memory_order_acq_rel, memory_order_acquire))
        return (unsigned char *)at;
    syscall(SYS_munmap, at, (size_t)PL_POOL_LARGE);
    return pool;
}

static void *take(unsigned char *pool, size_t pool_size, _Atomic size_t *used, size_t size,
                  size_t align)
{
    size_t from = atomic_load_explicit(used, memory_order_relaxed);
    uintptr_t block;
    size_t end;
    do {
        uintptr_t lowest = (uintptr_t)pool + from + sizeof(struct head);
        block = (lowest + align - 1) & ~(uintptr_t)(align - 1);
        size_t offset = block - (uintptr_t)pool;
        if (offset > pool_size || pool_size - offset < size)
            return NULL;
        end = (offset + size + PL_POOL_ALIGN - 1) & ~(size_t)(PL_POOL_ALIGN - 1);
    } while (!atomic_compare_exchange_weak_explicit(used, &from, end, memory_order_relaxed,
                                                    memory_order_relaxed));
    ((struct head *)block)[-1].size = size;
    return (void *)block;
}

void *pl_pool_alloc(size_t size, size_t align)
{
    void *block = NULL;
    if (align < PL_POOL_ALIGN)
        align = PL_POOL_ALIGN;
    if (size <= PL_POOL_LARGE && align <= PL_POOL_LARGE) {
        if (size == 0)
            size = 1; /* a block of its own, inside the range */
        block = take(pl_pool_small, PL_POOL_SMALL, &small_used, size, align);
        unsigned char *large = block == NULL ? large_pool() : NULL;
        if (large != NULL)
            block = take(large, PL_POOL_LARGE, &large_used, size, align);
    }
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

size_t pl_pool_size(const void *block)
{
    return ((const struct head *)block)[-1].size;
}
