/* lineage_test.c - places whose tasks make further ones there: generations, and who waited. */
#include "preload/core/lineage.h"

#include "preload/core/made_record.h"

static struct pl_site *site_at(uint32_t stack)
{
    struct pl_site *site = pl_site_get(EL_SITE_TASK, stack, 0);
    assert_non_null(site);
    return site;
}

static struct pl_actor *born(uint64_t number, struct pl_actor *parent, struct pl_site *site)
{
    struct pl_actor *child = made_task(number, site->cell->stack);
    pl_lineage_born(parent, child, site);
    return child;
}

static void generations_are_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_site *here = site_at(70);
    struct pl_actor *first = born(1, NULL, here);
    assert_null(here->lineage); /* what is not recursive has no cell */
    struct pl_actor *second = born(2, first, here);
    born(3, first, here);
    for (uint64_t i = 4; i < 8; i++)
        born(i, second, here);
    const struct el_lineage *cell = here->lineage;
    assert_non_null(cell);
    assert_true(cell->kind == EL_SITE_TASK && cell->stack == 70);
    assert_true(cell->made[0] == 0 && cell->made[1] == 2 && cell->made[2] == 4);
    assert_int_equal(cell->deepest, 2);
    assert_int_equal(cell->parents, 2);
    assert_int_equal(cell->awaited, 0);
    pl_leave(self);
}

static void two_places_that_take_turns_are_seen(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_site *one = site_at(71), *other = site_at(72), *third = site_at(73);
    struct pl_actor *a = born(11, NULL, one), *b = born(12, a, other), *c = born(13, b, one);
    born(14, c, other);
    assert_int_equal(((struct el_lineage *)one->lineage)->made[1], 1);
    assert_int_equal(((struct el_lineage *)other->lineage)->made[1], 1);
    born(15, born(16, a, third), third);
    assert_int_equal(((struct el_lineage *)third->lineage)->deepest, 1);
    pl_leave(self);
}

static void the_last_slot_has_all_that_are_deeper(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_site *here = site_at(74);
    struct pl_actor *last = NULL;
    for (uint64_t i = 0; i < 20; i++)
        last = born(20 + i, last, here);
    const struct el_lineage *cell = here->lineage;
    assert_int_equal(cell->deepest, 19);
    assert_int_equal(cell->made[14], 1);
    assert_int_equal(cell->made[15], 5);
    pl_leave(self);
}

static void a_maker_that_waits_counts_once(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_site *here = site_at(75);
    struct pl_actor *first = born(50, NULL, here), *childless = born(51, NULL, here);
    born(52, first, here);
    pl_lineage_waited(first);
    pl_lineage_waited(first);
    pl_lineage_waited(childless);
    assert_int_equal(((struct el_lineage *)here->lineage)->awaited, 1);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generations_are_counted),
        cmocka_unit_test(two_places_that_take_turns_are_seen),
        cmocka_unit_test(the_last_slot_has_all_that_are_deeper),
        cmocka_unit_test(a_maker_that_waits_counts_once),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
