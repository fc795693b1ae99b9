/*
 * clock_test.c - the counter's speed as a launcher's reading tells it. A span of 20 ms leaves room
 * for what other programs take of one reading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

#define SPAN_NS UINT64_C(20000000)
#define HOUR_NS UINT64_C(3600000000000)

static struct el_tsc_reading since;
static uint64_t hz; /* 0: the counter is no clock here */

static int setup(void **state)
{
    (void)state;
    since = el_tsc_begin();
    hz = el_tsc_end_hz(since, SPAN_NS);
    return 0;
}

/* The speed that a log takes, where a launcher says so. */
static uint64_t taken(uint64_t rough_hz, struct el_tsc_reading then)
{
    static struct el_log log;
    char root[64];
    test_dir_make(root);
    assert_int_equal(
        el_log_open(&log, &(struct el_options){.root = root, .rough_hz = rough_hz, .since = then}),
        0);
    uint64_t found = log.clock_hz;
    el_log_forget(&log);
    test_dir_remove(root);
    return found;
}

static int is_about(uint64_t a, uint64_t b, uint64_t share)
{
    return (a > b ? a - b : b - a) <= b / share;
}

/* It was wrong by a 400th, and is right to a 1000th. */
static void what_has_passed_since_tells_it_better(void **state)
{
    (void)state;
    if (hz == 0)
        skip();
    assert_true(is_about(taken(hz + hz / 400, since), hz, 1000));
    assert_true(is_about(taken(hz - hz / 400, since), hz, 1000));
}

/* As in another time namespace, whose clock is set apart. */
static void another_clock_tells_nothing(void **state)
{
    (void)state;
    const struct el_tsc_reading behind = {since.ticks, since.ns - since.ns / 2},
                                ahead = {since.ticks, since.ns + HOUR_NS};
    if (hz == 0)
        skip();
    assert_int_equal(taken(hz, behind), hz);
    assert_int_equal(taken(hz, ahead), hz);
    assert_int_equal(taken(hz + hz / 20, since), hz + hz / 20);
}

static void without_a_launcher_it_is_found(void **state)
{
    (void)state;
    if (hz == 0)
        skip();
    assert_true(is_about(taken(0, (struct el_tsc_reading){0, 0}), hz, 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_passed_since_tells_it_better),
        cmocka_unit_test(another_clock_tells_nothing),
        cmocka_unit_test(without_a_launcher_it_is_found),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
