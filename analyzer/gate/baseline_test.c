/* baseline_test.c - the file of old findings. */
#include "analyzer/gate/baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"

static char dir[] = "/tmp/baseline_test.XXXXXX";
static char file[64];

static int make_dir(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/b.json", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir); /* fails if a temporary file was left */
}

static void write_text(const char *text)
{
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct baseline b = {0}, again = {0};
    int missing = 0;
    unlink(file);
    char *error = baseline_read(&again, file, &missing);
    assert_non_null(error);
    assert_true(missing);
    free(error);

    baseline_add(&b,
                 &(struct baseline_entry){"v1:2", "rule-a", "a \"title\"", "work", "2026-01-02"});
    baseline_add(&b, &(struct baseline_entry){"v1:1", "rule-b", "other", NULL, "2026-01-03"});
    baseline_add(&b, &(struct baseline_entry){"v1:1", "rule-b", "again", NULL, "2026-01-04"});
    assert_int_equal(b.n, 2);
    assert_null(baseline_write(&b, file));
    assert_null(baseline_read(&again, file, &missing));
    assert_false(missing);
    assert_int_equal(again.n, 2);
    assert_string_equal(again.items[0].fingerprint, "v1:1"); /* in order */
    assert_null(again.items[0].function);
    assert_string_equal(again.items[0].first, "2026-01-03"); /* the first one stays */
    assert_string_equal(again.items[1].title, "a \"title\"");
    assert_string_equal(again.items[1].function, "work");
    assert_non_null(baseline_find(&again, "v1:2"));
    baseline_remove(&again, 1);
    assert_null(baseline_find(&again, "v1:2"));
    baseline_clear(&b);
    baseline_clear(&again);
}

static void what_cannot_be_written_leaves_the_old_file(void **state)
{
    (void)state;
    struct baseline b = {0};
    char *error = baseline_write(&b, "/nonexistent/b.json");
    assert_non_null(strstr(error, "/nonexistent/b.json: cannot write the baseline"));
    free(error);
}

static void refused(const char *text, const char *expected)
{
    struct baseline b = {0};
    write_text(text);
    char *error = baseline_read(&b, file, NULL);
    assert_non_null(error);
    assert_non_null(strstr(error, file));
    assert_non_null(strstr(error, expected));
    free(error);
    baseline_clear(&b);
}

static void what_is_no_baseline_is_refused(void **state)
{
    (void)state;
    refused("", "not a baseline");
    refused("{\n\"version\": 1,\n", ":3:");
    refused("[]", "expected \"version\"");
    refused("{\"version\": 2, \"findings\": []}", "version 2");
    refused("{\"version\": 1, \"findings\": [{}]}", "finding 0: expected \"fingerprint\"");
    refused("{\"version\": 1, \"findings\": [{\"fingerprint\": \"v9:1\", \"rule\": \"r\", "
            "\"title\": \"t\"}]}",
            "another version");
}

static void a_report_can_be_read(void **state)
{
    (void)state;
    struct baseline b = {0};
    write_text("{\"version\": 1, \"run\": {}, \"findings\": [{\"rule\": \"r\", \"severity\": "
               "\"error\", \"title\": \"t\", \"fingerprint\": \"v1:7\", \"place\": "
               "{\"function\": \"work\", \"line\": 3}}], \"suppressed\": [{}]}");
    assert_null(baseline_read_findings(&b, file, "2026-02-03"));
    assert_int_equal(b.n, 1);
    assert_string_equal(b.items[0].function, "work");
    assert_string_equal(b.items[0].first, "2026-02-03");
    baseline_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_cannot_be_written_leaves_the_old_file),
        cmocka_unit_test(what_is_no_baseline_is_refused),
        cmocka_unit_test(a_report_can_be_read),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
