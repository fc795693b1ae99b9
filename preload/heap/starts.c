/* starts.c - see starts.h. */
#include "preload/heap/starts.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include "preload/core/real.h"
#include "preload/core/sys.h"

#define GRAIN_BITS_LIBC  5
#define GRAIN_BITS_OTHER 4
#define LEAF_SPAN        (UINT64_C(1) << PL_LEAF_BITS)

struct pl_starts pl_starts = {.on = 1};

/* Is the allocator behind us the C library's own? */
static int is_libc(void)
{
    Dl_info real, libc;
    const char *(*beside)(void) = gnu_get_libc_version;
    void *(*real_malloc)(size_t) = PL_LOAD(malloc);
    return real_malloc != NULL && dladdr((void *)real_malloc, &real) != 0 &&
           dladdr((void *)beside, &libc) != 0 && real.dli_fbase == libc.dli_fbase;
}

/* Before the program has a second thread: its first block of all. */
static void shift_find(void)
{
    if (__atomic_load_n(&pl_starts.shift, __ATOMIC_ACQUIRE) != 0)
        return;
    pl_starts.libc = (uint32_t)is_libc();
    __atomic_store_n(&pl_starts.shift, pl_starts.libc ? GRAIN_BITS_LIBC : GRAIN_BITS_OTHER,
                     __ATOMIC_RELEASE);
}

static size_t leaf_bytes(void)
{
    return (size_t)(LEAF_SPAN >> pl_starts.shift);
}

/* Another page size than a huge one: what is not touched must not take memory. */
static uint8_t *leaf_make(_Atomic(uint8_t *) *place)
{
    uint8_t *leaf = pl_sys_reserve(leaf_bytes());
    uint8_t *other = NULL;
    if (leaf == NULL)
        return NULL;
    if (atomic_compare_exchange_strong(place, &other, leaf))
        return leaf;
    pl_sys_munmap(leaf, leaf_bytes());
    return other;
}

void pl_starts_add_slowly(uintptr_t block)
{
    if (block == 0 || block >> 48 != 0 || !pl_starts.on)
        return;
    shift_find();
    uint8_t *leaf = leaf_make(&pl_starts.leaves[block >> PL_LEAF_BITS]);
    if (leaf != NULL)
        *pl_starts_byte(leaf, block) = pl_starts_value(block);
}

static void leaf_each(const uint8_t *leaf, uintptr_t base,
                      void (*on)(uintptr_t block, int known, void *ctx), void *ctx)
{
    const uintptr_t grain = UINT64_C(1) << pl_starts.shift;
    size_t n = leaf_bytes();
    for (size_t i = 0; i < n; i += 8) {
        if (*(const uint64_t *)(leaf + i) == 0)
            continue;
        for (size_t j = i; j < i + 8; j++) {
            uint8_t value = __atomic_load_n(&leaf[j], __ATOMIC_RELAXED);
            if (value == 0)
                continue;
            uintptr_t into = ((uintptr_t)(value & PL_PLACE_MASK) - 1) * 8 & (grain - 1);
            on(base + j * grain + into, (value & PL_KNOWN) != 0, ctx);
        }
    }
}

void pl_starts_each(void (*on)(uintptr_t block, int known, void *ctx), void *ctx)
{
    for (uint64_t i = 0; i < PL_LEAVES; i++) {
        const uint8_t *leaf = atomic_load_explicit(&pl_starts.leaves[i], memory_order_acquire);
        if (leaf != NULL)
            leaf_each(leaf, (uintptr_t)(i << PL_LEAF_BITS), on, ctx);
    }
}

void pl_starts_each_leaf(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx)
{
    for (uint64_t i = 0; i < PL_LEAVES; i++) {
        uintptr_t leaf = (uintptr_t)atomic_load(&pl_starts.leaves[i]);
        if (leaf != 0)
            on(leaf, leaf + leaf_bytes(), ctx);
    }
}
