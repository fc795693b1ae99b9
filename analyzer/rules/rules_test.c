/* rules_test.c - the list of rules is whole: ids, texts, thresholds, and look-ups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/rules/rule.h"

static void test_list(void **state)
{
    (void)state;
    for (size_t i = 0; rules_all[i] != NULL; i++) {
        const struct rule *r = rules_all[i];
        assert_non_null(r->id);
        assert_ptr_equal(rule_find(r->id), r);
        assert_int_equal(strspn(r->id, "abcdefghijklmnopqrstuvwxyz-"), strlen(r->id));
        assert_true(strlen(r->title_one) > 0 && strlen(r->title_many) > 0);
        assert_true(strlen(r->summary) > 20);
        assert_non_null(r->judge);
        assert_non_null(r->thresholds);
        for (const struct rule_threshold *t = r->thresholds; t->name != NULL; t++) {
            assert_true(strlen(t->text) > 0 && strlen(t->unit) > 0);
            assert_true(t->value == t->preset);
        }
    }
    assert_null(rule_find("no-such-rule"));
    assert_null(rule_find(""));
}

static void test_thresholds(void **state)
{
    (void)state;
    struct rule_threshold thresholds[] = {{"some", 5, 5, "ms", "text"}, {0}};
    const struct rule rule = {.id = "x", .thresholds = thresholds};
    assert_true(rule_threshold(&rule, "some") == 5);
    assert_int_equal(rule_set_threshold(&rule, "some", 7.5), 0);
    assert_true(rule_threshold(&rule, "some") == 7.5);
    assert_int_equal(rule_set_threshold(&rule, "other", 1), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_thresholds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
