/* gate_test.c - merging, hiding and the bar. */
#include "analyzer/gate/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/gate/made_findings.h"

static struct model_process processes[2] = {{.pid = 10}, {.pid = 11}};

static struct finding *leak(const struct model_process *p, const char *function, uint64_t count,
                            double ns)
{
    struct finding *f = made_finding(rule_find("leaked-thread"), p, function, "/src/a.c");
    f->count = count;
    f->first_ns = 100 * count;
    f->last_ns = 100 * count + 50;
    finding_add_cost(f, "threads leaked", (double)count, "threads");
    finding_add_cost(f, "longest wait", ns, "ns");
    return f;
}

static void equal_findings_become_one(void **state)
{
    (void)state;
    struct findings all = {0};
    struct suppressions none = {0};
    struct baseline empty = {0};
    struct gate g;
    findings_add(&all, leak(&processes[1], "work", 3, 7));
    findings_add(&all, leak(&processes[0], "other", 1, 1));
    findings_add(&all, leak(&processes[0], "work", 2, 9));
    findings_add(&all, leak(&processes[0], "work", 1, 8));
    all.items[0]->confidence = CONFIDENCE_PROVEN;
    gate_judge(&g, &all, &none, &empty, SEVERITY_ERROR);

    assert_int_equal(all.n, 0);
    assert_int_equal(g.n, 2);
    struct finding *f = g.items[0].finding;
    assert_string_equal(f->place->function, "work");
    assert_ptr_equal(f->process, &processes[1]); /* the heaviest speaks */
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_int_equal(f->count, 6);
    assert_true(f->costs[0].amount == 6 && f->costs[1].amount == 9);
    assert_int_equal(f->ncosts, 2);
    assert_int_equal(f->first_ns, 300); /* of its own process */
    assert_int_equal(f->last_ns, 350);
    assert_int_equal(g.items[0].nprocesses, 2);
    assert_int_equal(g.items[0].processes[0].count, 3);
    assert_int_equal(g.items[0].processes[1].count, 3);
    assert_int_equal(g.failing, 2);
    gate_clear(&g);
}

static void the_bar_decides(void **state)
{
    (void)state;
    for (int bar = SEVERITY_NOTE; bar <= SEVERITY_ERROR; bar++) {
        struct findings all = {0};
        struct suppressions none = {0};
        struct baseline empty = {0};
        struct gate g;
        for (int s = SEVERITY_NOTE; s <= SEVERITY_ERROR; s++) {
            static const char *const names[] = {"a", "b", "c"};
            struct finding *f = leak(&processes[0], names[s], 1, 1);
            f->severity = (enum severity)s;
            findings_add(&all, f);
        }
        gate_judge(&g, &all, &none, &empty, (enum severity)bar);
        assert_int_equal(g.failing, SEVERITY_ERROR - bar + 1);
        assert_int_equal(g.active[SEVERITY_WARNING], 1);
        assert_int_equal(g.items[0].finding->severity, SEVERITY_ERROR);
        assert_int_equal(g.items[2].finding->severity, SEVERITY_NOTE);
        gate_clear(&g);
    }
}

static void suppressed_and_known_ones_do_not_fail(void **state)
{
    (void)state;
    struct findings all = {0};
    struct baseline old = {0};
    struct gate g;
    struct suppression line = {.rule = (char *)"*", .pattern = (char *)"hidden"};
    struct suppressions s = {&line, 1};
    struct finding *known = leak(&processes[0], "known", 1, 1);
    findings_add(&all, leak(&processes[0], "hidden", 1, 1));
    findings_add(&all, known);
    findings_add(&all, leak(&processes[0], "fresh", 1, 1));
    baseline_add(&old, &(struct baseline_entry){known->fingerprint, (char *)"r", (char *)"t", NULL,
                                                (char *)"2026-01-01"});
    gate_judge(&g, &all, &s, &old, SEVERITY_ERROR);
    assert_int_equal(g.suppressed, 1);
    assert_int_equal(g.known, 1);
    assert_int_equal(g.active[SEVERITY_ERROR], 1);
    assert_int_equal(g.failing, 1);
    assert_int_equal(line.used, 1);
    gate_clear(&g);
    baseline_clear(&old);
}

static void names_of_severities(void **state)
{
    (void)state;
    assert_int_equal(severity_find("warning"), SEVERITY_WARNING);
    assert_string_equal(severity_name(SEVERITY_ERROR), "error");
    assert_int_equal(severity_find("fatal"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_findings_become_one),
        cmocka_unit_test(the_bar_decides),
        cmocka_unit_test(suppressed_and_known_ones_do_not_fail),
        cmocka_unit_test(names_of_severities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
