/* suppress_test.c - lines that hide findings, and lines that are refused. */
#include "analyzer/gate/suppress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/gate/made_findings.h"

#define TODAY "2026-05-10"

static char file[] = "/tmp/suppress_test.XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    return 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file);
}

static char *read_text(struct suppressions *s, const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    *s = (struct suppressions){0};
    return suppressions_read(s, file, TODAY);
}

static void good_lines(void **state)
{
    (void)state;
    struct suppressions s;
    assert_null(read_text(&s, "# a comment\n"
                              "\n"
                              "leaked-thread:work\n"
                              "  *:main::{lambda()#1} until=2026-05-10 # known, ticket 7\r\n"
                              "leaked-thread:a b\tuntil=2026-05-09\n"
                              "unstopped-ticker:*/poll.c   #\n"
                              "*:last line without an end"));
    assert_int_equal(s.n, 5);
    assert_string_equal(s.items[0].rule, "leaked-thread");
    assert_string_equal(s.items[0].pattern, "work");
    assert_null(s.items[0].reason);
    assert_int_equal(s.items[0].line, 3);
    assert_string_equal(s.items[1].pattern, "main::{lambda()#1}");
    assert_string_equal(s.items[1].reason, "known, ticket 7");
    assert_false(s.items[1].expired); /* its last day is today */
    assert_string_equal(s.items[2].pattern, "a b");
    assert_true(s.items[2].expired);
    assert_string_equal(s.items[3].pattern, "*/poll.c");
    assert_string_equal(s.items[4].pattern, "last line without an end");
    suppressions_clear(&s);
}

static void a_mark_of_utf8_is_no_part_of_the_rule(void **state)
{
    (void)state;
    struct suppressions s;
    assert_null(read_text(&s, "\xef\xbb\xbf*:work\n"));
    assert_int_equal(s.n, 1);
    assert_string_equal(s.items[0].rule, "*");
    suppressions_clear(&s);
}

static void bad_line(const char *text, const char *line, const char *expected)
{
    struct suppressions s;
    char *error = read_text(&s, text), place[64];
    assert_non_null(error);
    snprintf(place, sizeof(place), "%s:%s: ", file, line);
    assert_memory_equal(error, place, strlen(place));
    assert_non_null(strstr(error, expected));
    free(error);
    suppressions_clear(&s);
}

static void bad_lines_say_what_was_expected(void **state)
{
    (void)state;
    bad_line("\nwork\n", "2", "expected RULE:PATTERN");
    bad_line("leaked-thread:\n", "1", "expected a pattern");
    bad_line("leaked-thread: # reason\n", "1", "expected a pattern");
    bad_line("leaked-thraed:work\n", "1", "did you mean \"leaked-thread\"?");
    bad_line("no-such-thing-at-all:work\n", "1", "unknown rule");
    bad_line("*:work reason=x until=2026-12-01\n", "1", "expected a reason after \"#\"");
    bad_line("*:work until=tomorrow\n", "1", "expected until=YYYY-MM-DD");
    bad_line("*:work until=2026-13-01\n", "1", "expected until=YYYY-MM-DD");
    bad_line("*:work until=2026-1-01x\n", "1", "expected until=YYYY-MM-DD");
    bad_line("*:ok\n#\n:work\n", "3", "unknown rule");

    struct suppressions s = {0};
    char *error = suppressions_read(&s, "/nonexistent/file", TODAY);
    assert_non_null(strstr(error, "/nonexistent/file: cannot read"));
    free(error);
}

static bool hides(const char *line, const struct finding *f)
{
    struct suppressions s;
    assert_null(read_text(&s, line));
    const struct suppression *found = suppressions_match(&s, f);
    assert_int_equal(s.items[0].used, found ? 1 : 0);
    suppressions_clear(&s);
    return found != NULL;
}

static void matching(void **state)
{
    (void)state;
    struct finding *f =
        made_finding(rule_find("leaked-thread"), NULL, "app::Pool::work", "/src/app/pool.cc");
    finding_add_stack(f, "created at", 2, false, NULL);
    made_frame(&f->stacks[1], "start_pool", "/src/app/main.cc", 3, "/opt/app/bin/app");
    assert_true(hides("leaked-thread:app::Pool::*", f));
    assert_true(hides("*:start_pool", f));
    assert_true(hides("*:pool.cc", f));
    assert_true(hides("*:app/pool.cc", f));
    assert_true(hides("*:/opt/*", f));
    assert_true(hides("*:app", f)); /* the module */
    assert_false(hides("*:Pool::work", f));
    assert_false(hides("unstopped-ticker:app::Pool::work", f));
    assert_false(hides("*:* until=2026-05-09", f));
    char *line = suppression_for(f);
    assert_string_equal(line, "leaked-thread:app::Pool::work");
    assert_true(hides(line, f));
    free(line);
    finding_destroy(f);
}

/* In a stripped program the module alone would hide each finding of the rule. */
static void places_without_names(void **state)
{
    (void)state;
    struct finding *f = made_finding(rule_find("leaked-thread"), NULL, NULL, NULL);
    struct finding_frame *frame = &f->stacks[0].frames[0];
    frame->offset = 0x12ab;
    char *line = suppression_for(f);
    assert_string_equal(line, "leaked-thread:app+0x12ab");
    assert_true(hides(line, f));
    assert_true(hides("*:app+*", f));
    frame->offset = 0x12ac;
    assert_false(hides(line, f));
    free(line);
    finding_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lines),
        cmocka_unit_test(a_mark_of_utf8_is_no_part_of_the_rule),
        cmocka_unit_test(bad_lines_say_what_was_expected),
        cmocka_unit_test(matching),
        cmocka_unit_test(places_without_names),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
