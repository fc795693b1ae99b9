/* batch_test.c - blocks come in order, and each, or its head, lies where the plan says. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "preload/heap/batch.h"

#define BLOCKS 3000u
#define ROOM   4096u

static struct pl_batch batch;
static struct pl_live_block stock[BLOCKS];
static uint64_t memory[BLOCKS * 16 + (PL_BATCH_GAP + 2 * PL_BATCH_HEAD) / 8];

static uint32_t next(uint32_t *random)
{
    return *random = *random * 1664525u + 1013904223u;
}

/* Blocks of 8 to 64 bytes, 64 to 128 from one to the next; the last lies far from the others, and
 * is a large one. */
static void stock_make(void)
{
    uint32_t random = 1;
    for (uint32_t i = 0; i < BLOCKS; i++) {
        uint64_t *at = &memory[i * 16 + next(&random) % 8];
        if (i == BLOCKS - 1)
            at += (PL_BATCH_GAP + 8) / 8;
        stock[i] =
            (struct pl_live_block){.start = (uintptr_t)at, .size = 8 + (next(&random) >> 8) % 57};
    }
    stock[BLOCKS - 1].size = PL_BATCH_WHOLE + 500;
}

/* Each 7th, from the back: so that neither neighbours nor order come by themselves. */
static void batch_make(uint32_t step)
{
    batch.n = 0;
    for (uint32_t i = BLOCKS; i-- > 0;)
        if (i % step == 0 || i == BLOCKS - 1)
            batch.blocks[batch.n++] = i;
    pl_batch_sort(&batch, BLOCKS);
}

static void numbers_come_in_order(void **state)
{
    (void)state;
    batch_make(7);
    assert_int_equal(batch.n, (BLOCKS + 6) / 7 + 1);
    for (size_t i = 0; i + 1 < batch.n; i++) {
        assert_true(batch.blocks[i] < batch.blocks[i + 1]);
        assert_int_equal(batch.blocks[i], i * 7);
    }
    assert_int_equal(batch.blocks[batch.n - 1], BLOCKS - 1);
}

/* As the kernel does it. */
static void parts_copy(char *to, size_t nparts, size_t bytes)
{
    size_t all = 0;
    for (size_t i = 0; i < nparts; i++) {
        memcpy(to + all, batch.parts[i].iov_base, batch.parts[i].iov_len);
        all += batch.parts[i].iov_len;
    }
    assert_int_equal(all, bytes);
}

static size_t plan_and_look(void)
{
    static char copy[ROOM];
    size_t nparts, bytes, end, all = 0;
    for (size_t i = 0; i < batch.n;) {
        end = pl_batch_plan(&batch, stock, i, ROOM, &nparts, &bytes);
        assert_true(end > i && bytes <= ROOM && nparts <= PL_BATCH_PARTS);
        parts_copy(copy, nparts, bytes);
        all += nparts;
        for (; i < end; i++) {
            const struct pl_live_block *b = &stock[batch.blocks[i]];
            assert_true(batch.at[i] + pl_batch_bytes(b) <= bytes);
            assert_memory_equal(copy + batch.at[i], (void *)(uintptr_t)b->start, pl_batch_bytes(b));
        }
    }
    return all;
}

static void each_lies_where_the_plan_says(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
        memory[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    batch_make(1);
    const size_t dense = plan_and_look();
    assert_true(dense <= BLOCKS * 128 / ROOM + 3); /* one for what was read, one for the last */
    batch_make(20);
    assert_int_equal(plan_and_look(), batch.n); /* none is near another */
    assert_int_equal(pl_batch_bytes(&stock[BLOCKS - 1]), PL_BATCH_HEAD);
    stock[BLOCKS - 1].size = PL_BATCH_WHOLE;
    assert_int_equal(pl_batch_bytes(&stock[BLOCKS - 1]), PL_BATCH_WHOLE);
    batch.n = 1;
    assert_int_equal(plan_and_look(), 1);
}

static int setup(void **state)
{
    (void)state;
    stock_make();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_in_order),
        cmocka_unit_test(each_lies_where_the_plan_says),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
