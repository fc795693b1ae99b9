/* demangle_test.c - names as reports show them. */
#include "analyzer/symbols/demangle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *symbol, const char *expected)
{
    char *name = demangle(symbol);
    assert_string_equal(name, expected);
    free(name);
}

static void names_of_all_languages(void **state)
{
    (void)state;
    check("main", "main");
    check("_ZN3app4Pool4growEi", "app::Pool::grow");
    check("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt");
    check("_RNvCs1234_7mycrate3foo", "mycrate::foo");
    check("", "");
}

static void clones_have_the_name_of_the_original(void **state)
{
    (void)state;
    check("worker.constprop.0", "worker");
    check("worker.part.3", "worker");
    check("worker.cold", "worker");
    check("_ZN3app4Pool4growEi.isra.0", "app::Pool::grow");
    check("fopen@@GLIBC_2.2.5", "fopen");
    check(".hidden", ".hidden");
    check("a.b", "a.b");
}

static void broken_and_endless_names_come_back(void **state)
{
    (void)state;
    check("_ZN", "_ZN");
    char *longer = malloc(100001);
    memset(longer, 'P', 100000);
    memcpy(longer, "_Z1f", 4);
    longer[100000] = '\0';
    check(longer, longer);
    free(longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_all_languages),
        cmocka_unit_test(clones_have_the_name_of_the_original),
        cmocka_unit_test(broken_and_endless_names_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
