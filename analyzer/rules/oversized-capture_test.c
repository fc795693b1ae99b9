/* oversized-capture_test.c - requests that are captured whole, and large arguments that are right.
 */
#include "analyzer/rules/made_model.h"

/* A thousand tasks, of which sixteen were looked at. */
static struct made made_captures(void)
{
    struct made m = made_process();
    MADE_SITE(&m, .kind = EL_SITE_TASK, .stack = 9, .count = 3000, .peak = 1000);
    MADE_CAPTURE(&m, .kind = EL_SITE_TASK, .stack = 9, .every = 64, .looked = 48, .holders = 48,
                 .bytes = 48 * 65536, .kept = 48, .wait_ns = 48 * 200 * MS,
                 .peak_bytes = 1000 * 65536, .peak_waiting = 16, .peak_alive = 16,
                 .peak_live = 1000);
    return m;
}

static size_t judge(struct made *m)
{
    return made_judge(m, "oversized-capture");
}

static void test_whole_requests(void **state)
{
    (void)state;
    struct made m = made_captures();
    assert_int_equal(judge(&m), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_WARNING);
    assert_int_equal(made_stack(f, "created at"), 9);
    assert_int_equal(f->count, 1000);
    assert_true(f->costs[0].amount == 1000 * 65536.0);
    assert_true(f->costs[1].amount == 65536.0);
    assert_true(f->costs[2].amount == 200.0 * MS);
    assert_string_equal(made_evidence(f, "copied"), "");
    /* After a kill nothing was compared. */
    m.p.captures[0].kept = 0;
    assert_int_equal(judge(&m), 1);
    made_finish(&m);
}

/* One thing is otherwise, and it is no finding. */
#define SILENT_WITH(member, value)                                                                 \
    do {                                                                                           \
        struct made m = made_captures();                                                           \
        m.p.captures[0].member = (value);                                                          \
        assert_int_equal(judge(&m), 0);                                                            \
        made_finish(&m);                                                                           \
    } while (0)

static void test_not(void **state)
{
    (void)state;
    SILENT_WITH(bytes, 48 * 4095);            /* a small one each */
    SILENT_WITH(peak_bytes, 1048575);         /* little in all */
    SILENT_WITH(peak_live, 63);               /* few */
    SILENT_WITH(peak_waiting, 7);             /* most of those alive do not wait with one */
    SILENT_WITH(wait_ns, 48 * (10 * MS - 1)); /* not for long */
    SILENT_WITH(written, 48);                 /* they write to it */
    struct made m = made_captures();
    m.p.captures[0].peak_waiting = m.p.captures[0].peak_alive = 3; /* too few were seen */
    assert_int_equal(judge(&m), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_requests),
        cmocka_unit_test(test_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
