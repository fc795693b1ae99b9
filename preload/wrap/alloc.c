/*
 * alloc.c - wrappers of the allocator and of mappings: counted and passed on.
 *
 * The program keeps its own allocator: what is called is the next definition, the C library's or a
 * preloaded one; a program that defines malloc itself never comes here. Before the next definition
 * is known, blocks come from alloc_pool.c. Nothing here takes a lock or allocates, so fork needs no
 * care and the guard is not looked at on the way through.
 */
#include "preload/wrap/alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload/core/real.h"
#include "preload/core/site.h"
#include "preload/wrap/alloc_pool.h"

/* Some of them have no prototype in a public header. */
#define PL_SYMBOL(ret, name, params) ret name params;
#include "preload/wrap/symbols-alloc.def"
#undef PL_SYMBOL

#define FLUSH_EVERY 65536u

/* This thread's calls since the last flush. Plain: a handler that interrupts an addition can lose a
 * count, never more. */
static __thread struct {
    uint64_t calls, bytes;
} counted __attribute__((tls_model("initial-exec")));

void pl_alloc_flush(struct pl_self *self)
{
    (void)self;
    uint64_t calls = counted.calls, bytes = counted.bytes;
    if (calls == 0)
        return;
    counted.calls = counted.bytes = 0;
    struct pl_site *site = pl_site_get(EL_SITE_ALLOC, 0, 0);
    if (site == NULL)
        return;
    __atomic_fetch_add(&site->cell->count, calls, __ATOMIC_RELAXED);
    __atomic_fetch_add(&site->cell->bytes, bytes, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) void flush_now(void)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    pl_alloc_flush(self);
    errno = error;
    pl_leave(self);
}

/* Counts; 0 when it is time to flush. Loads and stores that the compiler leaves apart: one addition
 * of both as a vector is slower. */
static inline int count(size_t bytes)
{
    uint64_t calls = __atomic_load_n(&counted.calls, __ATOMIC_RELAXED) + 1;
    __atomic_store_n(&counted.calls, calls, __ATOMIC_RELAXED);
    uint64_t sum = __atomic_load_n(&counted.bytes, __ATOMIC_RELAXED) + bytes;
    __atomic_store_n(&counted.bytes, sum, __ATOMIC_RELAXED);
    return calls < FLUSH_EVERY;
}

/* 1 when the real allocator is known. The pass that looks it up may be the caller itself. */
static __attribute__((noinline, cold)) int find_real(void)
{
    if (atomic_load_explicit(&pl_resolve_state, memory_order_acquire) != PL_RESOLVING)
        pl_resolve_all();
    return (PL_LOAD(malloc) != NULL);
}

static inline void count_or_flush(size_t bytes)
{
    if (!count(bytes))
        flush_now();
}

#define KNOWN(name)                                                                                \
    (__builtin_expect((PL_LOAD(name) != NULL), 1) || (find_real() && (PL_LOAD(name) != NULL)))

/*
 * The four that every program lives on keep no frame and call nothing on their usual way; the rest,
 * a flush or a real function that is not known yet, is reached by a jump.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define FRAMELESS __attribute__((optimize("O2", "omit-frame-pointer")))
#else
#define FRAMELESS
#endif
#define SECOND_WAY         static __attribute__((noinline, cold))
#define USUAL(name, bytes) (__builtin_expect((PL_LOAD(name) != NULL), 1) && count(bytes))

SECOND_WAY void *slow_malloc(size_t size)
{
    if (!KNOWN(malloc))
        return pl_pool_alloc(size, PL_POOL_ALIGN);
    flush_now();
    return PL_LOAD(malloc)(size);
}

PL_EXPORT FRAMELESS void *malloc(size_t size)
{
    if (USUAL(malloc, size))
        return PL_LOAD(malloc)(size);
    return slow_malloc(size);
}

SECOND_WAY void *slow_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (KNOWN(calloc)) {
        flush_now();
        return PL_LOAD(calloc)(n, size);
    }
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = SIZE_MAX;
    return pl_pool_alloc(bytes, PL_POOL_ALIGN);
}

PL_EXPORT FRAMELESS void *calloc(size_t n, size_t size)
{
    if (USUAL(calloc, n * size))
        return PL_LOAD(calloc)(n, size);
    return slow_calloc(n, size);
}

SECOND_WAY void slow_free(void *block)
{
    if (!pl_pool_owns(block) && KNOWN(free))
        PL_LOAD(free)(block);
}

PL_EXPORT FRAMELESS void free(void *block)
{
    if (__builtin_expect((PL_LOAD(free) != NULL) && !pl_pool_owns(block), 1))
        PL_LOAD(free)(block);
    else
        slow_free(block);
}

/* A block of the pool moves to the real allocator as soon as there is one. */
static __attribute__((noinline, cold)) void *pool_realloc(void *block, size_t size)
{
    if (block != NULL && size == 0)
        return NULL;
    void *moved = malloc(size);
    if (moved == NULL || block == NULL)
        return moved;
    size_t had = pl_pool_size(block);
    return memcpy(moved, block, had < size ? had : size);
}

SECOND_WAY void *slow_realloc(void *block, size_t size)
{
    if (pl_pool_owns(block) || !KNOWN(realloc))
        return pool_realloc(block, size);
    flush_now();
    return PL_LOAD(realloc)(block, size);
}

PL_EXPORT FRAMELESS void *realloc(void *block, size_t size)
{
    if (__builtin_expect(!pl_pool_owns(block), 1) && USUAL(realloc, size))
        return PL_LOAD(realloc)(block, size);
    return slow_realloc(block, size);
}

PL_EXPORT void *reallocarray(void *block, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_expect(!pl_pool_owns(block), 1) && KNOWN(reallocarray)) {
        count_or_flush(n * size);
        return PL_LOAD(reallocarray)(block, n, size);
    }
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return pool_realloc(block, bytes);
}

PL_EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (KNOWN(posix_memalign)) {
        count_or_flush(size);
        return PL_LOAD(posix_memalign)(out, align, size);
    }
    if (align % sizeof(void *) != 0 || align == 0 || (align & (align - 1)) != 0)
        return EINVAL;
    int error = errno;
    void *block = pl_pool_alloc(size, align);
    errno = error;
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

/* The pool wants a power of two; what the real function says to others is not known yet. */
static void *pool_aligned(size_t align, size_t size)
{
    size_t power = PL_POOL_ALIGN;
    while (power < align && power < PL_POOL_LARGE)
        power <<= 1;
    return pl_pool_alloc(size, power);
}

#define ALIGNED(name)                                                                              \
    PL_EXPORT void *name(size_t align, size_t size)                                                \
    {                                                                                              \
        if (!KNOWN(name))                                                                          \
            return pool_aligned(align, size);                                                      \
        count_or_flush(size);                                                                      \
        return PL_LOAD(name)(align, size);                                                         \
    }

ALIGNED(aligned_alloc)
ALIGNED(memalign)

#define PAGED(name)                                                                                \
    PL_EXPORT void *name(size_t size)                                                              \
    {                                                                                              \
        if (!KNOWN(name))                                                                          \
            return pool_aligned((size_t)getpagesize(), size);                                      \
        count_or_flush(size);                                                                      \
        return PL_LOAD(name)(size);                                                                \
    }

PAGED(valloc)
PAGED(pvalloc)

PL_EXPORT size_t malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    if (__builtin_expect(pl_pool_owns(block), 0))
        return pl_pool_size(block);
    return KNOWN(malloc_usable_size) ? PL_LOAD(malloc_usable_size)(block) : 0;
}

/* Mappings are passed on; before the real functions are known, straight to the kernel. */

PL_EXPORT void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset)
{
    if (!KNOWN(mmap))
        return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
    return PL_LOAD(mmap)(at, n, prot, flags, fd, offset);
}

PL_EXPORT void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset)
{
    if (!KNOWN(mmap64))
        return (void *)syscall(SYS_mmap, at, n, prot, flags, fd, offset);
    return PL_LOAD(mmap64)(at, n, prot, flags, fd, offset);
}

PL_EXPORT int munmap(void *at, size_t n)
{
    if (!KNOWN(munmap))
        return (int)syscall(SYS_munmap, at, n);
    return PL_LOAD(munmap)(at, n);
}

PL_EXPORT void *mremap(void *at, size_t was, size_t n, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *to = va_arg(rest, void *);
    va_end(rest);
    if (!KNOWN(mremap))
        return (void *)syscall(SYS_mremap, at, was, n, flags, to);
    return PL_LOAD(mremap)(at, was, n, flags, to);
}
