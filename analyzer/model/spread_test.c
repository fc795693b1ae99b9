/* spread_test.c - the bins of durations, and what is read from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/build.h"

static void test_bins(void **state)
{
    (void)state;
    assert_int_equal(el_spread_bin(0), 0);
    assert_int_equal(el_spread_bin(1), 0);
    assert_int_equal(el_spread_bin(2), 2);
    assert_int_equal(el_spread_bin(3), 3);
    assert_int_equal(el_spread_bin(UINT64_MAX), EL_SPREAD_BINS - 1);
    for (uint32_t i = 2; i < EL_SPREAD_BINS; i++) {
        assert_int_equal(el_spread_bin(el_spread_from(i)), i);
        assert_int_equal(el_spread_bin(el_spread_from(i) - 1), i == 2 ? 0 : i - 1);
    }
}

static struct model_spread made(const uint64_t *durations, size_t n)
{
    struct model_spread s = {.count = n};
    for (size_t i = 0; i < n; i++) {
        s.bins[el_spread_bin(durations[i])]++;
        s.max_ns = durations[i] > s.max_ns ? durations[i] : s.max_ns;
    }
    return s;
}

static void test_quantiles(void **state)
{
    (void)state;
    uint64_t durations[1000];
    for (size_t i = 0; i < 1000; i++)
        durations[i] = 1000 * (i + 1);
    struct model_spread s = made(durations, 1000);
    assert_in_range(model_spread_quantile(&s, 0.5), 470000, 530000);
    assert_in_range(model_spread_quantile(&s, 0.99), 950000, 1000000);
    assert_int_equal(model_spread_quantile(&s, 1), 1000000);
    assert_true(model_spread_below(&s, 250000) > 0.23 && model_spread_below(&s, 250000) < 0.27);
    assert_true(model_spread_below(&s, 1) == 0);
    assert_true(model_spread_below(&s, 4000000) == 1);
    const struct model_spread none = {0};
    assert_int_equal(model_spread_quantile(&none, 0.5), 0);
    assert_true(model_spread_below(&none, 1000) == 0);
}

/* Cells and events of their kind; two ticks a nanosecond. */
static void test_built(void **state)
{
    (void)state;
    struct model_process p = {0};
    struct model_builder b;
    model_builder_init(&b, &p, 2000000000u);
    struct el_spread spread = {.state = EL_LIVE,
                               .kind = EL_SPREAD_THREAD_LIFE,
                               .stack = 7,
                               .count = 3,
                               .busiest = 2,
                               .last_at = 4000};
    spread.bins[10] = 3;
    model_builder_cell(&b, EL_ID_spread, &(union el_any){.spread = spread});
    spread.state = EL_FREE;
    model_builder_cell(&b, EL_ID_spread, &(union el_any){.spread = spread});
    model_builder_cell(&b, EL_ID_spin,
                       &(union el_any){.spin = {.state = EL_LIVE,
                                                .kind = EL_SPIN_TRY,
                                                .stack = 8,
                                                .cpu_ticks = 600,
                                                .between_ticks = 400,
                                                .measured = 2}});
    model_builder_cell(
        &b, EL_ID_lineage,
        &(union el_any){
            .lineage = {.state = EL_LIVE, .stack = 9, .deepest = 5, .made = {1, 2, 4}}});
    model_builder_cell(
        &b, EL_ID_group,
        &(union el_any){
            .group = {.state = EL_LIVE, .stack = 10, .failed = 1, .wasted_ticks = 2000}});
    model_builder_cell(&b, EL_ID_capture,
                       &(union el_any){.capture = {.state = EL_LIVE,
                                                   .stack = 12,
                                                   .holders = 3,
                                                   .waiting = 2,
                                                   .wait_ticks = 400,
                                                   .wait_begins = 3000}});
    model_builder_event(&b, 200, EL_ID_misuse,
                        &(union el_any){.misuse = {.actor = 3,
                                                   .stack = 11,
                                                   .kind = EL_MISUSE_GROUP_NEGATIVE,
                                                   .text = "negative waitgroup count"}});
    model_builder_finish(&b);
    assert_int_equal(p.nspreads, 1);
    assert_ptr_equal(model_find_spread(&p, EL_SPREAD_THREAD_LIFE, 7), &p.spreads[0]);
    assert_null(model_find_spread(&p, EL_SPREAD_THREAD_MAKE, 7));
    assert_true(p.spreads[0].last_ns == 2000 && p.spreads[0].bins[10] == 3);
    assert_true(p.spreads[0].every == 1);
    assert_int_equal(p.nspins, 1);
    assert_true(p.spins[0].cpu_ns == 300 && p.spins[0].between_ns == 100);
    assert_int_equal(p.nlineages, 1);
    assert_true(p.lineages[0].made[2] == 4);
    assert_int_equal(p.ngroups, 1);
    assert_true(p.groups[0].wasted_ns == 1000);
    assert_int_equal(p.ncaptures, 1);
    assert_true(p.captures[0].every == 1 && p.end_ns == 2000);
    assert_true(p.captures[0].wait_ns == 200 + 2 * 2000 - 1500);
    assert_int_equal(p.nmisuses, 1);
    assert_string_equal(p.misuses[0].text, "negative waitgroup count");
    model_process_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bins),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
