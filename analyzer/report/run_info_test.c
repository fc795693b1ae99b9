/* run_info_test.c - DIR/run.json. */
#include "analyzer/report/run_info.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"

static char dir[] = "/tmp/run_info_test.XXXXXX", file[64];

static int make_dir(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof(file), "%s/run.json", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

static void ending(struct run_info r, const char *expected)
{
    struct run_info again;
    assert_null(run_info_write(&r, dir));
    assert_null(run_info_read(&again, dir));
    assert_string_equal(again.command, r.command);
    assert_int_equal(again.pid, r.pid);
    assert_int_equal(again.started_ns, r.started_ns);
    char *words = run_info_ending(&again);
    assert_string_equal(words, expected);
    free(words);
    run_info_clear(&again);
}

static void written_and_read(void **state)
{
    (void)state;
    struct run_info r = {.command = (char *)"./app -x \"y\"", .pid = 42, .started_ns = 1LL << 60};
    ending(r, "has not ended, as far as is known");
    r.exited = true;
    r.status = 3;
    ending(r, "exited with 3");
    r.exited = false;
    r.signal = 9;
    ending(r, "was killed by signal 9 (Killed)");
    r.timed_out = true;
    r.timeout_s = 2.5;
    ending(r, "hung: judged and ended after 2.50 s (--timeout)");
}

static void absent_or_damaged(void **state)
{
    (void)state;
    struct run_info r;
    unlink(file);
    assert_null(run_info_read(&r, dir));
    assert_null(r.command);

    FILE *out = fopen(file, "w");
    fputs("{\"command\": 7}", out);
    fclose(out);
    char *error = run_info_read(&r, dir);
    assert_non_null(strstr(error, "not what the launcher wrote"));
    assert_null(r.command);
    free(error);

    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    error = run_info_read(&r, dir);
    assert_non_null(error);
    free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(absent_or_damaged),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
