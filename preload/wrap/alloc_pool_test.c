/*
 * alloc_pool_test.c - memory before the real allocator is known, and its way out of the pool.
 *
 * alloc.c is part of this test, by names that do not replace the allocator of the test itself, with
 * a resolver that the test controls.
 */
#define malloc             w_malloc
#define calloc             w_calloc
#define realloc            w_realloc
#define reallocarray       w_reallocarray
#define free               w_free
#define posix_memalign     w_posix_memalign
#define aligned_alloc      w_aligned_alloc
#define memalign           w_memalign
#define valloc             w_valloc
#define pvalloc            w_pvalloc
#define malloc_usable_size w_malloc_usable_size
#define mmap               w_mmap
#define mmap64             w_mmap64
#define munmap             w_munmap
#define mremap             w_mremap

#include "preload/heap/alloc_pool.c"
#include "preload/wrap/alloc.c"

#undef malloc
#undef calloc
#undef realloc
#undef reallocarray
#undef free
#undef posix_memalign
#undef aligned_alloc
#undef memalign
#undef valloc
#undef pvalloc
#undef malloc_usable_size
#undef mmap
#undef mmap64
#undef munmap
#undef mremap

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The test's own, which the headers above declared by the other names. */
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *block, size_t size);
void *reallocarray(void *block, size_t n, size_t size);
void free(void *block);

/* What alloc.c needs of the core. */
struct pl_real pl_real;
_Atomic uint32_t pl_resolve_state;
static int may_resolve;

/* Not seen through by the compiler, which warns of such sizes. */
static volatile size_t huge = SIZE_MAX;

void pl_resolve_all(void)
{
    if (!may_resolve)
        return;
    pl_real.w_malloc = malloc;
    pl_real.w_calloc = calloc;
    pl_real.w_realloc = realloc;
    pl_real.w_reallocarray = reallocarray;
    pl_real.w_free = free;
}
int pl_is_missing(const void *real)
{
    return real == NULL;
}
/* Nobody watches the blocks here. */
struct pl_starts pl_starts; /* as before it is known how blocks are recorded */
__thread struct pl_heap_thread pl_heap_thread;
void pl_starts_add_slowly(uintptr_t block)
{
    (void)block;
}
void *pl_heap_got(void *block, uint64_t size, struct pl_call call)
{
    (void)size, (void)call;
    return block;
}
void pl_heap_gone(void *block)
{
    (void)block;
}

static int unknown(void **state)
{
    (void)state;
    memset(&pl_real, 0, sizeof pl_real);
    may_resolve = 0;
    return 0;
}

static void before_it_is_known(void **state)
{
    (void)state;
    char *zeros = w_calloc(10, 10);
    assert_true(pl_pool_owns(zeros));
    assert_int_equal((uintptr_t)zeros % PL_POOL_ALIGN, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    strcpy(zeros, "kept");
    char *more = w_realloc(zeros, 5000);
    assert_true(pl_pool_owns(more));
    assert_string_equal(more, "kept");
    assert_int_equal(w_malloc_usable_size(more), 5000);
    assert_true(w_malloc(0) != w_malloc(0));
    void *aligned = NULL;
    assert_int_equal(w_posix_memalign(&aligned, 4096, 100), 0);
    assert_int_equal((uintptr_t)aligned % 4096, 0);
    assert_int_equal(w_posix_memalign(&aligned, 3, 100), EINVAL);
    assert_int_equal((uintptr_t)w_aligned_alloc(256, 10) % 256, 0);
    w_free(more);
    w_free(NULL);
}

static void moves_out(void **state)
{
    (void)state;
    char *block = w_malloc(16), *other = w_malloc(16);
    void *volatile third = w_malloc(16);
    strcpy(block, "0123456789");
    strcpy(other, "abc");
    may_resolve = 1;
    char *moved = w_realloc(block, 100);
    assert_false(pl_pool_owns(moved));
    assert_string_equal(moved, "0123456789");
    char *cut = w_realloc(moved, 4);
    assert_memory_equal(cut, "0123", 4);
    char *array = w_reallocarray(other, 10, 10);
    assert_false(pl_pool_owns(array));
    assert_string_equal(array, "abc");
    errno = 0;
    assert_null(w_reallocarray(third, huge / 2, 3));
    assert_int_equal(errno, ENOMEM);
    w_free(third); /* the pool's, though the real one is known */
    w_free(cut);
    w_free(array);
}

static void beyond_the_small_pool(void **state)
{
    (void)state;
    unsigned char *blocks[64];
    for (int i = 0; i < 64; i++) {
        blocks[i] = w_malloc(8192);
        assert_non_null(blocks[i]);
        assert_true(pl_pool_owns(blocks[i]));
        memset(blocks[i], i, 8192);
    }
    for (int i = 0; i < 64; i++)
        assert_true(blocks[i][0] == i && blocks[i][8191] == i);
    errno = 0;
    assert_null(w_malloc(huge - 100));
    assert_int_equal(errno, ENOMEM);
    assert_null(w_calloc(huge / 2, 4));
    assert_null(w_malloc(PL_POOL_LARGE));
    int local;
    assert_false(pl_pool_owns(&local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(before_it_is_known, unknown),
        cmocka_unit_test_setup(moves_out, unknown),
        cmocka_unit_test_setup(beyond_the_small_pool, unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
