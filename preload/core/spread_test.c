/* spread_test.c - durations at a place: the histogram, and the busiest second. */
#include "preload/core/spread.h"

#include "eventlog/spread.h"
#include "preload/core/made_record.h"

static void a_place_has_one_histogram_a_kind(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_spread *life = pl_spread_get(EL_SPREAD_TASK_LIFE, 7, 64);
    assert_non_null(life);
    assert_ptr_equal(pl_spread_get(EL_SPREAD_TASK_LIFE, 7, 64), life);
    assert_ptr_not_equal(pl_spread_get(EL_SPREAD_TASK_START, 7, 64), life);
    assert_ptr_not_equal(pl_spread_get(EL_SPREAD_TASK_LIFE, 8, 64), life);
    assert_int_equal(life->cell->every, 64);
    pl_leave(self);
}

static void durations_fall_into_bins(void **state)
{
    static const uint64_t ns[] = {0, 1, 100, 100, 5000000};
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_spread *s = pl_spread_get(EL_SPREAD_LOCK_HELD, 9, 1);
    uint64_t now = 1000;
    for (size_t i = 0; i < sizeof ns / sizeof ns[0]; i++)
        pl_spread_add(s, ns[i], now++);
    const struct el_spread *cell = s->cell;
    assert_int_equal(cell->count, 5);
    assert_int_equal(cell->total_ns, 5000201);
    assert_int_equal(cell->max_ns, 5000000);
    assert_int_equal(cell->last_at, 1004);
    assert_int_equal(cell->bins[0], 2);
    assert_int_equal(cell->bins[el_spread_bin(100)], 2);
    assert_int_equal(cell->bins[el_spread_bin(5000000)], 1);
    pl_leave(self);
}

static void the_busiest_second_is_kept(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_spread *s = pl_spread_get(EL_SPREAD_THREAD_LIFE, 10, 1);
    const uint64_t second = pl_log.clock_hz;
    static const unsigned in_second[] = {3, 5, 0, 4};
    for (uint64_t k = 0; k < 4; k++)
        for (unsigned i = 0; i < in_second[k]; i++)
            pl_spread_add(s, 1, (k + 2) * second + i);
    assert_int_equal(s->cell->busiest, 5);
    assert_int_equal(s->cell->busiest_at, 3 * second + 4);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_has_one_histogram_a_kind),
        cmocka_unit_test(durations_fall_into_bins),
        cmocka_unit_test(the_busiest_second_is_kept),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
