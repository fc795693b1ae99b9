/*
 * heap_record_test.c - what the record says of the program's blocks, with each looked at and with
 * samples: LOITER_OPTIONS says which. Places are known by the sizes that they ask for.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/tests/record_help.h"

#define CHURN_SIZE   16384u
#define CHURN_BLOCKS 65536u
#define KEPT_SIZE    65504u
#define KEPT_BLOCKS  4096u
#define SLOW_SIZE    (UINT64_C(1) << 20)
#define SLOW_BLOCKS  16u
#define ALIAS_SIZE   100001u /* and up, one for each name */
#define ALIASES      9u
#define MOVED_FROM   4000u
#define MOVED_TO     300007u
#define STEPS        40u /* blocks of a row, each larger by a little than the one before */
#define STEP         16u
#define COPIED_FROM  70001u
#define AFTER_FROM   80001u
#define LARGER_FROM  90001u

/* ---- the program ---- */

static void *volatile kept[KEPT_BLOCKS + ALIASES + 1];
static volatile size_t huge = SIZE_MAX / 2;

static void churn(void)
{
    for (unsigned i = 0; i < CHURN_BLOCKS; i++) {
        void *volatile block = malloc(CHURN_SIZE);
        free(block);
    }
}

static void keep(void)
{
    for (unsigned i = 0; i < KEPT_BLOCKS; i++)
        kept[i] = malloc(KEPT_SIZE);
}

static void slow(void)
{
    struct timespec a_while = {0, 3000000};
    for (unsigned i = 0; i < SLOW_BLOCKS; i++) {
        void *volatile block = malloc(SLOW_SIZE);
        nanosleep(&a_while, NULL);
        free(block);
    }
}

static int aliases(void)
{
    void *volatile *to = &kept[KEPT_BLOCKS];
    void *aligned = NULL;
    to[0] = malloc(ALIAS_SIZE);
    to[1] = calloc(1, ALIAS_SIZE + 1);
    to[2] = realloc(NULL, ALIAS_SIZE + 2);
    to[3] = reallocarray(NULL, 1, ALIAS_SIZE + 3);
    int bad = posix_memalign(&aligned, 64, ALIAS_SIZE + 4);
    to[4] = aligned;
    to[5] = aligned_alloc(64, ALIAS_SIZE + 5);
    to[6] = memalign(64, ALIAS_SIZE + 6);
    to[7] = valloc(ALIAS_SIZE + 7);
    to[8] = pvalloc(ALIAS_SIZE + 8);
    return bad;
}

/* A block that moves ends and another begins; one that cannot, stays. */
static int moved(void)
{
    void *volatile block = malloc(MOVED_FROM);
    void *volatile none = realloc(block, huge);
    kept[KEPT_BLOCKS + ALIASES] = realloc(block, MOVED_TO);
    return none != NULL;
}

/* Copied into a larger block; given back before a larger one is had. */
static void steps(size_t from, int copied)
{
    void *volatile block = NULL;
    for (unsigned i = 0; i < STEPS; i++) {
        void *volatile before = block;
        if (!copied)
            free(before);
        block = malloc(from + i * STEP);
        if (copied)
            free(before);
    }
    free(block);
}

/* Two in turn: there is always another one of about that size. */
static void larger(void)
{
    void *volatile blocks[2] = {malloc(1), malloc(1)};
    for (unsigned i = 0; i < 2 * STEPS; i++)
        blocks[i % 2] = realloc(blocks[i % 2], LARGER_FROM + i * STEP);
    free(blocks[0]);
    free(blocks[1]);
}

static int program(void)
{
    churn();
    keep();
    slow();
    steps(COPIED_FROM, 1);
    steps(AFTER_FROM, 0);
    larger();
    return aliases() | moved();
}

/* ---- the test ---- */

static struct el_heap_site cells[256];
static size_t n_cells;
static struct el_site calls;

static int full(void)
{
    const char *options = getenv("LOITER_OPTIONS");
    return options != NULL && strstr(options, "heap=2") != NULL;
}

static void on_cell(const struct el_record *record)
{
    const struct el_heap_site *cell = &record->any.heap_site;
    if (record->info->id == EL_ID_heap_site && cell->state != EL_FREE && n_cells < 256)
        cells[n_cells++] = *cell;
    if (record->info->id == EL_ID_site && record->any.site.kind == EL_SITE_ALLOC)
        calls = record->any.site;
}

static int setup(void **state)
{
    (void)state;
    char out[16];
    if (record_prepare() != 0 || record_run(out, sizeof out) != 0)
        return -1;
    return record_read(on_cell, NULL) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return record_remove();
}

static const struct el_heap_site *site_of(uint64_t size)
{
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].size_min == size && cells[i].size_max == size)
            return &cells[i];
    return NULL;
}

/* Exact, or within a quarter: some eight deviations of the number of samples here. */
static void assert_about(uint64_t value, uint64_t expected)
{
    uint64_t slack = full() ? 0 : expected / 4;
    assert_in_range(value, expected - slack, expected + slack);
}

static void short_lives(void **state)
{
    (void)state;
    const struct el_heap_site *site = site_of(CHURN_SIZE);
    assert_non_null(site);
    assert_about(site->blocks, CHURN_BLOCKS);
    assert_about(site->bytes, (uint64_t)CHURN_BLOCKS * CHURN_SIZE);
    assert_int_equal(site->freed_blocks, site->blocks);
    assert_int_equal(site->freed_bytes, site->bytes);
    uint64_t brief = site->life_bytes[0] + site->life_bytes[1] + site->life_bytes[2];
    assert_in_range(brief, site->bytes / 10 * 9, site->bytes);
    if (full())
        assert_int_equal(site->peak_bytes, CHURN_SIZE);
}

static void long_lives(void **state)
{
    (void)state;
    const struct el_heap_site *site = site_of(KEPT_SIZE);
    assert_non_null(site);
    assert_about(site->blocks, KEPT_BLOCKS);
    assert_about(site->bytes, (uint64_t)KEPT_BLOCKS * KEPT_SIZE);
    assert_int_equal(site->freed_blocks, 0);
    assert_int_equal(site->peak_bytes, site->bytes);
    site = site_of(SLOW_SIZE);
    assert_non_null(site);
    if (full())
        assert_int_equal(site->blocks, SLOW_BLOCKS);
    assert_int_equal(site->life_bytes[0] + site->life_bytes[1] + site->life_bytes[2], 0);
    assert_int_equal(site->life_bytes[3] + site->life_bytes[4] + site->life_bytes[5],
                     site->freed_bytes);
}

static void each_name(void **state)
{
    (void)state;
    for (unsigned i = 0; full() && i < ALIASES; i++) {
        const struct el_heap_site *site = site_of(ALIAS_SIZE + i);
        assert_non_null(site);
        assert_int_equal(site->blocks, 1);
        assert_int_equal(site->freed_blocks, 0);
    }
}

static void moves(void **state)
{
    (void)state;
    if (!full())
        return;
    const struct el_heap_site *from = site_of(MOVED_FROM), *to = site_of(MOVED_TO);
    assert_non_null(from);
    assert_non_null(to);
    assert_int_equal(from->freed_blocks, 1);
    assert_int_equal(to->freed_blocks, 0);
}

static const struct el_heap_site *row_from(uint64_t size)
{
    for (size_t i = 0; i < n_cells; i++)
        if (cells[i].size_min == size && cells[i].size_max > size)
            return &cells[i];
    return NULL;
}

static void grow_by_steps(void **state)
{
    (void)state;
    if (!full())
        return;
    const struct el_heap_site *copied = row_from(COPIED_FROM), *after = row_from(AFTER_FROM);
    const struct el_heap_site *enlarged = row_from(LARGER_FROM);
    assert_non_null(copied);
    assert_non_null(after);
    assert_non_null(enlarged);
    assert_int_equal(copied->rises, STEPS - 1);
    assert_int_equal(copied->beside, STEPS - 1);
    assert_int_equal(after->rises, STEPS - 1);
    assert_int_equal(after->beside, 0);
    assert_int_equal(copied->jumps + after->jumps, 0);
    assert_int_equal(enlarged->blocks, 2 * STEPS);
    assert_int_equal(enlarged->rises, 0);
    const struct el_heap_site *slow_one = site_of(SLOW_SIZE); /* of one size */
    assert_int_equal(slow_one->rises + slow_one->jumps, 0);
}

static void totals(void **state)
{
    (void)state;
    uint64_t bytes = (uint64_t)CHURN_BLOCKS * CHURN_SIZE + (uint64_t)KEPT_BLOCKS * KEPT_SIZE;
    assert_in_range(calls.count, CHURN_BLOCKS + KEPT_BLOCKS, CHURN_BLOCKS + KEPT_BLOCKS + 1000);
    assert_in_range(calls.bytes, bytes, bytes + (64 << 20));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_lives), cmocka_unit_test(long_lives),    cmocka_unit_test(each_name),
        cmocka_unit_test(moves),       cmocka_unit_test(grow_by_steps), cmocka_unit_test(totals),
    };
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    return cmocka_run_group_tests(tests, setup, teardown);
}
