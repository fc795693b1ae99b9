/* environment_test.c - variables are set, replaced and added to, and the original stays. */
#include "analyzer/cli/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"

static char *const original[] = {(char *)"PATH=/bin", (char *)"LD_PRELOAD=a.so",
                                 (char *)"LD_PRELOADED=no", (char *)"EMPTY=", NULL};

static void sets_and_replaces(void **state)
{
    (void)state;
    struct environment env;
    environment_copy(&env, original);
    environment_set(&env, xstrdup("PATH=/usr/bin"));
    environment_set(&env, xstrdup("NEW=1"));
    char own[] = "SELF=0";
    environment_lend(&env, own);
    assert_int_equal(env.n, 6);
    assert_null(env.list[6]);
    assert_string_equal(environment_get(&env, "PATH"), "/usr/bin");
    assert_string_equal(environment_get(&env, "NEW"), "1");
    own[5] = '7';
    assert_string_equal(environment_get(&env, "SELF"), "7");
    assert_null(environment_get(&env, "NE"));
    assert_string_equal(original[0], "PATH=/bin");
    environment_clear(&env);
}

static void appends(void **state)
{
    (void)state;
    struct environment env;
    environment_copy(&env, original);
    environment_append(&env, "LD_PRELOAD", "b.so", ':');
    environment_append(&env, "LD_PRELOAD", "c.so", ':');
    environment_append(&env, "EMPTY", "x", ',');
    environment_append(&env, "ABSENT", "y", ',');
    assert_int_equal(env.n, 5);
    assert_string_equal(environment_get(&env, "LD_PRELOAD"), "a.so:b.so:c.so");
    assert_string_equal(environment_get(&env, "LD_PRELOADED"), "no");
    assert_string_equal(environment_get(&env, "EMPTY"), "x");
    assert_string_equal(environment_get(&env, "ABSENT"), "y");
    environment_clear(&env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_replaces),
        cmocka_unit_test(appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
