/* path_test.c - tests of path.c. */
#include "analyzer/symbols/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void detours_are_taken_out(void **state)
{
    static const char *const paths[][2] = {
        {"/home/me/app/build/../src/main.c", "/home/me/app/src/main.c"},
        {"/a/b/c/../../d.c", "/a/d.c"},
        {"/a/./b//c.c", "/a/b/c.c"},
        {"./a.c", "a.c"},
        {"../a.c", "../a.c"},
        {"../../a/../b.c", "../../b.c"},
        {"build/../a.c", "a.c"},
        {"/a.c", "/a.c"},
        {"a..c/..b/c.c", "a..c/..b/c.c"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "%s", paths[i][0]);
        path_collapse(path);
        assert_string_equal(path, paths[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(detours_are_taken_out)};
    return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
