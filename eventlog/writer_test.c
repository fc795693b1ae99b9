/* writer_test.c - what is written is read again: every event, every cell, every turn of a packet.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

static struct el_log the_log;
static char root[64];

static int begin(void **state)
{
    (void)state;
    test_dir_make(root);
    return el_log_open(&the_log, &(struct el_options){.root = root});
}

static int end(void **state)
{
    (void)state;
    el_log_forget(&the_log);
    bool agree = test_babeltrace_agrees(root);
    test_dir_remove(root);
    return agree ? 0 : -1;
}

static void every_event_comes_back(void **state)
{
    (void)state;
    enum { ROUNDS = 200 };
    struct el_slot *slot = el_slot_acquire(&the_log, 7);
    struct test_event event;
    struct el_reader *reader;
    struct el_record record;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < el_infos_count; i++) {
            if (el_infos[i].class != EL_CLASS_EVENT)
                continue;
            test_fill(&event, &el_infos[i], round * 100 + i);
            assert_true(test_write(slot, round * 1000 + i, &event));
        }
    }
    assert_int_equal(el_reader_open(the_log.dir, &reader), EL_READ_OK);
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < el_infos_count; i++) {
            if (el_infos[i].class != EL_CLASS_EVENT)
                continue;
            test_fill(&event, &el_infos[i], round * 100 + i);
            assert_true(el_reader_next(reader, &record));
            assert_true(test_equal(&event, &record));
            assert_int_equal(record.time, round * 1000 + i);
            assert_int_equal(record.tid, 7);
        }
    }
    assert_false(el_reader_next(reader, &record));
    assert_int_equal(el_reader_damage(reader), 0);
    assert_int_equal(el_reader_clock_hz(reader), the_log.clock_hz);
    el_reader_close(reader);
}

static void every_cell_comes_back(void **state)
{
    (void)state;
    struct test_event event;
    struct el_reader *reader;
    struct el_record record;
    uint32_t kinds = 0, seen = 0;

    for (uint32_t i = 0; i < el_infos_count; i++) {
        if (el_infos[i].class != EL_CLASS_CELL || el_infos[i].id == EL_ID_summary)
            continue;
        kinds++;
        for (uint64_t k = 0; k < 100; k++) {
            test_fill(&event, &el_infos[i], k);
            assert_non_null(test_put_cell(&the_log, &event));
        }
    }
    assert_int_equal(el_reader_open(the_log.dir, &reader), EL_READ_OK);
    uint64_t next[256] = {0};
    while (el_reader_next_cell(reader, &record)) {
        if (record.info->id == EL_ID_summary) {
            assert_int_equal(record.any.summary.state, EL_RECORD_ON);
            continue;
        }
        test_fill(&event, record.info, next[record.info->id]++);
        assert_true(test_equal(&event, &record));
        assert_int_equal(record.time, 0);
        seen++;
    }
    assert_int_equal(seen, kinds * 100);
    assert_int_equal(el_reader_damage(reader), 0);
    el_reader_close(reader);
}

static void long_texts_and_sequences_are_cut(void **state)
{
    (void)state;
    static char text[20000];
    static uint64_t items[3000];
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    struct el_reader *reader;
    struct el_record record;

    memset(text, 'x', sizeof(text) - 1);
    for (uint64_t i = 0; i < 3000; i++)
        items[i] = i;
    for (int i = 0; i < 20; i++) {
        assert_true(el_write_mark(slot, &(struct el_mark){.actor = 5, .text = text}));
        assert_true(el_write_stack(
            slot, &(struct el_stack){.stack = 9, .frames_count = 3000, .frames = items}));
        assert_true(el_write_option(slot, &(struct el_option){.text = NULL}));
    }
    assert_int_equal(el_reader_open(the_log.dir, &reader), EL_READ_OK);
    for (int i = 0; i < 20; i++) {
        assert_true(el_reader_next(reader, &record));
        size_t length = strlen(record.any.mark.text);
        assert_in_range(length, EL_RECORD_MOST / 2, EL_RECORD_MOST);
        assert_int_equal(strspn(record.any.mark.text, "x"), length);
        assert_true(el_reader_next(reader, &record));
        assert_in_range(record.any.stack.frames_count, EL_RECORD_MOST / 16, EL_RECORD_MOST / 8);
        for (uint64_t k = 0; k < record.any.stack.frames_count; k++)
            assert_int_equal(record.any.stack.frames[k], k);
        assert_true(el_reader_next(reader, &record));
        assert_string_equal(record.any.option.text, "");
    }
    assert_int_equal(el_reader_damage(reader), 0);
    el_reader_close(reader);
}

static void time_never_goes_back_in_a_stream(void **state)
{
    (void)state;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    struct el_reader *reader;
    struct el_record record;
    const uint64_t asked[] = {100, 50, 120, 119, UINT64_C(1) << 40};
    const uint64_t given[] = {100, 100, 120, 120, UINT64_C(1) << 40};

    for (int i = 0; i < 5; i++)
        assert_true(el_write_run_end_at(slot, asked[i], &(struct el_run_end){.run = 1}));
    assert_int_equal(el_reader_open(the_log.dir, &reader), EL_READ_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(el_reader_next(reader, &record));
        assert_int_equal(record.time, given[i]);
    }
    el_reader_close(reader);
}

static void slots_are_reused(void **state)
{
    (void)state;
    struct el_slot *first = el_slot_acquire(&the_log, 1);
    struct el_slot *second = el_slot_acquire(&the_log, 2);
    assert_ptr_not_equal(first, second);
    for (uint32_t i = 0; i < 1000; i++) {
        el_slot_release(first);
        first = el_slot_acquire(&the_log, 10 + i);
        assert_non_null(first);
        assert_int_equal(first->number, 0);
        assert_true(el_write_thread_begin(first, &(struct el_thread_begin){.thread = i}));
    }
    assert_int_equal(the_log.made_slots, 2);
    assert_int_equal(test_count(the_log.dir).events, 1000);
}

static struct el_slot *handler_slot;

static void write_in_handler(int signal)
{
    (void)signal;
    el_write_mark(handler_slot, &(struct el_mark){.text = "from the handler"});
}

/* A handler that comes in while its thread writes: its event is lost and counted, that of the
 * thread is whole. */
static void a_handler_in_mid_write_loses_its_event(void **state)
{
    (void)state;
    handler_slot = el_slot_acquire(&the_log, 1);
    signal(SIGUSR1, write_in_handler);
    struct el_fork *event = el_reserve(handler_slot, EL_ID_fork, el_now(&the_log), sizeof(*event));
    assert_non_null(event);
    event->child = 17;
    raise(SIGUSR1);
    event->pad = 0;
    el_commit(handler_slot, sizeof(*event));
    raise(SIGUSR1); /* between two events it writes its own */
    signal(SIGUSR1, SIG_DFL);

    struct test_counts counts = test_count(the_log.dir);
    assert_int_equal(counts.events, 2);
    assert_int_equal(counts.by_id[EL_ID_fork], 1);
    assert_int_equal(counts.by_id[EL_ID_mark], 1);
    assert_int_equal(counts.summary.lost_reentered, 1);
    assert_int_equal(counts.lost, 1);
    assert_int_equal(counts.damage, 0);
}

/* A child drops its parent's record untouched and makes its own. */
static void a_child_forgets(void **state)
{
    (void)state;
    int status;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    struct el_actor *actor = el_alloc_actor(&the_log);
    assert_true(el_write_fork(slot, &(struct el_fork){.child = 1}));
    actor->actor = 1;
    el_set_state(&actor->state, EL_ACTOR_RUNNING);
    struct test_counts before = test_count(the_log.dir);

    pid_t child = fork();
    if (child == 0) {
        char parent[EL_PATH_MOST];
        strcpy(parent, the_log.dir);
        el_log_forget(&the_log);
        if (the_log.open || el_log_open(&the_log, &(struct el_options){.root = root}) != 0)
            _exit(1);
        slot = el_slot_acquire(&the_log, 2);
        if (slot == NULL || !el_write_exit(slot, &(struct el_exit){.status = 3}) ||
            el_alloc_actor(&the_log) == NULL || strcmp(parent, the_log.dir) == 0)
            _exit(2);
        struct test_counts own = test_count(the_log.dir);
        _exit(own.events == 1 && own.by_id[EL_ID_exit] == 1 && own.damage == 0 ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    struct test_counts after = test_count(the_log.dir);
    assert_int_equal(before.events, after.events);
    assert_int_equal(before.cells, after.cells);
    struct el_list list;
    assert_int_equal(el_list_processes(root, &list), EL_READ_OK);
    assert_int_equal(list.n, 2);
    el_list_free(&list);
}

static void each_image_has_a_directory(void **state)
{
    (void)state;
    static struct el_log second;
    assert_int_equal(el_log_open(&second, &(struct el_options){.root = root}), 0);
    assert_string_not_equal(second.dir, the_log.dir);
    el_log_forget(&second);
}

static void the_clock_follows_the_system(void **state)
{
    (void)state;
    struct el_clocks a, b;
    el_read_clocks(&the_log, &a);
    do {
        el_read_clocks(&the_log, &b);
    } while (b.monotonic_ns - a.monotonic_ns < 20000000);
    double ticks_ns = (double)el_ticks_to_ns(&the_log, b.at - a.at);
    double ratio = ticks_ns / (double)(b.monotonic_ns - a.monotonic_ns);
    assert_true(ratio > 0.99 && ratio < 1.01);
    assert_int_equal(el_ticks_to_ns(&the_log, the_log.clock_hz), 1000000000);
    assert_int_equal(el_ns_to_ticks(&the_log, 1000000000), the_log.clock_hz);
}

static void errno_is_kept(void **state)
{
    (void)state;
    errno = 4711;
    struct el_slot *slot = el_slot_acquire(&the_log, 1);
    for (int i = 0; i < 10000; i++)
        el_write_fork(slot, &(struct el_fork){.child = 1});
    el_alloc_site(&the_log);
    /* One that fails inside: the directory is there already. */
    static struct el_log second;
    el_log_open(&second, &(struct el_options){.root = root});
    el_log_forget(&second);
    assert_int_equal(errno, 4711);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(every_event_comes_back),
        TEST(every_cell_comes_back),
        TEST(long_texts_and_sequences_are_cut),
        TEST(time_never_goes_back_in_a_stream),
        TEST(slots_are_reused),
        TEST(a_handler_in_mid_write_loses_its_event),
        TEST(a_child_forgets),
        TEST(each_image_has_a_directory),
        TEST(the_clock_follows_the_system),
        TEST(errno_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
