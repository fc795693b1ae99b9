/*
 * alloc_pool.h - memory for those who ask before the real allocator is known.
 *
 * dlsym itself calls calloc. The pool only grows; freeing is nothing, and a block keeps its size so
 * that realloc can move it out. It takes no lock, makes no library call and never fails before
 * 64 MiB are used.
 */
#ifndef PRELOAD_HEAP_ALLOC_POOL_H
#define PRELOAD_HEAP_ALLOC_POOL_H

#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

#define PL_POOL_SMALL 65536u           /* in the library's own memory */
#define PL_POOL_LARGE (64u * 1048576u) /* reserved from the kernel when that is used up */
#define PL_POOL_ALIGN 16u

extern PL_HIDDEN unsigned char pl_pool_small[PL_POOL_SMALL];
extern PL_HIDDEN unsigned char *_Atomic pl_pool_large;

/* Zeroed memory; NULL with errno ENOMEM. `align` is a power of two. */
PL_HIDDEN void *pl_pool_alloc(size_t size, size_t align);
PL_HIDDEN size_t pl_pool_size(const void *block);

static inline int pl_pool_owns(const void *block)
{
    if ((uintptr_t)block - (uintptr_t)pl_pool_small < PL_POOL_SMALL)
        return 1;
    uintptr_t large = (uintptr_t)atomic_load_explicit(&pl_pool_large, memory_order_relaxed);
    return __builtin_expect(large != 0, 0) && (uintptr_t)block - large < PL_POOL_LARGE;
}

#endif
