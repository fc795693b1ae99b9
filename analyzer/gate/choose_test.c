/* choose_test.c - rules and thresholds by name. */
#include "analyzer/gate/choose.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

static bool enabled(const struct chosen_rules *c, const char *id)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(rules_all[i]->id, id) == 0)
            return c->enabled[i];
    fail_msg("no rule %s", id);
    return false;
}

static void wrong(char *error, const char *expected)
{
    assert_non_null(error);
    assert_non_null(strstr(error, expected));
    free(error);
}

static void rules_by_name(void **state)
{
    (void)state;
    struct chosen_rules c;
    choose_all(&c);
    assert_true(enabled(&c, "leaked-thread"));
    assert_null(choose_disable(&c, "leaked-thread,unbounded-spawn"));
    assert_false(enabled(&c, "leaked-thread"));
    assert_true(enabled(&c, "unstopped-ticker"));
    assert_null(choose_only(&c, "leaked-thread"));
    assert_null(choose_only(&c, "leaked-task"));
    assert_true(enabled(&c, "leaked-thread") && enabled(&c, "leaked-task"));
    assert_false(enabled(&c, "unstopped-ticker"));
    wrong(choose_only(&c, "leaked-tread"), "did you mean \"leaked-thread\"?");
    wrong(choose_disable(&c, "leaked-thread,"), "unknown rule \"\"");
    wrong(choose_disable(&c, "zzzzzzzzzz"), "there are leaked-task, ");
    choose_clear(&c);
}

static void thresholds_by_name(void **state)
{
    (void)state;
    const struct rule *rule = NULL;
    for (size_t i = 0; rules_all[i] && !rule; i++)
        if (rules_all[i]->thresholds && rules_all[i]->thresholds[0].name)
            rule = rules_all[i];
    assert_non_null(rule);
    const struct rule_threshold *t = &rule->thresholds[0];
    char *good = xasprintf("%s.%s=12.5", rule->id, t->name);
    assert_null(choose_set(good));
    assert_true(rule_threshold(rule, t->name) == 12.5);
    char *near = xasprintf("%s.%sx=1", rule->id, t->name);
    wrong(choose_set(near), t->name);
    char *text = xasprintf("%s.%s=many", rule->id, t->name);
    wrong(choose_set(text), "expected a number");
    wrong(choose_set("nonsense"), "expected RULE.NAME=VALUE");
    wrong(choose_set("leaked-thraed.x=1"), "did you mean \"leaked-thread\"?");
    free(good);
    free(near);
    free(text);
}

static void nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"text", "json", "junit", NULL};
    assert_string_equal(choose_nearest("jsom", words), "json");
    assert_string_equal(choose_nearest("junitt", words), "junit");
    assert_null(choose_nearest("completely-else", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_by_name),
        cmocka_unit_test(thresholds_by_name),
        cmocka_unit_test(nearest_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
