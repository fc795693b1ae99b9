/* heap-leak_test.c - which lost blocks are told, and how loudly. */
#include "analyzer/rules/made_model.h"

static struct made made_scanned(bool full)
{
    struct made m = made_process();
    m.p.heap = (struct model_heap){.full = full, .scanned = true, .exact_roots = true};
    return m;
}

static void test_each_block_known(void **state)
{
    (void)state;
    struct made m = made_scanned(true);
    MADE_HEAP(&m, .stack = 3, .samples = 20, .blocks = 20, .bytes = 2000, .freed_blocks = 8,
              .leaked_blocks = {10, 2}, .leaked_bytes = {1000, 200}, .leaked_samples = 12,
              .leaked_first_ns = 1000 * MS, .leaked_last_ns = 3000 * MS);
    MADE_HEAP(&m, .stack = 4, .samples = 1, .blocks = 1, .bytes = 8); /* kept */
    assert_int_equal(made_judge(&m, "heap-leak"), 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(f->severity, SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_int_equal(f->count, 10);
    assert_int_equal(made_stack(f, "allocated at"), 3);
    assert_true(f->costs[0].amount == 1000 && strcmp(f->costs[0].unit, "bytes") == 0);
    assert_true(f->growth_per_s == 5);
    assert_non_null(strstr(made_evidence(f, "beyond"), "200 bytes"));
    made_finish(&m);
}

/* What hangs on a lost block is part of that leak; a ring hangs on nothing else. */
static void test_rings(void **state)
{
    (void)state;
    struct made m = made_scanned(true);
    MADE_HEAP(&m, .stack = 3, .samples = 4, .blocks = 4, .leaked_blocks = {0, 4},
              .leaked_bytes = {0, 400}, .leaked_samples = 4);
    assert_int_equal(made_judge(&m, "heap-leak"), 0);
    MADE_HEAP(&m, .stack = 5, .samples = 2, .blocks = 2, .leaked_blocks = {0, 0, 2},
              .leaked_bytes = {0, 0, 64}, .leaked_samples = 2);
    assert_int_equal(made_judge(&m, "heap-leak"), 1);
    assert_string_equal(m.found.items[0]->kind, "ring");
    assert_true(m.found.items[0]->costs[0].amount == 64);
    made_finish(&m);
}

static void test_samples(void **state)
{
    (void)state;
    struct made m = made_scanned(false);
    MADE_HEAP(&m, .stack = 3, .samples = 3, .blocks = 24576, .leaked_blocks = {24576},
              .leaked_bytes = {3 * 524288}, .leaked_samples = 3);
    assert_int_equal(made_judge(&m, "heap-leak"), 1);
    assert_int_equal(m.found.items[0]->severity, SEVERITY_WARNING);
    struct model_heap_site *s = &m.p.heap_sites[0];
    s->leaked_samples = 2; /* luck */
    assert_int_equal(made_judge(&m, "heap-leak"), 0);
    s->leaked_blocks[0] = 1; /* one block so large that it is no luck */
    s->leaked_samples = 1;
    assert_int_equal(made_judge(&m, "heap-leak"), 1);
    s->leaked_bytes[0] = 1000000;
    assert_int_equal(made_judge(&m, "heap-leak"), 0);
    made_finish(&m);
}

static void test_doubt(void **state)
{
    (void)state;
    struct made m = made_scanned(true);
    MADE_HEAP(&m, .stack = 3, .samples = 1, .blocks = 1, .leaked_blocks = {1}, .leaked_bytes = {10},
              .leaked_samples = 1);
    m.p.heap.exact_roots = false;
    assert_int_equal(made_judge(&m, "heap-leak"), 1);
    assert_int_equal(m.found.items[0]->confidence, CONFIDENCE_PROBABLE);
    m.p.heap.scanned = false;
    assert_int_equal(made_judge(&m, "heap-leak"), 0);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_block_known),
        cmocka_unit_test(test_rings),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_doubt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
