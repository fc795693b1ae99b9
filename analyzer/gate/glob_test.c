/* glob_test.c */
#include "analyzer/gate/glob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void patterns(void **state)
{
    (void)state;
    assert_true(glob_match("work", "work"));
    assert_false(glob_match("work", "worker"));
    assert_false(glob_match("work", "rework"));
    assert_true(glob_match("work*", "worker"));
    assert_true(glob_match("*work*", "reworked"));
    assert_true(glob_match("w?rk", "work"));
    assert_true(glob_match("a*b*c", "a1b2b3c"));
    assert_false(glob_match("a*b*c", "a1b2b3"));
    assert_true(glob_match("operator[]", "operator[]"));
    assert_true(glob_match("*", ""));
    assert_false(glob_match("?", ""));
    assert_false(glob_match("", "a"));
}

static void paths(void **state)
{
    (void)state;
    assert_true(glob_match_path("x.c", "/a/src/x.c"));
    assert_true(glob_match_path("src/x.c", "/a/src/x.c"));
    assert_true(glob_match_path("/a/*", "/a/src/x.c"));
    assert_false(glob_match_path("rc/x.c", "/a/src/x.c"));
}

/* Without care, this takes longer than anybody waits. */
static void many_stars_are_fast(void **state)
{
    (void)state;
    char pattern[201], text[5001];
    for (int i = 0; i < 100; i++)
        memcpy(pattern + 2 * i, "*a", 2);
    pattern[200] = '\0';
    memset(text, 'a', 4999);
    text[4999] = 'b';
    text[5000] = '\0';
    assert_false(glob_match(pattern, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(paths),
        cmocka_unit_test(many_stars_are_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
