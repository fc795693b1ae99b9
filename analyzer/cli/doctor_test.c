/* doctor_test.c - `loiter doctor` shows of each rule that it can speak. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/rules/rule.h"

static const char *const planted[] = {
#define PLANT(program, kind, option, rule, function) rule,
#include "analyzer/cli/plants.def"
#undef PLANT
};

enum { PLANTED = sizeof(planted) / sizeof(planted[0]) };

static void each_rule_has_a_plant(void **state)
{
    (void)state;
    for (const struct rule *const *rule = rules_all; *rule; rule++) {
        size_t i = 0;
        while (i < PLANTED && strcmp(planted[i], (*rule)->id) != 0)
            i++;
        if (i == PLANTED)
            print_error("%s has no plant\n", (*rule)->id);
        assert_int_not_equal(i, PLANTED);
    }
}

static void each_plant_is_of_a_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLANTED; i++)
        assert_non_null(rule_find(planted[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_has_a_plant),
        cmocka_unit_test(each_plant_is_of_a_rule),
    };
    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
