/*
 * fixture_test.c - records of every version that was released stay readable.
 *
 * A fixture is a packed record (test_pack.h) that el-sample wrote when its version was current. The
 * sum is over all values in it: fields and events that were added since do not change it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "eventlog/test_help.h"
#include "eventlog/test_pack.h"

static const struct fixture {
    const char *file;
    uint32_t minor;
    uint64_t events, cells, kinds, sum;
} fixtures[] = {
    {"v1.0.pack", 0, 57, 16, 25, UINT64_C(11856828737720207974)},
    {"v1.1.pack", 1, 60, 28, 30, UINT64_C(11856829828664366854)},
    {"v1.2.pack", 2, 44, 21, 33, UINT64_C(11528190414886499017)},
    {"v1.3.pack", 3, 46, 31, 39, UINT64_C(11528190923022902642)},
};

static const char *directory;

static void unpack(const char *file, const char *to)
{
    static uint8_t bytes[1 << 20];
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", directory, file);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    size_t n = fread(bytes, 1, sizeof(bytes), in);
    fclose(in);
    assert_in_range(n, 1000, sizeof(bytes) - 1);
    test_unpack(bytes, n, to);
}

static void check(const struct fixture *fixture)
{
    char dir[64];
    struct el_reader *reader;
    struct el_record record;
    uint64_t events = 0, cells = 0, sum = 0, kinds = 0;
    bool seen[256] = {false};

    test_dir_make(dir);
    unpack(fixture->file, dir);
    assert_int_equal(el_reader_open(dir, &reader), EL_READ_OK);
    for (; el_reader_next(reader, &record); events++) {
        sum += test_sum_record(&record) - record.time; /* times differ with each sample */
        kinds += !seen[record.info->id];
        seen[record.info->id] = true;
    }
    for (; el_reader_next_cell(reader, &record); cells++) {
        kinds += !seen[record.info->id];
        seen[record.info->id] = true;
        if (record.info->id != EL_ID_summary)
            sum += test_sum_record(&record);
    }
    print_message("%s: minor=%u events=%llu cells=%llu kinds=%llu sum=%llu\n", fixture->file,
                  el_reader_version_minor(reader), (unsigned long long)events,
                  (unsigned long long)cells, (unsigned long long)kinds, (unsigned long long)sum);
    assert_int_equal(el_reader_version_minor(reader), fixture->minor);
    assert_int_equal(events, fixture->events);
    assert_int_equal(cells, fixture->cells);
    assert_int_equal(kinds, fixture->kinds);
    assert_int_equal(sum, fixture->sum);
    assert_int_equal(el_reader_damage(reader), 0);
    assert_int_equal(el_reader_unknown(reader), 0);
    el_reader_close(reader);
    test_dir_remove(dir);
}

static void old_records_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fixtures) / sizeof(fixtures[0]); i++)
        check(&fixtures[i]);
}

/* A version that has no fixture is a version that nobody keeps readable. */
static void this_version_has_one(void **state)
{
    (void)state;
    const size_t last = sizeof(fixtures) / sizeof(fixtures[0]) - 1;
    assert_int_equal(fixtures[last].minor, EL_VERSION_MINOR);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_records_are_read),
        cmocka_unit_test(this_version_has_one),
    };
    directory = argc == 2 ? argv[1] : "eventlog/fixtures";
    return cmocka_run_group_tests(tests, NULL, NULL);
}
