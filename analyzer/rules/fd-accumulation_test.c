/* fd-accumulation_test.c - when descriptors of one place pile up. */
#include "analyzer/rules/made_model.h"

static struct model_outcome *pile(struct made *m, enum el_fd_kind kind)
{
    m->p.nofile = 20000;
    MADE_OUTCOME(m, .kind = EL_OBJ_FD, .how = kind, .stack = 5, .made = 1000, .gone = 1000,
                 .lost = 984, .items = 984, .peak = 1000, .sweep = 984, .lost_ns = 984 * 100 * MS,
                 .first_ns = MS, .last_ns = 900 * MS);
    return &m->p.outcomes[m->p.noutcomes - 1];
}

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "fd-accumulation"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void test_files(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = pile(&m, EL_FD_FILE);
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_true(f->costs[0].amount == 1000);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_non_null(strstr(made_evidence(f, "limit"), "5 %"));
    assert_non_null(strstr(made_evidence(f, "idle"), "100 ms"));
    o->items = 10; /* mapped, perhaps, and in use */
    judged(&m, 1, SEVERITY_WARNING);
    made_finish(&m);
}

static void test_streams(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = pile(&m, EL_FD_STREAM_IN);
    o->items = 0;
    o->bytes = 4096 * 1000;
    judged(&m, 1, SEVERITY_ERROR);
    assert_true(m.found.items[0]->costs[1].amount == 4096 * 1000);
    o->how = EL_FD_STREAM_OUT; /* written until the end, perhaps */
    judged(&m, 1, SEVERITY_WARNING);
    o->how = EL_FD_SOCKET;
    judged(&m, 1, SEVERITY_WARNING);
    o->how = EL_FD_COPY; /* never used: how many may there be? */
    judged(&m, 0, SEVERITY_ERROR);
    o->items = 984;
    judged(&m, 1, SEVERITY_WARNING);
    o->how = EL_FD_ACCEPTED;
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

/* Each of these alone makes it right. */
static void test_what_is_right(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = pile(&m, EL_FD_FILE);
    o->peak = 255;
    judged(&m, 0, SEVERITY_ERROR);
    m.p.nofile = 1000; /* a quarter of it is 250 */
    judged(&m, 1, SEVERITY_ERROR);
    m.p.nofile = 20000;
    o->peak = 1000;
    o->lost = 400; /* they were used again and again: a cache */
    judged(&m, 0, SEVERITY_ERROR);
    o->lost = 984;
    o->sweep = 100; /* one goes when one comes */
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_what_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
