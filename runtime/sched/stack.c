/*
 * Stacks: cut out of slabs of address space that are reserved once and never given back, each with
 * a guard page at its low end. Used ones are taken again last in, first out: their pages are there.
 *
 * Two classes: of the run's size, and small ones, for tasks that mostly wait. What a parked task
 * costs is the page it has touched, in either; small ones lie closer, which saves page tables.
 *
 * Design notes
 *
 * A guard made by mprotect splits the mapping: two more entries of the kernel's map for each stack,
 * and at vm.max_map_count every mmap of the process fails. MADV_GUARD_INSTALL (Linux 6.13) marks
 * the page instead and needs no entry. Where the kernel lacks it, mprotect is used for as many
 * stacks as half of max_map_count allows; those beyond have no guard.
 *
 * Stacks are cut some at a time, the more the more are wanted: their guards, and the pages that
 * their first frames will touch, then take one system call each instead of one, and a page fault,
 * for each stack. The kernel takes most of the time of a fresh stack, and works for several workers
 * at once: the lock is not held meanwhile.
 *
 * The first frames do not begin at the same place of a page in all stacks, else they would compete
 * for a few sets of the processor's caches.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/sched/inside.h"

#ifdef WEFT_ASAN
#include <sanitizer/lsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) (0)
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { SLAB_FIRST = 128, SLAB_MAX = 1024, CUT_MAX = WEFT_STACK_CACHE, MAPS_FALLBACK = 65530 };

/* In place of a pidfd: the calling thread (Linux 6.14). */
enum { SELF = -10000 };
#if defined(WEFT_ASAN) || defined(WEFT_TSAN)
enum { SMALL_PAGES = 16 }; /* their frames are larger */
#else
enum { SMALL_PAGES = 3 };
#endif

struct class
{
    size_t bytes; /* of a stack, its guard included */
    char *slab;   /* of which `left` stacks are uncut */
    unsigned left;
    unsigned cut;     /* how many are cut at once */
    unsigned in_slab; /* how many are reserved at once */
    char *spare;      /* chained through their last word */
};

static struct {
    uint32_t lock; /* of all below */
    struct class class[WEFT__STACK_CLASSES];
    size_t page;
    long protect_left; /* guards that mprotect may still make; -1: not counted yet */
    bool no_install;   /* the kernel does not know MADV_GUARD_INSTALL; read without the lock */
    bool no_self;      /* nor SELF; likewise */
} pool = {.protect_left = -1};

static char **link_of(const struct class *class, char *stack)
{
    return (char **)(void *)(stack + class->bytes - sizeof(char *));
}

/* With the lock. What a late thread of an earlier run puts back is compared without it. */
static void set_class(struct class *class, size_t bytes)
{
    if (class->bytes == bytes)
        return;
    __atomic_store_n(&class->bytes, bytes, __ATOMIC_RELAXED);
    class->slab = class->spare = NULL;
    class->left = 0;
    class->cut = 1;
    class->in_slab = SLAB_FIRST;
}

/* Between runs only. Stacks of another size stay where they are and are not used again. */
void weft__stack_configure(size_t bytes)
{
    weft__lock(&pool.lock);
    if (pool.page == 0)
        pool.page = (size_t)sysconf(_SC_PAGESIZE);
    set_class(&pool.class[WEFT__STACK_NORMAL], bytes);
    set_class(&pool.class[WEFT__STACK_SMALL], SMALL_PAGES * pool.page);
    weft__unlock(&pool.lock);
}

size_t weft__stack_page(void)
{
    return pool.page;
}

size_t weft__small_stack_bytes(void)
{
    return pool.class[WEFT__STACK_SMALL].bytes;
}

static long protect_budget(void)
{
    long maps = MAPS_FALLBACK;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    if (f) {
        if (fscanf(f, "%ld", &maps) != 1)
            maps = MAPS_FALLBACK;
        fclose(f);
    }
    return maps / 4; /* two entries each: half of what there is */
}

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_RELAXED);
}

static void guard(char *page)
{
    if (!is_set(&pool.no_install)) {
        if (madvise(page, pool.page, MADV_GUARD_INSTALL) == 0)
            return;
        __atomic_store_n(&pool.no_install, true, __ATOMIC_RELAXED);
    }
    weft__lock(&pool.lock);
    if (pool.protect_left < 0)
        pool.protect_left = protect_budget();
    if (pool.protect_left > 0 && mprotect(page, pool.page, PROT_NONE) == 0)
        pool.protect_left--;
    weft__unlock(&pool.lock);
}

/* One piece of advice for `n` pages that lie `stride` apart: how many got it. A descriptor is not
 * kept: in a child of fork it would be the parent's. */
static size_t advise_pages(char *first, size_t stride, unsigned n, int advice)
{
    struct iovec pages[CUT_MAX];
    for (unsigned i = 0; i < n; i++)
        pages[i] = (struct iovec){first + i * stride, pool.page};
    long done = -1;
    if (!is_set(&pool.no_self)) {
        done = syscall(SYS_process_madvise, SELF, pages, (size_t)n, advice, 0U);
        if (done < 0 && errno == EBADF)
            __atomic_store_n(&pool.no_self, true, __ATOMIC_RELAXED);
    }
    if (is_set(&pool.no_self)) {
        int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
        if (self < 0)
            return 0;
        done = syscall(SYS_process_madvise, self, pages, (size_t)n, advice, 0U);
        close(self);
    }
    return done < 0 ? 0 : (size_t)done / pool.page;
}

/* As many as can be had. */
static bool new_slab(struct class *class)
{
    size_t size;
    char *slab = MAP_FAILED;
    unsigned n = class->in_slab;
    for (; n > 0; n /= 2) {
        size = class->bytes * n;
        slab = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (slab != MAP_FAILED)
            break;
    }
    if (n == 0)
        return false;
    madvise(slab, size, MADV_NOHUGEPAGE);
    class->slab = slab;
    class->left = n;
    class->in_slab = n < SLAB_MAX ? n * 2 : SLAB_MAX;
    return true;
}

/* Makes `n` stacks ready for use, from `first` on. */
static void prepare(size_t bytes, char *first, unsigned n)
{
    size_t guarded = 0;
    if (n > 1) {
        if (!is_set(&pool.no_install))
            guarded = advise_pages(first, bytes, n, MADV_GUARD_INSTALL);
        advise_pages(first + bytes - pool.page, bytes, n, MADV_POPULATE_WRITE);
    }
    for (unsigned i = 0; i < n; i++) {
        char *stack = first + i * bytes;
        if (i >= guarded)
            guard(stack);
        (void)VALGRIND_STACK_REGISTER(stack + pool.page, stack + bytes - 1);
#ifdef WEFT_ASAN
        /* Tasks hold what their stacks point to. */
        __lsan_register_root_region(stack + pool.page, bytes - pool.page);
#endif
    }
}

/* With the lock: uncut ones that lie side by side, and how many; NULL: no memory. */
static char *cut(struct class *class, unsigned *n)
{
    if (class->left == 0 && !new_slab(class))
        return NULL;
    *n = class->cut < class->left ? class->cut : class->left;
    if (class->cut < CUT_MAX)
        class->cut *= 2;
    class->left -= *n;
    return class->slab + class->left * class->bytes;
}

static bool refill(struct weft__worker *w, unsigned which)
{
    struct class *class = &pool.class[which];
    char **cache = w->free_stacks[which], *fresh = NULL;
    unsigned count = 0;
    weft__lock(&pool.lock);
    for (; count < WEFT_STACK_CACHE / 2 && class->spare; count++) {
        cache[count] = class->spare;
        class->spare = *link_of(class, class->spare);
    }
    size_t bytes = class->bytes;
    if (count == 0)
        fresh = cut(class, &count);
    weft__unlock(&pool.lock);
    if (fresh) {
        prepare(bytes, fresh, count);
        for (unsigned i = 0; i < count; i++)
            cache[i] = fresh + i * bytes;
    }
    w->free_stack_count[which] = count;
    return count > 0;
}

static void give_back(struct weft__worker *w, unsigned which, unsigned keep)
{
    struct class *class = &pool.class[which];
    weft__lock(&pool.lock);
    while (w->free_stack_count[which] > keep) {
        char *stack = w->free_stacks[which][--w->free_stack_count[which]];
        *link_of(class, stack) = class->spare;
        class->spare = stack;
    }
    weft__unlock(&pool.lock);
}

char *weft__stack_get(struct weft__worker *w, bool small)
{
    if (w->free_stack_count[small] == 0 && !refill(w, small))
        return NULL;
    return w->free_stacks[small][--w->free_stack_count[small]];
}

void weft__stack_put(struct weft__worker *w, char *stack, bool small)
{
    const struct class *normal = &pool.class[WEFT__STACK_NORMAL];
    if (!small && w->run->stack_bytes != __atomic_load_n(&normal->bytes, __ATOMIC_RELAXED))
        return; /* of a run that is over, when another has stacks of another size */
    if (w->free_stack_count[small] == WEFT_STACK_CACHE)
        give_back(w, small, WEFT_STACK_CACHE / 2);
    w->free_stacks[small][w->free_stack_count[small]++] = stack;
}

void weft__stack_drop_cache(struct weft__worker *w)
{
    give_back(w, WEFT__STACK_SMALL, 0);
    give_back(w, WEFT__STACK_NORMAL, 0);
}
