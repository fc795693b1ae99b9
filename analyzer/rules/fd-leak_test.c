/* fd-leak_test.c - which descriptors that are open at the end are leaked. */
#include "analyzer/rules/made_model.h"

enum { GONE = 4 }; /* a thread that the process no longer has */

static void opened(struct made *m, size_t n, enum el_fd_kind kind, uint64_t opener, uint32_t flags)
{
    for (size_t i = 0; i < n; i++)
        MADE(m, descriptors, ndescriptors, .fd = 10 + (uint32_t)i, .kind = kind, .stack = 5,
             .opener = opener, .opened_ns = (100 + 10 * i) * MS, .flags = flags,
             .idle = (uint32_t)(n - 1 - i));
}

static void judged(struct made *m, size_t n, enum severity severity)
{
    assert_int_equal(made_judge(m, "fd-leak"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, severity);
}

static void expect(size_t n, enum el_fd_kind kind, uint64_t opener, uint32_t flags, size_t found,
                   enum severity severity)
{
    struct made m = made_process();
    opened(&m, n, kind, opener, flags);
    judged(&m, found, severity);
    made_finish(&m);
}

static void test_files_left(void **state)
{
    (void)state;
    struct made m = made_process();
    opened(&m, 17, EL_FD_FILE, 1, EL_FD_USED);
    judged(&m, 1, SEVERITY_ERROR);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->count, 17);
    assert_true(f->costs[0].amount == 17);
    assert_true(f->growth_per_s == 100);
    assert_non_null(strstr(made_evidence(f, "use"), "16 "));
    for (size_t i = 0; i < m.p.ndescriptors; i++)
        m.p.descriptors[i].idle = 0; /* all were used after the last was opened */
    judged(&m, 0, SEVERITY_ERROR);
    made_finish(&m);
}

static void test_kinds(void **state)
{
    (void)state;
    expect(16, EL_FD_FILE, 1, EL_FD_USED, 0, SEVERITY_ERROR); /* the last may be in use */
    expect(17, EL_FD_FILE, 1, 0, 0, SEVERITY_ERROR);          /* logs of quiet hosts */
    expect(17, EL_FD_STREAM_IN, 1, 0, 1, SEVERITY_ERROR);
    expect(17, EL_FD_STREAM_OUT, 1, 0, 1, SEVERITY_NOTE);
    expect(17, EL_FD_SOCKET, 1, EL_FD_USED, 1, SEVERITY_NOTE); /* a pool, perhaps */
    expect(17, EL_FD_SOCKET, 1, EL_FD_USED | EL_FD_WATCHED, 0, SEVERITY_NOTE);
    expect(17, EL_FD_ACCEPTED, 1, EL_FD_USED, 0, SEVERITY_NOTE);
    expect(17, EL_FD_FILE, 1, EL_FD_USED | EL_FD_LEFT, 0, SEVERITY_NOTE);
    expect(17, EL_FD_TIMER, 1, EL_FD_USED, 0, SEVERITY_NOTE);
}

static void are_files(struct made *m, uint64_t files)
{
    for (size_t i = 0; i < m->p.ndescriptors; i++) {
        m->p.descriptors[i].device = 1;
        m->p.descriptors[i].inode = 100 + i % files;
    }
}

/* None of them twice: a cache, perhaps. */
static void test_different_files(void **state)
{
    (void)state;
    struct made m = made_process();
    opened(&m, 20, EL_FD_FILE, 1, EL_FD_USED);
    are_files(&m, 20);
    judged(&m, 1, SEVERITY_WARNING);
    assert_non_null(strstr(made_evidence(m.found.items[0], "files"), "20 different ones"));
    are_files(&m, 10); /* each of them twice */
    judged(&m, 1, SEVERITY_ERROR);
    assert_non_null(strstr(made_evidence(m.found.items[0], "files"), "10, "));
    are_files(&m, 1);
    m.p.descriptors[0].device = 2; /* another one of that number */
    judged(&m, 1, SEVERITY_ERROR);
    assert_non_null(strstr(made_evidence(m.found.items[0], "files"), "2, "));
    made_finish(&m);
}

/* What workers wait for is theirs. */
static void test_events(void **state)
{
    (void)state;
    expect(17, EL_FD_EVENT, 1, EL_FD_USED, 1, SEVERITY_WARNING);
    expect(17, EL_FD_EVENT, 1, 0, 0, SEVERITY_NOTE);
    struct made m = made_process();
    opened(&m, 20, EL_FD_EVENT, 1, EL_FD_USED);
    for (size_t i = 0; i < 4; i++) {
        m.p.descriptors[i].fd = (uint32_t)(10 + i);
        made_waiter(&m, 2 + i, i < 2 ? EL_WAIT_POLL : EL_WAIT_READ, 10 + i, 1, 2);
    }
    judged(&m, 0, SEVERITY_NOTE);
    m.p.actors[m.p.nactors - 1].wait_kind = EL_WAIT_JOIN; /* that number is a thread's */
    judged(&m, 1, SEVERITY_WARNING);
    made_finish(&m);
}

/* Who is on the other side has closed it; the timer has fired. */
static void test_those_that_nothing_comes_of(void **state)
{
    (void)state;
    const uint32_t over = EL_FD_USED | EL_FD_OVER;
    expect(17, EL_FD_PIPE, 1, over, 1, SEVERITY_WARNING);
    expect(17, EL_FD_SOCKET, 1, over, 1, SEVERITY_WARNING);
    expect(17, EL_FD_SOCKET, 1, over | EL_FD_WATCHED, 0, SEVERITY_WARNING);
    expect(17, EL_FD_TIMER, 1, over, 1, SEVERITY_WARNING);
    expect(17, EL_FD_TIMER, 1, EL_FD_OVER, 0, SEVERITY_WARNING); /* none was ever used */
    expect(32, EL_FD_ACCEPTED, 1, over, 1, SEVERITY_WARNING);
    expect(31, EL_FD_ACCEPTED, 1, over, 0, SEVERITY_WARNING); /* 16 may be served just now */
    struct made m = made_process();
    opened(&m, 40, EL_FD_PIPE, 1, EL_FD_USED);
    for (size_t i = 0; i < 15; i++)
        m.p.descriptors[i].flags |= EL_FD_OVER;
    judged(&m, 1, SEVERITY_NOTE); /* most have somebody there */
    assert_non_null(strstr(made_evidence(m.found.items[0], "other side"), "of 15 "));
    made_finish(&m);
}

static void test_openers_that_ended(void **state)
{
    (void)state;
    expect(8, EL_FD_FILE, GONE, 0, 1, SEVERITY_ERROR);
    expect(7, EL_FD_FILE, GONE, 0, 0, SEVERITY_ERROR);
    expect(8, EL_FD_PIPE, GONE, EL_FD_USED, 0, SEVERITY_WARNING); /* the last was just used */
    expect(9, EL_FD_PIPE, GONE, EL_FD_USED, 1, SEVERITY_WARNING);
    expect(9, EL_FD_EVENT, GONE, EL_FD_WATCHED, 0, SEVERITY_WARNING);
}

/* Threads that work with a file each, or with two, as the process is ended. */
static void at_work(struct made *m, unsigned threads, unsigned each, enum el_thread_how how,
                    uint64_t ended_ms)
{
    for (unsigned t = 0; t < threads; t++) {
        MADE_ACTOR(m, .id = 10 + t, .state = ended_ms ? EL_ACTOR_ENDED : EL_ACTOR_RUNNING,
                   .ended_ns = ended_ms * MS, .ended_how = how);
        for (unsigned i = 0; i < each; i++)
            MADE(m, descriptors, ndescriptors, .fd = 10 + t * each + i, .kind = EL_FD_FILE,
                 .stack = 5, .opener = 10 + t, .opened_ns = 9900 * MS + i, .flags = EL_FD_USED,
                 .idle = 3);
    }
}

static void expect_at_work(unsigned threads, unsigned each, enum el_thread_how how,
                           uint64_t ended_ms, size_t found)
{
    struct made m = made_process();
    at_work(&m, threads, each, how, ended_ms);
    judged(&m, found, SEVERITY_ERROR);
    made_finish(&m);
}

static void test_openers_at_work(void **state)
{
    (void)state;
    expect_at_work(40, 2, EL_END_RETURN, 0, 0);
    expect_at_work(40, 5, EL_END_RETURN, 0, 1);  /* more than they have hands for */
    expect_at_work(1, 17, EL_END_RETURN, 0, 1);  /* it came back for each next one */
    expect_at_work(40, 2, EL_END_EXIT, 9800, 0); /* stopped as the process ends */
    expect_at_work(40, 2, EL_END_CANCEL, 9800, 0);
    expect_at_work(40, 2, EL_END_EXIT, 8900, 1);
    expect_at_work(40, 2, EL_END_RETURN, 9800, 1); /* they were done */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_left),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_different_files),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_those_that_nothing_comes_of),
        cmocka_unit_test(test_openers_that_ended),
        cmocka_unit_test(test_openers_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
