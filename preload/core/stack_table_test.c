/* stack_table_test.c - stacks and their ids, through all sizes of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "preload/core/stack_table.h"

#define STACKS 40000

static uint32_t id_of(uintptr_t number, unsigned n, int *created)
{
    uintptr_t pcs[3] = {0x400000 + number % 7 * 16, 0x500000 + number, 0x600000};
    return pl_stack_table_get(pcs, n, created);
}

static void each_stack_has_one_id(void **state)
{
    int created;
    (void)state;
    assert_int_equal(pl_stack_table_init(), 0);
    assert_int_equal(pl_stack_table_last(), 0);
    for (uint32_t i = 0; i < STACKS; i++) {
        assert_int_equal(id_of(i, 3, &created), i + 1);
        assert_true(created);
    }
    for (uint32_t i = 0; i < STACKS; i++) {
        assert_int_equal(id_of(i, 3, &created), i + 1);
        assert_false(created);
    }
    assert_int_equal(pl_stack_table_last(), STACKS);
}

/* Fewer frames of it are another stack. */
static void a_part_of_a_stack_is_another(void **state)
{
    int created;
    (void)state;
    assert_int_equal(pl_stack_table_init(), 0);
    assert_int_equal(id_of(1, 3, &created), 1);
    assert_int_equal(id_of(1, 2, &created), 2);
    assert_true(created);
    assert_int_equal(id_of(1, 3, &created), 1);
}

/* As in a fork child, whose memory for it is gone. */
static void all_are_forgotten(void **state)
{
    int created;
    (void)state;
    assert_int_equal(pl_stack_table_init(), 0);
    for (uint32_t i = 0; i < STACKS; i++)
        id_of(i, 3, &created);
    assert_int_equal(pl_stack_table_init(), 0);
    assert_int_equal(id_of(STACKS - 1, 3, &created), 1);
    assert_true(created);
    assert_int_equal(id_of(STACKS - 1, 3, &created), 1);
    assert_false(created);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stack_has_one_id),
        cmocka_unit_test(a_part_of_a_stack_is_another),
        cmocka_unit_test(all_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
