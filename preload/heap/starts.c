/* starts.c - see starts.h. */
#include "preload/heap/starts.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

#include "preload/core/real.h"
#include "preload/core/sys.h"
#include "preload/heap/view.h"

#define GRAIN_BITS_LIBC  5
#define GRAIN_BITS_OTHER 4
#define LEAF_SPAN        (UINT64_C(1) << PL_LEAF_BITS)

struct pl_starts pl_starts;

/* Is the allocator behind us the C library's own? */
static int is_libc(void)
{
    Dl_info real, libc;
    const char *(*beside)(void) = gnu_get_libc_version;
    void *(*real_malloc)(size_t) = PL_LOAD(malloc);
    return real_malloc != NULL && dladdr((void *)real_malloc, &real) != 0 &&
           dladdr((void *)beside, &libc) != 0 && real.dli_fbase == libc.dli_fbase;
}

static void table_make(void)
{
    const size_t bytes = PL_LEAVES * sizeof(pl_starts.leaves[0]);
    long r = pl_sys6(SYS_mmap, 0, (long)bytes, PROT_READ,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r < 0 && r > -4096)
        return;
    pl_sys_small_pages((void *)r, bytes);
    pl_starts.leaves = (void *)r;
}

/* Before the program has a second thread: its first block of all. */
static void begin(void)
{
    if (__atomic_load_n(&pl_starts.shift, __ATOMIC_ACQUIRE) != 0)
        return;
    table_make();
    pl_starts.libc = (uint32_t)is_libc();
    __atomic_store_n(&pl_starts.shift, pl_starts.libc ? GRAIN_BITS_LIBC : GRAIN_BITS_OTHER,
                     __ATOMIC_RELEASE);
}

static size_t leaf_bytes(void)
{
    return (size_t)(LEAF_SPAN >> pl_starts.shift);
}

/* The leaves there are, in the order of their making: looking through all that there might be would
 * take milliseconds. */
#define MADE_MOST 16384u
static PL_LARGE uint32_t made[MADE_MOST];
static _Atomic uint32_t made_count;

uint64_t pl_starts_next(uint64_t from)
{
    uint64_t found = PL_LEAVES;
    uint32_t n = atomic_load_explicit(&made_count, memory_order_acquire);
    for (uint32_t i = 0; i < n && i < MADE_MOST; i++) {
        uint64_t leaf = made[i];
        if (leaf >= from && leaf < found && pl_starts.leaves[leaf] != NULL)
            found = leaf;
    }
    return found;
}

/* Lets the leaf's place in the table be written; pieces are whole pages, whatever their size. */
#define PIECE_BYTES UINT64_C(65536)
static int unlock(uint64_t i)
{
    const uintptr_t into = i * sizeof(pl_starts.leaves[0]) & ~(PIECE_BYTES - 1);
    return pl_sys6(SYS_mprotect, (long)((uintptr_t)pl_starts.leaves + into), (long)PIECE_BYTES,
                   PROT_READ | PROT_WRITE, 0, 0, 0) == 0;
}

/* Another page size than a huge one: what is not touched must not take memory. */
static uint8_t *leaf_make(uint64_t i)
{
    uint8_t *_Atomic *place = &pl_starts.leaves[i];
    uint8_t *leaf = pl_sys_reserve(leaf_bytes());
    uint8_t *other = NULL;
    if (leaf == NULL)
        return NULL;
    if (atomic_load(&made_count) < MADE_MOST && unlock(i) &&
        atomic_compare_exchange_strong(place, &other, leaf)) {
        const uint32_t n = atomic_fetch_add(&made_count, 1);
        if (n < MADE_MOST)
            made[n] = (uint32_t)i;
        return leaf;
    }
    pl_sys_munmap(leaf, leaf_bytes());
    return other;
}

void pl_starts_add_slowly(uintptr_t block)
{
    if (block == 0 || block >> 48 != 0 || pl_starts.off)
        return;
    begin();
    uint8_t *leaf = pl_starts.leaves == NULL ? NULL : leaf_make(block >> PL_LEAF_BITS);
    if (leaf != NULL)
        *pl_starts_byte(block) = pl_starts_value(block);
    else /* to be asked for each block would be slow, and a search that knows some lies */
        pl_starts.off = 1;
}

/* The bytes [from, until) of a leaf; both are multiples of 8. */
static void part_each(const uint8_t *leaf, size_t from, size_t until, uintptr_t base,
                      void (*on)(uintptr_t block, int known, void *ctx), void *ctx)
{
    const uintptr_t grain = UINT64_C(1) << pl_starts.shift;
    for (size_t i = from; i < until; i += 8) {
        if (*(const uint64_t *)(leaf + i) == 0)
            continue;
        for (size_t j = i; j < i + 8; j++) {
            uint8_t value = __atomic_load_n(&leaf[j], __ATOMIC_RELAXED);
            if (value == 0)
                continue;
            uintptr_t into = (value & PL_PLACE_MASK) & (grain - 1);
            on(base + j * grain + into, (value & PL_KNOWN) != 0, ctx);
        }
    }
}

/* What was never touched is not: reading it would cost a fault a page. */
static void leaf_each(const uint8_t *leaf, uintptr_t base,
                      void (*on)(uintptr_t block, int known, void *ctx), void *ctx)
{
    uintptr_t lo = (uintptr_t)leaf, hi = lo + leaf_bytes();
    for (uintptr_t at = lo; at < hi;) {
        struct pl_range part = pl_view_touched(at, hi);
        part_each(leaf, part.lo - lo, part.hi - lo, base, on, ctx);
        at = part.hi;
    }
}

void pl_starts_each(void (*on)(uintptr_t block, int known, void *ctx), void *ctx)
{
    for (uint64_t i = pl_starts_next(0); i < PL_LEAVES; i = pl_starts_next(i + 1))
        leaf_each(pl_starts.leaves[i], (uintptr_t)(i << PL_LEAF_BITS), on, ctx);
}

void pl_starts_each_leaf(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx)
{
    for (uint64_t i = pl_starts_next(0); i < PL_LEAVES; i = pl_starts_next(i + 1)) {
        uintptr_t leaf = (uintptr_t)pl_starts.leaves[i];
        on(leaf, leaf + leaf_bytes(), ctx);
    }
}
