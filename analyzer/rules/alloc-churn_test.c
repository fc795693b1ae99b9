/* alloc-churn_test.c - what churns, and what only looks like it. */
#include "analyzer/rules/made_model.h"

/* 4 KiB blocks at 200 MB/s for a second, each gone within 100 us. */
static struct model_heap_site *made_churn(struct made *m)
{
    MADE_HEAP(m, .stack = 7, .samples = 400, .blocks = 48828, .bytes = 200000000,
              .freed_blocks = 48828, .freed_bytes = 200000000, .peak_bytes = 4096, .size_min = 4096,
              .size_max = 4096, .life_bytes = {150000000, 50000000}, .first_ns = 100 * MS,
              .last_ns = 1100 * MS);
    return &m->p.heap_sites[m->p.nheap_sites - 1];
}

static void judged(struct made *m, size_t n)
{
    assert_int_equal(made_judge(m, "alloc-churn"), n);
    if (n > 0)
        assert_int_equal(m->found.items[0]->severity, SEVERITY_WARNING);
}

static void test_churn(void **state)
{
    (void)state;
    struct made m = made_process();
    made_churn(&m);
    judged(&m, 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(made_stack(f, "allocated at"), 7);
    assert_true(f->costs[0].amount == 200e6 && strcmp(f->costs[0].unit, "bytes/s") == 0);
    assert_true(f->costs[1].amount == 48828);
    assert_null(strstr(f->fix, "weft"));
    made_finish(&m);
    /* What Weft has for it is told to those who use it. */
    m = made_process();
    made_churn(&m);
    m.p.workers = 2;
    judged(&m, 1);
    assert_non_null(strstr(m.found.items[0]->fix, "weft_pool_get"));
    made_finish(&m);
}

/* Each of these alone makes it right. */
static void test_what_is_right(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_heap_site *s = made_churn(&m), good = *s;
    s->last_ns = 2200 * MS; /* 95 MB/s */
    judged(&m, 0);
    *s = good;
    s->last_ns = 300 * MS; /* fast, and soon over */
    s->bytes = 90000000;
    judged(&m, 0);
    *s = good;
    s->size_min = s->size_max = 512;
    judged(&m, 0);
    *s = good;
    s->size_max = 65536;
    judged(&m, 0);
    *s = good;
    s->life_bytes[0] = 100000000; /* a quarter lived on */
    s->life_bytes[4] = 50000000;
    judged(&m, 0);
    *s = good;
    s->samples = 31;
    judged(&m, 0);
    *s = good;
    judged(&m, 1);
    made_finish(&m);
}

/* A buffer that grew to 480 kB by one element each time. */
static struct model_heap_site *made_creep(struct made *m)
{
    MADE_HEAP(m, .stack = 9, .samples = 20000, .blocks = 60000, .bytes = 14000000000,
              .freed_blocks = 59999, .freed_bytes = 13999000000, .peak_bytes = 2000000,
              .size_min = 4000, .size_max = 480000, .rises = 19000, .beside = 6000, .jumps = 20,
              .first_ns = 100 * MS, .last_ns = 1100 * MS);
    return &m->p.heap_sites[m->p.nheap_sites - 1];
}

static void test_small_steps(void **state)
{
    (void)state;
    struct made m = made_process();
    struct model_heap_site *s = made_creep(&m), good = *s;
    judged(&m, 1);
    const struct finding *f = m.found.items[0];
    assert_int_equal(made_stack(f, "allocated at"), 9);
    assert_true(f->costs[0].amount == 14e9 && strcmp(f->costs[0].unit, "bytes") == 0);
    /* Each of these alone makes it right. */
    s->rises = 99;
    s->jumps = 0;
    judged(&m, 0);
    *s = good;
    s->beside = 15; /* each was given back before the next was had */
    judged(&m, 0);
    *s = good;
    s->jumps = 2000; /* sizes that vary */
    judged(&m, 0);
    *s = good;
    s->bytes = 900000000;
    judged(&m, 0);
    *s = good;
    s->peak_bytes = 2000000000; /* they are kept */
    judged(&m, 0);
    *s = good;
    judged(&m, 1);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_what_is_right),
        cmocka_unit_test(test_small_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
