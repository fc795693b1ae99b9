/* undrained-channel_test.c - which items left in a channel are missed. */
#include "analyzer/rules/made_model.h"

static struct model_outcome *left(struct made *m, uint32_t how)
{
    MADE_OUTCOME(m, .kind = EL_OBJ_CHAN, .stack = 5, .lost_stack = 6, .lost = 1, .items = 70,
                 .bytes = 560, .how = how, .first_ns = MS, .last_ns = 900 * MS);
    return &m->p.outcomes[m->p.noutcomes - 1];
}

enum { SILENT = -1 };

static void test_how_it_was_used(void **state)
{
    static const struct {
        uint32_t how;
        int severity;
    } cases[] = {
        {EL_LEFT_SENDER_WAITED | EL_LEFT_RECEIVED, SEVERITY_ERROR},
        {EL_LEFT_SENDER_WAITED | EL_LEFT_STREAM, SEVERITY_ERROR},
        {EL_LEFT_SENDER_WAITED | EL_LEFT_STREAM | EL_LEFT_BY_RECEIVER, SEVERITY_ERROR},
        {EL_LEFT_SENDER_WAITED | EL_LEFT_CLOSED, SEVERITY_ERROR},
        {EL_LEFT_CLOSED | EL_LEFT_RECEIVED, SEVERITY_ERROR},
        {EL_LEFT_STREAM | EL_LEFT_RECEIVED | EL_LEFT_AT_END, SEVERITY_ERROR},
        {EL_LEFT_CLOSED, SEVERITY_WARNING},
        {0, SEVERITY_NOTE},
        {EL_LEFT_SENDER_WAITED | EL_LEFT_FULL, SEVERITY_NOTE}, /* semaphore: taken by a send */
        {EL_LEFT_STREAM | EL_LEFT_RECEIVED | EL_LEFT_FULL, SEVERITY_NOTE},        /* by a receive */
        {EL_LEFT_RECEIVED, SEVERITY_NOTE},                                        /* answers */
        {EL_LEFT_STREAM | EL_LEFT_RECEIVED | EL_LEFT_BY_RECEIVER, SEVERITY_NOTE}, /* listener */
        {EL_LEFT_STREAM | EL_LEFT_RECEIVED | EL_LEFT_SAME_SIDE, SEVERITY_NOTE},   /* pool */
        {EL_LEFT_SENDER_WAITED | EL_LEFT_ROOM_FOR_ONE, SILENT},                   /* mailbox */
        {EL_LEFT_CLOSED | EL_LEFT_RECEIVED | EL_LEFT_TOKENS, SILENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made m = made_process();
        left(&m, cases[i].how);
        assert_int_equal(made_judge(&m, "undrained-channel"), cases[i].severity != SILENT);
        if (cases[i].severity != SILENT)
            assert_int_equal(m.found.items[0]->severity, cases[i].severity);
        made_finish(&m);
    }
}

static void test_what_is_told(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_outcome *o = left(&m, EL_LEFT_SENDER_WAITED | EL_LEFT_RECEIVED | EL_LEFT_AT_END);
    made_judge(&m, "undrained-channel");
    const struct finding *f = m.found.items[0];
    assert_string_equal(f->title, "70 items of a channel were never received");
    assert_true(f->costs[0].amount == 70 && f->costs[1].amount == 560);
    assert_int_equal(made_stack(f, "created at"), 5);
    assert_non_null(strstr(made_evidence(f, "when"), "ended"));
    o->lost = 0; /* channels that were made there, and drained */
    assert_int_equal(made_judge(&m, "undrained-channel"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_was_used),
        cmocka_unit_test(test_what_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
