/* looker_test.c - the words of threads are found by way of their record, and read from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/cli/looker.h"
#include "eventlog/writer.h"

static struct el_log the_log;
static char root[] = "/tmp/loiter-looker-XXXXXX";

/* This process is the one that is looked at. */
static void threads_inside_are_counted(void **state)
{
    (void)state;
    static volatile uint32_t words[2];
    struct looker *l = looker_create(root);
    looker_look(l);
    assert_true(looker_result(l).looks == 0);

    struct el_inside *cells[2];
    for (int i = 0; i < 2; i++) {
        cells[i] = el_alloc_inside(&the_log);
        cells[i]->tid = (uint32_t)getpid();
        cells[i]->address = (uint64_t)(uintptr_t)&words[i];
        el_set_state(&cells[i]->state, EL_LIVE);
    }
    looker_look(l);
    assert_true(looker_result(l).looks == 2 && looker_result(l).inside == 0);
    words[1] = 1;
    looker_look(l);
    assert_true(looker_result(l).looks == 4 && looker_result(l).inside == 1);
    assert_true(looker_result(l).inside_ns > 0);
    el_set_state(&cells[1]->state, EL_FREE); /* it ended */
    looker_look(l);
    assert_true(looker_result(l).looks == 5 && looker_result(l).inside == 1);
    looker_destroy(l);
}

static void what_is_not_there_is_left_out(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/4194303.0", root);
    assert_int_equal(mkdir(path, 0700), 0);
    struct looker *l = looker_create(root), *none = looker_create("/nowhere");
    for (int i = 0; i < 100; i++) {
        looker_look(l);
        looker_look(none);
    }
    assert_true(looker_result(none).looks == 0);
    looker_destroy(l);
    looker_destroy(none);
    looker_destroy(NULL);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(root) ? el_log_open(&the_log, &(struct el_options){.root = root}) : -1;
}

static int end(void **state)
{
    (void)state;
    char command[128];
    el_log_forget(&the_log);
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_inside_are_counted),
        cmocka_unit_test(what_is_not_there_is_left_out),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
