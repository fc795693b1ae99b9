/* words_test.c */
#include "analyzer/report/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"

static void amount(double value, const char *unit, const char *expected)
{
    char buf[REPORT_WORDS_MAX];
    assert_string_equal(report_amount(buf, value, unit), expected);
}

static void amounts(void **state)
{
    (void)state;
    amount(12, "ns", "12 ns");
    amount(1500, "ns", "1.50 us");
    amount(2e6, "ns", "2 ms");
    amount(1.234e9, "ns", "1.23 s");
    amount(45.67e9, "ns", "45.7 s");
    amount(5400e9, "ns", "90 min");
    amount(36000e9, "ns", "10 h");
    amount(512, "bytes", "512 bytes");
    amount(8.0 * 1024 * 1024, "bytes", "8 MiB");
    amount(1536, "bytes", "1.50 KiB");
    amount(3, "threads", "3 threads");
    amount(1, "threads", "1 thread");
    amount(12.5, "1/s", "12.5/s");
    amount(50, "%", "50%");
    amount(7, "", "7");
}

static void counts(void **state)
{
    char buf[REPORT_WORDS_MAX];
    (void)state;
    assert_string_equal(report_count(buf, 0, "error"), "0 errors");
    assert_string_equal(report_count(buf, 1, "error"), "1 error");
    assert_string_equal(report_count(buf, 2, "error"), "2 errors");
}

static void clean(const char *text, const char *expected)
{
    char *s = report_clean(text);
    assert_string_equal(s, expected);
    free(s);
}

#define BAD "\xef\xbf\xbd"

static void foreign_text(void **state)
{
    (void)state;
    assert_null(report_clean(NULL));
    clean("plain", "plain");
    clean("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    clean("\xf0\x9f\xa6\x80", "\xf0\x9f\xa6\x80");
    clean("\033[31mred\a", BAD "[31mred" BAD);
    clean("a\tb\nc", "a b c");
    clean("\xc2\x9b", BAD);                     /* the 8-bit form of ESC [ */
    clean("\xff\xfe", BAD BAD);                 /* no UTF-8 at all */
    clean("cut \xe2\x82", "cut " BAD BAD);      /* the end is missing */
    clean("\xc0\xaf", BAD BAD);                 /* overlong */
    clean("\xed\xa0\x80", BAD BAD BAD);         /* a surrogate */
    clean("\xf4\x90\x80\x80", BAD BAD BAD BAD); /* beyond Unicode */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts),
        cmocka_unit_test(counts),
        cmocka_unit_test(foreign_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
