/* outside_test.c - another process's word and events get into a living record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "eventlog/outside.h"
#include "eventlog/test_help.h"

static struct el_log the_log;
static char root[64];

static int begin(void **state)
{
    (void)state;
    struct el_clocks clocks;
    test_dir_make(root);
    if (el_log_open(&the_log, &(struct el_options){.root = root}) != 0)
        return -1;
    struct el_slot *slot = el_slot_acquire(&the_log, 7);
    el_read_clocks(&the_log, &clocks);
    if (!el_write_thread_begin(slot, &(struct el_thread_begin){.thread = 1, .tid = 7}))
        return -1;
    return el_write_process(slot, &(struct el_process){.pid = 7,
                                                       .at = clocks.at,
                                                       .monotonic_ns = clocks.monotonic_ns,
                                                       .command = "x"})
               ? 0
               : -1;
}

static int end(void **state)
{
    (void)state;
    bool agree = test_babeltrace_agrees(root);
    el_log_forget(&the_log);
    test_dir_remove(root);
    return agree ? 0 : -1;
}

static void a_word_is_seen_and_marks_are_in_order(void **state)
{
    (void)state;
    struct el_outside o;
    struct el_reader *r;
    struct el_record record;
    uint64_t last = 0, before = el_now(&the_log);
    assert_int_equal(el_outside_open(the_log.dir, &o), 0);
    assert_true(o.pid == 7);
    assert_int_equal(el_outside_control(&o, EL_CONTROL_STOP), 0);
    assert_int_equal(the_log.summary->control, EL_CONTROL_STOP);
    assert_int_equal(el_outside_mark(&o, "one"), 0);
    assert_int_equal(el_outside_mark(&o, "two"), 0);
    char much[5000] = {0};
    memset(much, 'x', sizeof(much) - 1);
    assert_true(el_outside_mark(&o, much) < 0);
    el_outside_close(&o);
    uint64_t after = el_now(&the_log);

    static const char *const expected[] = {"thread_begin", "process", "recording", "mark", "mark"};
    assert_int_equal(el_reader_open(the_log.dir, &r), EL_READ_OK);
    for (size_t i = 0; i < 5; i++) {
        assert_true(el_reader_next(r, &record));
        assert_string_equal(record.info->name, expected[i]);
        assert_true(record.time >= last);
        /* The two clocks agree to far less than a second. */
        if (i > 1)
            assert_in_range(record.time, before > the_log.clock_hz ? before - the_log.clock_hz : 0,
                            after + the_log.clock_hz);
        last = record.time;
    }
    assert_string_equal(record.any.mark.text, "two");
    assert_false(el_reader_next(r, &record));
    assert_true(el_reader_damage(r) == 0);
    el_reader_close(r);
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    struct el_outside o;
    assert_true(el_outside_open(root, &o) < 0);
    assert_true(el_outside_open("/nowhere", &o) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_is_seen_and_marks_are_in_order),
        cmocka_unit_test(what_is_no_record_is_refused),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
