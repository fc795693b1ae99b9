/* arena_test.c - memory is taken as it is touched; what few need takes none of the others'. */
#include "preload/core/arena.h"

#include <sys/mman.h>

#include "preload/core/made_record.h"
#include "preload/core/shallow.h"

#define PAGE  4096u
#define MIB   (1u << 20)
#define PIECE (64u << 10) /* of which sixteen are a chunk */

/* Pages that lie behind [at, at + bytes), which begins anywhere. */
static unsigned pages_there(const char *at, size_t bytes)
{
    const uintptr_t lo = (uintptr_t)at & ~(uintptr_t)(PAGE - 1);
    unsigned char there[PIECE / PAGE + 2] = {0};
    unsigned n = 0;
    assert_in_range(bytes, 1, PIECE);
    assert_int_equal(mincore((void *)lo, (uintptr_t)at + bytes - lo, there), 0);
    for (size_t i = 0; i < sizeof there; i++)
        n += there[i] & 1;
    return n;
}

/* Tables are large and few of their pages are used. */
static void what_tables_take_has_no_page_made_for_records(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8 * MIB / PIECE; i++)
        assert_non_null(pl_arena_table(PIECE));
    const char *piece = NULL;
    for (unsigned i = 0; i < 2 * MIB / PIECE; i++)
        piece = pl_arena_alloc(PIECE);
    assert_non_null(piece);
    assert_in_range(pages_there(piece, PIECE), 0, 1);
    piece = pl_arena_table(PIECE);
    assert_non_null(piece);
    assert_in_range(pages_there(piece, PIECE), 0, 1);
}

/* Each page of many records is a fault less if they come together. */
static void many_records_have_their_pages_at_once(void **state)
{
    (void)state;
    const char *piece = NULL;
    for (unsigned i = 0; i < 8 * MIB / PIECE; i++)
        piece = pl_arena_alloc(PIECE);
    assert_non_null(piece);
    if (pages_there(piece, PIECE) <= 1)
        skip(); /* the kernel knows no MADV_POPULATE_WRITE */
    assert_in_range(pages_there(piece, PIECE), PIECE / PAGE, PIECE / PAGE + 1);
}

/* A thread that walks has a list of places; of their stacks only one that has walked in vain. */
static void few_threads_have_shallow_stacks(void **state)
{
    (void)state;
    uint32_t uses;
    struct pl_self *self = pl_enter();
    assert_null(self->thread->shallow);
    const char *before = pl_arena_alloc(64);
    pl_shallow_wanted(self, (uintptr_t)0x1000, &uses);
    const char *after = pl_arena_alloc(64);
    assert_non_null(self->thread->shallow);
    assert_in_range(after - before, 64, PAGE);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_threads_have_shallow_stacks),
        cmocka_unit_test(what_tables_take_has_no_page_made_for_records),
        cmocka_unit_test(many_records_have_their_pages_at_once),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
