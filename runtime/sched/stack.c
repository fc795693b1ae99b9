/*
 * Stacks: cut out of slabs of address space that are reserved once and never given back, each with
 * a guard page below it. Used ones are taken again last in, first out: their pages are there.
 *
 * Design notes
 *
 * A guard made by mprotect splits the mapping: two more entries of the kernel's map for each stack,
 * and at vm.max_map_count every mmap of the process fails. MADV_GUARD_INSTALL (Linux 6.13) marks
 * the page instead and needs no entry. Where the kernel lacks it, mprotect is used for as many
 * stacks as half of max_map_count allows; those beyond have no guard.
 */
#include <stdio.h>
#include <sys/mman.h>
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

enum { STACKS_IN_SLAB = 64, MAPS_FALLBACK = 65530 };

static struct {
    uint32_t lock; /* of all below */
    size_t bytes;  /* of a stack, its guard included */
    size_t page;
    char *slab; /* of which `left` stacks are uncut */
    unsigned left;
    char *spare;       /* chained through their last word */
    long protect_left; /* guards that mprotect may still make; -1: not counted yet */
    bool no_install;   /* the kernel does not know MADV_GUARD_INSTALL */
} pool = {.protect_left = -1};

static char **link_of(char *stack)
{
    return (char **)(void *)(stack + pool.bytes - sizeof(char *));
}

/* Between runs only. Stacks of another size stay where they are and are not used again. */
void weft__stack_configure(size_t bytes)
{
    weft__lock(&pool.lock);
    if (bytes != pool.bytes) {
        pool.bytes = bytes;
        pool.spare = NULL;
        pool.left = 0;
    }
    pool.page = (size_t)sysconf(_SC_PAGESIZE);
    weft__unlock(&pool.lock);
}

size_t weft__stack_page(void)
{
    return pool.page;
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

static void guard(char *page)
{
    if (!pool.no_install) {
        if (madvise(page, pool.page, MADV_GUARD_INSTALL) == 0)
            return;
        pool.no_install = true;
    }
    if (pool.protect_left < 0)
        pool.protect_left = protect_budget();
    if (pool.protect_left > 0 && mprotect(page, pool.page, PROT_NONE) == 0)
        pool.protect_left--;
}

static bool new_slab(void)
{
    size_t size = pool.bytes * STACKS_IN_SLAB;
    char *slab = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab == MAP_FAILED)
        return false;
    madvise(slab, size, MADV_NOHUGEPAGE);
    pool.slab = slab;
    pool.left = STACKS_IN_SLAB;
    return true;
}

char *weft__stack_get(struct weft__worker *w)
{
    char *stack = w->free_stacks;
    if (stack) {
        w->free_stacks = *link_of(stack);
        w->free_stack_count--;
        return stack;
    }
    weft__lock(&pool.lock);
    stack = pool.spare;
    if (stack) {
        pool.spare = *link_of(stack);
    } else if (pool.left > 0 || new_slab()) {
        stack = pool.slab + pool.bytes * --pool.left;
        guard(stack);
        (void)VALGRIND_STACK_REGISTER(stack + pool.page, stack + pool.bytes - 1);
#ifdef WEFT_ASAN
        /* Tasks hold what their stacks point to. */
        __lsan_register_root_region(stack + pool.page, pool.bytes - pool.page);
#endif
    }
    weft__unlock(&pool.lock);
    return stack;
}

void weft__stack_put(struct weft__worker *w, char *stack)
{
    if (w->run->stack_bytes != pool.bytes)
        return; /* of a run that is over, when another has stacks of another size */
    *link_of(stack) = w->free_stacks;
    w->free_stacks = stack;
    if (++w->free_stack_count <= WEFT_STACK_CACHE)
        return;
    weft__lock(&pool.lock);
    for (int i = 0; i < WEFT_STACK_CACHE / 2; i++) {
        char *spare = w->free_stacks;
        w->free_stacks = *link_of(spare);
        w->free_stack_count--;
        *link_of(spare) = pool.spare;
        pool.spare = spare;
    }
    weft__unlock(&pool.lock);
}

void weft__stack_drop_cache(struct weft__worker *w)
{
    weft__lock(&pool.lock);
    while (w->free_stacks) {
        char *stack = w->free_stacks;
        w->free_stacks = *link_of(stack);
        *link_of(stack) = pool.spare;
        pool.spare = stack;
    }
    w->free_stack_count = 0;
    weft__unlock(&pool.lock);
}
