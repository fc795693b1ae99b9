/* bar_test.c - the grammar of --fail-on, and what breaks a bar. */
#include "analyzer/compare/bar.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/compare/metrics.h"
#include "analyzer/model/memory.h"

static struct metrics all;

static int list(void **state)
{
    (void)state;
    metrics_init(&all);
    assert_null(metrics_add_printed(&all, "rate:more"));
    return 0;
}

static int clear(void **state)
{
    (void)state;
    metrics_clear(&all);
    return 0;
}

static struct bar good(const char *text)
{
    struct bar b;
    char *error = bar_parse(&b, text, &all);
    if (error)
        fail_msg("%s: %s", text, error);
    return b;
}

static void what_it_takes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t metric;
        bool below;
        enum bar_kind kind;
        double limit;
    } table[] = {
        {"peak_tasks>+10%", METRIC_peak_tasks, false, BAR_RELATIVE, 0.1},
        {" peak_tasks > +10 % ", METRIC_peak_tasks, false, BAR_RELATIVE, 0.1},
        {"rate<-5%", METRICS_BUILTIN, true, BAR_RELATIVE, -0.05},
        {"wall>+2ms", METRIC_wall, false, BAR_CHANGE, 2e6},
        {"wall>1.5s", METRIC_wall, false, BAR_VALUE, 1.5e9},
        {"wall>+0", METRIC_wall, false, BAR_CHANGE, 0},
        {"max_rss>+64M", METRIC_max_rss, false, BAR_CHANGE, 64.0 * 1048576},
        {"max_rss>100000", METRIC_max_rss, false, BAR_VALUE, 100000},
        {"peak_tasks>100", METRIC_peak_tasks, false, BAR_VALUE, 100},
        {"peak_tasks>100 tasks", METRIC_peak_tasks, false, BAR_VALUE, 100},
        {"rate>+2ms", METRICS_BUILTIN, false, BAR_CHANGE, 2e6},
        {"rate>+2 req/s", METRICS_BUILTIN, false, BAR_CHANGE, 2},
        {"new_errors>0", METRICS_BUILTIN + 1 + BAR_NEW_ERRORS, false, BAR_VALUE, 0},
        {"new_findings>0", METRICS_BUILTIN + 1 + BAR_NEW_FINDINGS, false, BAR_VALUE, 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct bar b = good(table[i].text);
        assert_int_equal(b.metric, table[i].metric);
        assert_int_equal(b.below, table[i].below);
        assert_int_equal(b.kind, table[i].kind);
        assert_true(fabs(b.limit - table[i].limit) <= 1e-9 * fabs(table[i].limit));
        assert_string_equal(b.text, table[i].text);
        bar_clear(&b);
    }
}

static void what_it_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } table[] = {
        {"", "expected METRIC>LIMIT"},
        {">+10%", "expected METRIC>LIMIT"},
        {"peek_tasks>+10%", "did you mean \"peak_tasks\"? There are wall, "},
        {"nothing_like_it>1", "there are wall, cpu, "},
        {"peak_tasks", "expected > or <"},
        {"peak_tasks=3", "expected > or <"},
        {"peak_tasks>", "expected a limit"},
        {"peak_tasks>+", "expected a limit"},
        {"peak_tasks>ten", "expected a limit"},
        {"peak_tasks>=3", "expected a limit"},
        {"peak_tasks>nan", "expected a limit"},
        {"peak_tasks>1e999", "expected a limit"},
        {"peak_tasks>10%", "has a sign"},
        {"peak_tasks>+10%x", "unexpected \"x\""},
        {"peak_tasks>+10 tasks more", "unexpected \"more\""},
        {"peak_tasks>+10ms", "this metric has none"},
        {"wall>10", "a time needs a unit"},
        {"wall>10K", "times are in ns"},
        {"max_rss>10ms", "sizes are in bytes"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct bar b;
        char *error = bar_parse(&b, table[i].text, &all);
        if (!error)
            fail_msg("accepted: %s", table[i].text);
        if (!strstr(error, table[i].says))
            fail_msg("%s: %s", table[i].text, error);
        free(error);
    }
}

static void what_breaks_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double before, after;
        bool broken;
    } table[] = {
        {"peak_tasks>+10%", 100, 111, true}, {"peak_tasks>+10%", 100, 110, false},
        {"peak_tasks>+10%", 100, 20, false}, {"peak_tasks>+10%", 0, 1, true},
        {"peak_tasks>+10%", 0, 0, false},    {"peak_tasks>-10%", 100, 95, true},
        {"peak_tasks>-10%", 100, 80, false}, {"rate<-5%", 100, 94, true},
        {"rate<-5%", 100, 96, false},        {"rate<-5%", 100, 900, false},
        {"rate<-5%", -100, -106, true},      {"peak_tasks>+3", 100, 104, true},
        {"peak_tasks>+3", 100, 103, false},  {"peak_tasks>100", 500, 101, true},
        {"peak_tasks>100", 500, 100, false}, {"rate<10", 5, 9, true},
        {"new_errors>0", 0, 1, true},        {"new_errors>0", 0, 0, false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct bar b = good(table[i].text);
        if (bar_is_broken(&b, table[i].before, table[i].after) != table[i].broken)
            fail_msg("%s from %g to %g", table[i].text, table[i].before, table[i].after);
        bar_clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_takes),
        cmocka_unit_test(what_it_refuses),
        cmocka_unit_test(what_breaks_it),
    };
    return cmocka_run_group_tests(tests, list, clear);
}
