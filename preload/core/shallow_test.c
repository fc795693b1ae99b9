/* shallow_test.c - the nearest frames, found by their return addresses wherever the call is. */
#include "preload/core/shallow.h"

#include "preload/core/made_record.h"

#define PLACE 0x1000

/* A stack by hand: the return addresses of a call at `sp` lie 2, 5 and 6 words from it. */
static uintptr_t words[64];
static const unsigned lies_at[] = {0, 2, 5, 6};

static struct pl_call call_at(unsigned sp, uintptr_t one, uintptr_t two, uintptr_t three)
{
    memset(words, 0x55, sizeof words);
    words[sp + lies_at[1]] = one;
    words[sp + lies_at[2]] = two;
    words[sp + lies_at[3]] = three;
    return (struct pl_call){PLACE, (uintptr_t)&words[sp], 0};
}

static void add(const struct pl_self *self, struct pl_call call, uint32_t id, unsigned frames)
{
    uintptr_t pcs[PL_SHALLOW_FRAMES] = {call.pc}, slots[PL_SHALLOW_FRAMES] = {0};
    for (unsigned i = 1; i < frames; i++) {
        slots[i] = call.sp + lies_at[i] * sizeof(uintptr_t);
        pcs[i] = *(uintptr_t *)slots[i];
    }
    struct pl_walk walk = {.pcs = pcs, .slots = slots, .n = frames, .max = PL_SHALLOW_FRAMES};
    pl_shallow_add(self, call, &walk, id);
}

static struct pl_self *begin(void)
{
    uint32_t uses;
    struct pl_self *self = pl_enter();
    self->stack_lo = (uintptr_t)words;
    self->stack_hi = (uintptr_t)(words + sizeof words / sizeof words[0]);
    pl_shallow_wanted(self, PLACE, &uses);
    return self;
}

static void end(struct pl_self *self)
{
    self->stack_lo = self->stack_hi = 0;
    pl_leave(self);
}

static uint32_t find(const struct pl_self *self, struct pl_call call)
{
    return pl_shallow_find(self, call.pc, call.sp);
}

static void each_way_has_its_own(void **state)
{
    (void)state;
    struct pl_self *self = begin();
    assert_int_equal(find(self, call_at(3, 11, 12, 13)), 0);
    add(self, call_at(3, 11, 12, 13), 100, 4);
    add(self, call_at(3, 11, 12, 14), 101, 4);
    add(self, call_at(3, 21, 12, 13), 102, 4);
    assert_int_equal(find(self, call_at(3, 11, 12, 13)), 100);
    assert_int_equal(find(self, call_at(3, 11, 12, 14)), 101);
    assert_int_equal(find(self, call_at(3, 21, 12, 13)), 102);
    assert_int_equal(find(self, call_at(3, 21, 12, 14)), 0);
    assert_int_equal(find(self, call_at(40, 11, 12, 14)), 101); /* nearer to the end */
    end(self);
}

static void nothing_is_read_beyond_the_stack(void **state)
{
    (void)state;
    struct pl_self *self = begin();
    add(self, call_at(3, 31, 32, 33), 110, 4);
    assert_int_equal(find(self, call_at(57, 31, 32, 33)), 110); /* the last word is the third */
    self->stack_hi -= sizeof(uintptr_t);
    assert_int_equal(find(self, call_at(57, 31, 32, 33)), 0);
    self->stack_hi = self->stack_lo; /* nothing is known of the stack */
    assert_int_equal(find(self, call_at(3, 31, 32, 33)), 0);
    end(self);
}

static void a_stack_may_end_early(void **state)
{
    (void)state;
    struct pl_self *self = begin();
    struct pl_call call = call_at(3, 41, 0, 0);
    call.pc = PLACE + 1;
    add(self, call, 120, 2);
    assert_int_equal(find(self, call), 120);
    const struct pl_shallow_leaf *leaf = pl_shallow_leaf(self, 120);
    assert_non_null(leaf);
    assert_true(leaf->n == 2 && leaf->frames[0] == PLACE + 1 && leaf->frames[1] == 41);
    assert_int_equal(leaf->reach, 2 * sizeof(uintptr_t));
    assert_null(pl_shallow_leaf(self, 121));
    assert_null(pl_shallow_leaf(self, 0));
    end(self);
}

static void a_place_has_to_be_walked_often(void **state)
{
    (void)state;
    struct pl_self *self = begin();
    const struct pl_call call = call_at(3, 51, 52, 53);
    uint32_t uses = 0, told = 0;
    unsigned walks = 0;
    add(self, call, 130, 4);
    assert_int_equal(pl_shallow_use(self, call.pc, call.sp), 0);
    while (!pl_shallow_wanted(self, PLACE, &uses))
        walks++;
    assert_in_range(walks, 8, 16);
    while (pl_shallow_use(self, call.pc, call.sp) == 130)
        told++;
    assert_in_range(told, 10, 1000);
    assert_true(pl_shallow_wanted(self, PLACE, &uses)); /* one is looked at more closely */
    assert_int_equal(uses, told);
    assert_int_equal(pl_shallow_use(self, call.pc, call.sp), 130);
    end(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_has_its_own),
        cmocka_unit_test(nothing_is_read_beyond_the_stack),
        cmocka_unit_test(a_stack_may_end_early),
        cmocka_unit_test(a_place_has_to_be_walked_often),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
