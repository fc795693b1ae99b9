/* reader_test.c - what the reader says about whole, old, new, cut and corrupted records. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

/* Forks of one slot, numbered: enough for several packets. */
enum { EVENTS = 1000 };

static char root[64];
static char dir[EL_PATH_MOST];
static struct el_log the_log;

static int begin(void **state)
{
    (void)state;
    test_dir_make(root);
    if (el_log_open(&the_log, &(struct el_options){.root = root}) != 0)
        return -1;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    for (uint32_t i = 0; i < EVENTS; i++)
        el_write_fork_at(slot, i + 1, &(struct el_fork){.child = i});
    el_write_mark(slot, &(struct el_mark){.text = "the end"});
    strcpy(dir, the_log.dir);
    el_log_end(&the_log);
    el_log_forget(&the_log);
    return 0;
}

static int end(void **state)
{
    (void)state;
    test_dir_remove(root);
    return 0;
}

static void overwrite(const char *name, uint64_t at, const void *bytes, size_t n)
{
    char path[EL_PATH_MOST + 64];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)at), n);
    close(fd);
}

static void cut(const char *name, uint64_t size)
{
    char path[EL_PATH_MOST + 64];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    assert_int_equal(truncate(path, (off_t)size), 0);
}

/* Replaces the first `from` in the metadata by `to`, of the same length. */
static void edit_metadata(const char *from, const char *to)
{
    static char text[1 << 16];
    char path[EL_PATH_MOST + 64];
    snprintf(path, sizeof(path), "%s/metadata", dir);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
    fclose(in);
    const char *at = strstr(text, from);
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    overwrite("metadata", (uint64_t)(at - text), to, strlen(to));
}

/* Reads all; checks that the forks read are in order. The damage's first text is left in `text`. */
static struct test_counts read_forks(char text[256])
{
    struct test_counts counts = test_count(dir);
    struct el_reader *reader;
    struct el_record record;
    uint32_t last = 0;
    text[0] = '\0';
    if (counts.error != EL_READ_OK)
        return counts;
    assert_int_equal(el_reader_open(dir, &reader), EL_READ_OK);
    while (el_reader_next(reader, &record)) {
        if (record.info->id != EL_ID_fork)
            continue;
        assert_int_equal(record.any.fork.child + 1, record.time);
        assert_true(record.time > last);
        last = (uint32_t)record.time;
    }
    if (el_reader_damage_text(reader, 0) != NULL)
        snprintf(text, 256, "%s", el_reader_damage_text(reader, 0));
    el_reader_close(reader);
    return counts;
}

static void a_whole_record(void **state)
{
    (void)state;
    char text[256];
    struct test_counts counts = read_forks(text);
    assert_int_equal(counts.by_id[EL_ID_fork], EVENTS);
    assert_int_equal(counts.by_id[EL_ID_mark], 1);
    assert_int_equal(counts.summary.state, EL_RECORD_ENDED);
    assert_int_equal(counts.damage, 0);
}

static void what_is_no_record(void **state)
{
    (void)state;
    struct el_reader *reader;
    struct el_list list;
    assert_int_equal(el_reader_open("/nonexistent", &reader), EL_READ_NO_DIRECTORY);
    assert_null(reader);
    assert_int_equal(el_reader_open(root, &reader), EL_READ_NO_METADATA);
    assert_int_equal(el_list_processes("/nonexistent", &list), EL_READ_NO_DIRECTORY);
    cut("metadata", 0);
    assert_int_equal(el_reader_open(dir, &reader), EL_READ_BAD_METADATA);
    overwrite("metadata", 0, "\x75\xD1\x1D\xC1 something else { }", 22);
    assert_int_equal(el_reader_open(dir, &reader), EL_READ_BAD_METADATA);
    assert_null(reader);
    el_reader_close(reader);
}

static void a_newer_major_is_refused(void **state)
{
    (void)state;
    char text[256];
    edit_metadata("format_major = 1", "format_major = 9");
    assert_int_equal(read_forks(text).error, EL_READ_NEWER);
    assert_non_null(strstr(el_read_error_text(EL_READ_NEWER), "newer"));
}

static void a_newer_minor_is_read_as_far_as_known(void **state)
{
    (void)state;
    char text[256];
    edit_metadata("format_minor = 3", "format_minor = 7");
    edit_metadata("name = \"mark\"", "name = \"mood\"");
    edit_metadata("u32 pad;", "u32 new;");
    struct test_counts counts = read_forks(text);
    assert_int_equal(counts.error, EL_READ_OK);
    assert_int_equal(counts.by_id[EL_ID_fork], EVENTS);
    assert_int_equal(counts.events, EVENTS);
    assert_int_equal(counts.unknown, 1);
    assert_int_equal(counts.damage, 0);
}

/* Fields are found by name: here two have changed places. */
static void another_order_of_fields_is_read(void **state)
{
    (void)state;
    struct el_reader *reader;
    struct el_record record;
    edit_metadata("u32 child;\n\t\tu32 pad;", "u32 pad;\n\t\tu32 child;");
    assert_int_equal(el_reader_open(dir, &reader), EL_READ_OK);
    for (uint32_t i = 0; i < EVENTS; i++) {
        assert_true(el_reader_next(reader, &record));
        assert_int_equal(record.any.fork.child, 0);
        assert_int_equal(record.any.fork.pad, i);
    }
    el_reader_close(reader);
}

static void a_file_that_is_cut_off(void **state)
{
    (void)state;
    char text[256];
    uint64_t last = EVENTS;
    for (uint64_t size = 3 * EL_PACKET_BYTES + 1000; size > 0; size = size * 2 / 3) {
        cut("events-0", size);
        struct test_counts counts = read_forks(text);
        assert_int_equal(counts.error, EL_READ_OK);
        /* The packet, and perhaps an event in it. */
        assert_in_range(counts.damage, 1, 2);
        assert_non_null(strstr(text, "events-0"));
        assert_non_null(strstr(text, "cut off"));
        /* 250 and some events a packet, of which what lies before the cut is read. */
        assert_in_range(counts.by_id[EL_ID_fork], size / 16 > 20 ? size / 16 - 20 : 0, last);
        last = counts.by_id[EL_ID_fork];
    }
    cut("events-0", 0);
    assert_int_equal(read_forks(text).events, 0);
}

/* One packet is bad, those after it are read. */
static void expect_one_bad_packet(const char *word)
{
    char text[256];
    struct test_counts counts = read_forks(text);
    assert_int_equal(counts.error, EL_READ_OK);
    assert_true(counts.damage > 0);
    assert_non_null(strstr(text, word));
    assert_int_equal(counts.by_id[EL_ID_mark], 1);
    assert_in_range(counts.by_id[EL_ID_fork], EVENTS - EL_PACKET_BYTES / 16, EVENTS - 1);
}

static void a_packet_of_garbage(void **state)
{
    (void)state;
    uint64_t garbage[64];
    memset(garbage, 0xa5, sizeof(garbage));
    overwrite("events-0", EL_PACKET_BYTES, garbage, sizeof(garbage));
    expect_one_bad_packet("no packet of this record");
}

/* As a machine that lost its power may leave it. */
static void a_page_of_zeros(void **state)
{
    (void)state;
    static const char zeros[EL_PACKET_BYTES];
    overwrite("events-0", EL_PACKET_BYTES, zeros, sizeof(zeros));
    expect_one_bad_packet("no packet of this record");
}

/* A file that is nearly all hole: read in bounded time. */
static void a_file_of_a_huge_size(void **state)
{
    (void)state;
    char text[256];
    cut("events-0", UINT64_C(1) << 42);
    struct test_counts counts = read_forks(text);
    assert_int_equal(counts.by_id[EL_ID_fork], EVENTS);
    assert_true(counts.damage > 0);
}

static void a_packet_of_another_record(void **state)
{
    (void)state;
    uint8_t uuid[16] = {1, 2, 3};
    overwrite("events-0", EL_PACKET_BYTES + offsetof(struct el_packet, uuid), uuid, sizeof(uuid));
    expect_one_bad_packet("no packet of this record");
}

static void sizes_that_cannot_be(void **state)
{
    (void)state;
    char text[256];
    static const uint64_t values[] = {
        0, 8, 511, 513, UINT32_MAX, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        overwrite("events-0", EL_PACKET_BYTES + offsetof(struct el_packet, content_bits),
                  &values[i], 8);
        struct test_counts counts = read_forks(text);
        assert_true(counts.damage > 0);
        assert_int_equal(counts.by_id[EL_ID_mark], 1);
        assert_true(counts.by_id[EL_ID_fork] >= EVENTS - EL_PACKET_BYTES / 16);
    }
}

static void an_event_that_nobody_declared(void **state)
{
    (void)state;
    const uint64_t word = EL_WORD(UINT64_C(250), 300);
    overwrite("events-0", EL_PACKET_BYTES + sizeof(struct el_packet) + 160, &word, sizeof(word));
    expect_one_bad_packet("does not know");
}

static void a_text_without_end(void **state)
{
    (void)state;
    static char letters[EL_PACKET_BYTES];
    const uint64_t word = EL_WORD((uint64_t)EL_ID_option, 300);
    memset(letters, 'x', sizeof(letters));
    const uint64_t at = EL_PACKET_BYTES + sizeof(struct el_packet);
    overwrite("events-0", at + 8, letters, EL_PACKET_BYTES - sizeof(struct el_packet) - 8);
    overwrite("events-0", at, &word, sizeof(word));
    char text[256];
    struct test_counts counts = read_forks(text);
    assert_true(counts.damage > 0);
    assert_non_null(strstr(text, "no end"));
    assert_int_equal(counts.by_id[EL_ID_mark], 1);
}

static void a_list_without_end(void **state)
{
    (void)state;
    const uint64_t words[] = {EL_WORD((uint64_t)EL_ID_stack, 300), 1, UINT64_MAX / 4};
    overwrite("events-0", EL_PACKET_BYTES + sizeof(struct el_packet), words, sizeof(words));
    expect_one_bad_packet("no end");
}

static void records_are_listed_by_number(void **state)
{
    (void)state;
    static const char *const names[] = {"100.0", "20.1", "20.0", "20.10", "3.0"};
    static const char *const order[] = {"/3.0", "/20.0", "/20.1", "/20.10", "/100.0"};
    char other[64], path[128];
    struct el_list list;
    test_dir_make(other);
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "%s/%s", other, names[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        strcat(path, "/metadata");
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    snprintf(path, sizeof(path), "%s/run.json", other);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(el_list_processes(other, &list), EL_READ_OK);
    assert_int_equal(list.n, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(list.items[i] + strlen(other), order[i]);
    el_list_free(&list);
    test_dir_remove(other);
    /* A record is its own only one. */
    assert_int_equal(el_list_processes(dir, &list), EL_READ_OK);
    assert_int_equal(list.n, 1);
    el_list_free(&list);
}

/* Two thousand threads' files, few descriptors: all in one order of time. */
static void many_streams_are_merged(void **state)
{
    (void)state;
    enum { SLOTS = 2000, EACH = 20 };
    static struct el_log log;
    struct rlimit few = {32, 0};
    struct el_reader *reader;
    struct el_record record;
    uint64_t seed = 1, last = 0, n = 0;

    assert_int_equal(el_log_open(&log, &(struct el_options){.root = root}), 0);
    for (uint32_t i = 0; i < SLOTS; i++) {
        struct el_slot *slot = el_slot_acquire(&log, i);
        uint64_t time = 0;
        for (int k = 0; k < EACH; k++) {
            time += test_random(&seed) % 1000;
            assert_true(el_write_fork_at(slot, time, &(struct el_fork){.child = i}));
        }
    }
    getrlimit(RLIMIT_NOFILE, &few);
    few.rlim_cur = 32;
    setrlimit(RLIMIT_NOFILE, &few);
    assert_int_equal(el_reader_open(log.dir, &reader), EL_READ_OK);
    for (; el_reader_next(reader, &record); n++) {
        assert_true(record.time >= last);
        last = record.time;
    }
    assert_int_equal(n, SLOTS * EACH);
    assert_int_equal(el_reader_damage(reader), 0);
    assert_int_equal(el_reader_bytes_done(reader), el_reader_bytes_total(reader) - log.first_bytes);
    el_reader_close(reader);
    el_log_forget(&log);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_record),
        TEST(what_is_no_record),
        TEST(a_newer_major_is_refused),
        TEST(a_newer_minor_is_read_as_far_as_known),
        TEST(another_order_of_fields_is_read),
        TEST(a_file_that_is_cut_off),
        TEST(a_packet_of_garbage),
        TEST(a_page_of_zeros),
        TEST(a_file_of_a_huge_size),
        TEST(a_packet_of_another_record),
        TEST(sizes_that_cannot_be),
        TEST(an_event_that_nobody_declared),
        TEST(a_text_without_end),
        TEST(a_list_without_end),
        TEST(records_are_listed_by_number),
        TEST(many_streams_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
