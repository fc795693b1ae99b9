/* race_test.c - one resource that several make at once: when it is one, and when it only looks so.
 */
#include "preload/core/race.h"

#include "preload/core/made_record.h"

#define FAKE    7000
#define OPENERS 3

static volatile int sink;

__attribute__((noinline)) static void open_call(int fd, enum el_fd_kind kind)
{
    pl_descriptor_opened(fd, kind, PL_CALL());
    sink++;
}

static void as(struct pl_actor *actor)
{
    made_become(pl_self(), actor);
}

/* Each opens one at the place, the i-th the number FAKE + i. Gives the stack of the place. */
__attribute__((noinline)) static uint32_t all_open(struct pl_actor *openers[OPENERS],
                                                   enum el_fd_kind kind)
{
    for (volatile int i = 0; i < OPENERS; i++) {
        as(openers[i]);
        open_call(FAKE + i, kind);
    }
    return pl_descriptors[FAKE].stack;
}

static void each_uses(struct pl_actor *openers[OPENERS], int fd, int times)
{
    for (int i = 0; i < times * OPENERS; i++) {
        as(openers[i % OPENERS]);
        pl_descriptor_used(fd);
    }
}

struct fixture {
    struct pl_actor *openers[OPENERS], *before;
};

static struct fixture fixture_make(uint64_t first)
{
    struct fixture f;
    struct pl_self *self = pl_enter();
    for (uint64_t i = 0; i < OPENERS; i++)
        f.openers[i] = made_task(first + i, 1);
    f.before = self->actor;
    pl_leave(self);
    return f;
}

/* What is found by the end, of the place; NULL when it was no race. */
static const struct el_outcome *found_at(const struct fixture *f, uint32_t stack)
{
    pl_races_at_end();
    for (int i = 0; i < OPENERS; i++)
        pl_descriptor_closing(FAKE + i, 0);
    as(f->before);
    const struct pl_outcome *found = pl_outcome_find(EL_OBJ_ONCE, stack);
    return found == NULL ? NULL : found->cell;
}

/* All go on with the last one's. */
static void those_that_are_forgotten_are_counted(void **state)
{
    (void)state;
    struct fixture f = fixture_make(1);
    uint32_t stack = all_open(f.openers, EL_FD_FILE);
    each_uses(f.openers, FAKE + 2, 2);
    pl_descriptor_closing(FAKE, 0);
    const struct el_outcome *found = found_at(&f, stack);
    assert_non_null(found);
    assert_int_equal(found->made, 3);
    assert_int_equal(found->lost, 2);
    assert_int_equal(found->gone, 1);
}

static void one_s_own_is_no_race(void **state)
{
    (void)state;
    struct fixture f = fixture_make(10);
    uint32_t stack = all_open(f.openers, EL_FD_FILE);
    for (int round = 0; round < 40; round++)
        for (int i = 0; i < OPENERS; i++) {
            as(f.openers[i]);
            pl_descriptor_used(FAKE + i);
        }
    assert_null(found_at(&f, stack));
}

static void a_pool_takes_each_up_again(void **state)
{
    (void)state;
    struct fixture f = fixture_make(20);
    uint32_t stack = all_open(f.openers, EL_FD_FILE);
    each_uses(f.openers, FAKE + 2, 3);
    as(f.openers[2]);
    pl_descriptor_used(FAKE);
    assert_null(found_at(&f, stack));
}

/* One after the other: when the second opens, the first is shared already. */
static void who_opens_after_the_first_use_is_no_member(void **state)
{
    (void)state;
    struct fixture f = fixture_make(30);
    uint32_t stack = all_open(f.openers, EL_FD_FILE);
    as(f.openers[1]);
    pl_descriptor_used(FAKE);
    as(f.openers[2]);
    open_call(FAKE + 3, EL_FD_FILE);
    each_uses(f.openers, FAKE + 3, 3); /* not one of those that were opened at once */
    const struct el_outcome *found = found_at(&f, stack);
    pl_descriptor_closing(FAKE + 3, 0);
    assert_null(found);
}

static void what_is_one_s_own_by_nature_is_left_out(void **state)
{
    (void)state;
    struct fixture f = fixture_make(40);
    uint32_t stack = all_open(f.openers, EL_FD_ACCEPTED);
    each_uses(f.openers, FAKE + 2, 3);
    assert_null(pl_descriptors[FAKE].place->race);
    assert_null(found_at(&f, stack));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_that_are_forgotten_are_counted),
        cmocka_unit_test(one_s_own_is_no_race),
        cmocka_unit_test(a_pool_takes_each_up_again),
        cmocka_unit_test(who_opens_after_the_first_use_is_no_member),
        cmocka_unit_test(what_is_one_s_own_by_nature_is_left_out),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
