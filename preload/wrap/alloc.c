/*
 * alloc.c - wrappers of the allocator and of mappings: counted, noted and passed on.
 *
 * The program keeps its own allocator: what is called is the next definition, the C library's or a
 * preloaded one; a program that defines malloc itself never comes here. Before the next definition
 * is known, blocks come from alloc_pool.c. What becomes of the blocks is heap/'s matter. Nothing
 * here takes a lock or allocates, so fork needs no care and the guard is not looked at on the way
 * through.
 */
#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "preload/core/real.h"
#include "preload/heap/alloc_pool.h"
#include "preload/heap/heap.h"

/* Some of them have no prototype in a public header. */
#define PL_SYMBOL(ret, name, params) ret name params;
#include "preload/wrap/symbols-alloc.def"
#undef PL_SYMBOL

/* 1 when the real allocator is known. The pass that looks it up may be the caller itself. */
static __attribute__((noinline, cold)) int find_real(void)
{
    if (atomic_load_explicit(&pl_resolve_state, memory_order_acquire) != PL_RESOLVING)
        pl_resolve_all();
    return (PL_LOAD(malloc) != NULL);
}

#define KNOWN(name)                                                                                \
    (__builtin_expect((PL_LOAD(name) != NULL), 1) || (find_real() && (PL_LOAD(name) != NULL)))

/* A request on the way that few take, with its block. */
#define GOT(name, bytes, ...) pl_heap_got(PL_LOAD(name)(__VA_ARGS__), bytes, PL_CALL())

/*
 * The four that every program lives on. What passes pl_heap_passes, and what is noted, tells that
 * all real functions are known and that blocks are looked at; where these are not (pl_starts.off),
 * the real functions are known too. All else is a matter of the second way.
 */
PL_SECOND_WAY void *slow_malloc(size_t size)
{
    if (!KNOWN(malloc))
        return pl_pool_alloc(size, PL_POOL_ALIGN);
    return GOT(malloc, size, size);
}

PL_EXPORT PL_FRAMELESS void *malloc(size_t size)
{
    if (__builtin_expect(pl_heap_passes(size), 1))
        return pl_heap_note(PL_LOAD(malloc)(size));
    return pl_starts.off ? PL_LOAD(malloc)(size) : slow_malloc(size);
}

PL_SECOND_WAY void *slow_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (KNOWN(calloc))
        return GOT(calloc, n * size, n, size);
    if (__builtin_mul_overflow(n, size, &bytes))
        bytes = SIZE_MAX;
    return pl_pool_alloc(bytes, PL_POOL_ALIGN);
}

PL_EXPORT PL_FRAMELESS void *calloc(size_t n, size_t size)
{
    if (__builtin_expect(pl_heap_passes(n * size), 1))
        return pl_heap_note(PL_LOAD(calloc)(n, size));
    return pl_starts.off ? PL_LOAD(calloc)(n, size) : slow_calloc(n, size);
}

PL_SECOND_WAY void slow_free(void *block)
{
    if (pl_pool_owns(block) || !KNOWN(free))
        return;
    pl_heap_gone(block);
    PL_LOAD(free)(block);
}

/* The C library frees a dozen of NULL for each thread that ends. */
PL_EXPORT PL_FRAMELESS void free(void *block)
{
    if (block == NULL)
        return;
    if (__builtin_expect(pl_starts_take((uintptr_t)block), 1))
        PL_LOAD(free)(block);
    else if (pl_starts.off && !pl_pool_owns(block))
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

/* The block that is to be moved: its note is taken away beforehand, for its place may be another
 * thread's as soon as it moved. It comes back when it stays after all. */
static inline void leave_note(void *block)
{
    if (!pl_starts_take((uintptr_t)block))
        pl_heap_gone(block);
}

static inline void *moved(void *block, size_t size, void *to)
{
    if (to == NULL && block != NULL && size != 0)
        pl_heap_note(block);
    return to;
}

PL_SECOND_WAY void *slow_realloc(void *block, size_t size)
{
    if (pl_pool_owns(block) || !KNOWN(realloc))
        return pool_realloc(block, size);
    leave_note(block);
    pl_heap_thread.enlarges = block != NULL;
    void *got = moved(block, size, GOT(realloc, size, block, size));
    pl_heap_thread.enlarges = 0;
    return got;
}

static inline void *resize(void *block, size_t size)
{
    if (pl_starts.off && !pl_pool_owns(block))
        return PL_LOAD(realloc)(block, size);
    if (pl_pool_owns(block) || !pl_heap_passes(size))
        return slow_realloc(block, size);
    leave_note(block);
    return moved(block, size, pl_heap_note(PL_LOAD(realloc)(block, size)));
}

PL_EXPORT void *realloc(void *block, size_t size)
{
    return resize(block, size);
}

/* The real one would call realloc, which is ours. */
PL_EXPORT void *reallocarray(void *block, size_t n, size_t size)
{
    size_t bytes;
    if (!__builtin_mul_overflow(n, size, &bytes))
        return resize(block, bytes);
    errno = ENOMEM;
    return NULL;
}

PL_EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (KNOWN(posix_memalign)) {
        int result = PL_LOAD(posix_memalign)(out, align, size);
        if (result == 0 && pl_heap_passes(size))
            pl_heap_note(*out);
        else if (result == 0)
            pl_heap_got(*out, size, PL_CALL());
        return result;
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
        if (pl_heap_passes(size))                                                                  \
            return pl_heap_note(PL_LOAD(name)(align, size));                                       \
        return GOT(name, size, align, size);                                                       \
    }

ALIGNED(aligned_alloc)
ALIGNED(memalign)

#define PAGED(name)                                                                                \
    PL_EXPORT void *name(size_t size)                                                              \
    {                                                                                              \
        if (!KNOWN(name))                                                                          \
            return pool_aligned((size_t)getpagesize(), size);                                      \
        if (pl_heap_passes(size))                                                                  \
            return pl_heap_note(PL_LOAD(name)(size));                                              \
        return GOT(name, size, size);                                                              \
    }

PAGED(valloc)
PAGED(pvalloc)

PL_SECOND_WAY size_t slow_malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    if (pl_pool_owns(block))
        return pl_pool_size(block);
    return KNOWN(malloc_usable_size) ? PL_LOAD(malloc_usable_size)(block) : 0;
}

/* redis asks for each block that it gets and frees. */
PL_EXPORT PL_FRAMELESS size_t malloc_usable_size(void *block)
{
    if (__builtin_expect(block != NULL && !pl_pool_owns(block), 1) &&
        __builtin_expect(PL_LOAD(malloc_usable_size) != NULL, 1))
        return PL_LOAD(malloc_usable_size)(block);
    return slow_malloc_usable_size(block);
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
