/* blocked_test.c - OS threads that are held in blocking calls: which waits count, and their peak.
 */
#include "preload/core/blocked.h"

#include "preload/core/made_record.h"

/* A plain thread that was made at `stack`. */
static struct pl_actor *thread_at(uint64_t id, uint32_t stack)
{
    struct pl_actor *thread = pl_actor_create(id);
    assert_non_null(thread);
    thread->cell->created_stack = stack;
    thread->cell->stack_bytes = 65536;
    return thread;
}

static const struct el_site *site_of(uint32_t stack)
{
    return pl_site_get(EL_SITE_BLOCKED, stack, 0)->cell;
}

static void few_threads_are_not_counted(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    struct pl_wait w = {.actor = thread_at(101, 30), .kind = EL_WAIT_READ, .stack = 31};
    atomic_store(&pl_threads_alive, PL_BLOCKED_FROM - 1);
    pl_blocked_wait_begins(self, &w);
    assert_int_equal(w.holds, 0);
    atomic_store(&pl_threads_alive, PL_BLOCKED_FROM);
    pl_blocked_wait_begins(self, &w);
    assert_int_equal(w.holds, 1);
    pl_blocked_wait_ends(&w, 0);
    pl_leave(self);
}

static void the_peak_is_of_those_held_at_once(void **state)
{
    (void)state;
    struct pl_self *self = pl_enter();
    atomic_store(&pl_threads_alive, PL_BLOCKED_FROM);
    struct pl_wait w[3];
    for (uint32_t i = 0; i < 3; i++) {
        w[i] = (struct pl_wait){.actor = thread_at(110 + i, 32),
                                .kind = i == 1 ? EL_WAIT_DNS : EL_WAIT_READ,
                                .stack = 40 + i,
                                .began = 100};
        if (i == 2) {
            pl_blocked_wait_ends(&w[0], 150);
            pl_blocked_wait_ends(&w[0], 999); /* once is enough */
        }
        pl_blocked_wait_begins(self, &w[i]);
        assert_int_equal(w[i].holds, 1);
    }
    const struct el_site *site = site_of(32);
    assert_int_equal(site->count, 3);
    assert_int_equal(site->live, 2);
    assert_int_equal(site->peak, 2);
    assert_int_equal(site->stack2, 42); /* where one of the most waited */
    assert_int_equal(site->bytes, 3 * 65536);
    pl_blocked_wait_ends(&w[1], 300);
    pl_blocked_wait_ends(&w[2], 120);
    assert_int_equal(site->live, 0);
    assert_int_equal(site->ticks, 50 + 200 + 20);
    assert_int_equal(site->ticks_max, 200);
    pl_leave(self);
}

/* Servers that have nothing to do, sleepers, tasks, and what the process's first thread waits for.
 */
static void other_waits_hold_nothing(void **state)
{
    static const uint32_t kinds[] = {EL_WAIT_ACCEPT, EL_WAIT_POLL, EL_WAIT_SLEEP, EL_WAIT_COND};
    (void)state;
    struct pl_self *self = pl_enter();
    atomic_store(&pl_threads_alive, PL_BLOCKED_FROM);
    struct pl_actor *thread = thread_at(120, 33);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct pl_wait w = {.actor = thread, .kind = kinds[i], .stack = 1};
        pl_blocked_wait_begins(self, &w);
        assert_int_equal(w.holds, 0);
    }
    struct pl_wait outer = {.actor = thread, .kind = EL_WAIT_READ};
    struct pl_wait left_out[] = {{.actor = made_task(121, 33), .kind = EL_WAIT_READ},
                                 {.actor = thread_at(122, 0), .kind = EL_WAIT_READ},
                                 {.actor = thread, .kind = EL_WAIT_READ, .outer = &outer}};
    for (size_t i = 0; i < sizeof left_out / sizeof left_out[0]; i++) {
        pl_blocked_wait_begins(self, &left_out[i]);
        assert_int_equal(left_out[i].holds, 0);
    }
    self->thread->is_worker = 1;
    pl_blocked_wait_begins(self, &outer);
    self->thread->is_worker = 0;
    assert_int_equal(outer.holds, 0);
    assert_int_equal(site_of(33)->count, 0);
    pl_leave(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_threads_are_not_counted),
        cmocka_unit_test(the_peak_is_of_those_held_at_once),
        cmocka_unit_test(other_waits_hold_nothing),
    };
    return cmocka_run_group_tests(tests, made_begin, made_end);
}
