/* progress_test.c - when the line appears, changes and goes. */
#include "analyzer/cli/progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shown_after_a_second(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct progress p = {.out = open_memstream(&text, &size), .begin_s = 100};
    progress_show_at(&p, 100.9, "reading", 1, 10);
    fflush(p.out);
    assert_int_equal(size, 0);
    progress_show_at(&p, 101, "reading", 4, 10);
    progress_show_at(&p, 101.05, "reading", 5, 10); /* too soon for a change */
    progress_show_at(&p, 101.2, "naming", 0, 0);
    progress_end(&p);
    progress_end(&p);
    fclose(p.out);
    assert_string_equal(text, "\r\033[Kloiter: reading: 40 %\r\033[Kloiter: naming\r\033[K");
    free(text);
}

static void silent_where_nobody_looks(void **state)
{
    (void)state;
    struct progress p = {.out = NULL};
    progress_show_at(&p, 1e9, "reading", 1, 10);
    progress_end(&p);
    assert_false(p.shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(shown_after_a_second),
                                       cmocka_unit_test(silent_where_nobody_looks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
