/* live_test.c - from any address to the block it lies in. Nothing lies at these addresses: of an
 * allocator that does not tell sizes, a block reaches to the next one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "preload/heap/live.h"
#include "preload/heap/starts.h"
#include "preload/heap/view.h"

#define LEAF (UINT64_C(1) << PL_LEAF_BITS)

/* Two in one piece, one that lies over several pieces, one over leaves of which it is the only one,
 * and one behind those. */
static const uint64_t starts[] = {
    3 * LEAF + 0x5000, 3 * LEAF + 0x5040, 3 * LEAF + 0x5100, 3 * LEAF + 0x25000,
    7 * LEAF + 0x10,   7 * LEAF + 0x40,   9 * LEAF - 0x20,
};
#define BLOCKS (sizeof starts / sizeof starts[0])

static struct pl_live live;

static int never_late(void *ctx, size_t left)
{
    (void)ctx;
    (void)left;
    return 0;
}

static uint64_t block_of(uint64_t address)
{
    const struct pl_live_block *b = pl_live_find(&live, address);
    return b == NULL ? 0 : b->start;
}

static void each_address_leads_to_its_block(void **state)
{
    (void)state;
    pl_starts.off = 0; /* nothing is recorded here */
    for (size_t i = BLOCKS; i-- > 0;)
        pl_starts_add(starts[i]);
    pl_view_look_anew();
    assert_int_equal(pl_live_open(&live, never_late, NULL), 0);
    assert_int_equal(live.n, BLOCKS);
    for (size_t i = 0; i + 1 < BLOCKS; i++) {
        assert_int_equal(live.blocks[i].start, starts[i]);
        assert_int_equal(live.blocks[i].size, starts[i + 1] - starts[i]);
        for (uint64_t step = 1; step < live.blocks[i].size; step *= 2) {
            assert_int_equal(block_of(starts[i] + step - 1), starts[i]);
            assert_int_equal(block_of(starts[i + 1] - step), starts[i]);
        }
        assert_int_equal(pl_live_from(&live, starts[i]), i);
        assert_int_equal(pl_live_from(&live, starts[i] + 1), i + 1);
    }
    assert_int_equal(block_of(starts[0] - 1), 0);
    assert_int_equal(block_of(3 * LEAF), 0);
    assert_int_equal(block_of(0), 0);
    assert_int_equal(block_of(UINT64_MAX), 0);
    pl_live_close(&live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_address_leads_to_its_block)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
