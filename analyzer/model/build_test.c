/* build_test.c - events and cells become things; damage and floods do not become memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/build.h"

#define HZ 2000000000u /* two ticks a nanosecond */

struct fixture {
    struct model_process p;
    struct model_builder b;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){0};
    model_builder_init(&f->b, &f->p, HZ);
}

#define EVENT(f, at_ns, name, ...)                                                                 \
    model_builder_event(&(f)->b, 2 * (uint64_t)(at_ns), EL_ID_##name,                              \
                        &(union el_any){.name = {__VA_ARGS__}})
#define CELL(f, name, ...)                                                                         \
    model_builder_cell(&(f)->b, EL_ID_##name, &(union el_any){.name = {__VA_ARGS__}})

static void test_process(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 1, process, .pid = 10, .ppid = 9, .cpus = 4, .realtime_ns = 1000, .at = 200,
          .command = "prog a b");
    EVENT(&f, 2, module, .lo = 0x1000, .hi = 0x2000, .bias = 0x1000, .text = "abcd /bin/prog one");
    EVENT(&f, 3, module, .lo = 0x3000, .hi = 0x4000, .text = "- /lib/x.so");
    EVENT(&f, 3, module, .lo = 0x5000, .hi = 0x4000, .text = "- /lib/bad.so");
    EVENT(&f, 4, mark, .text = "test 1");
    EVENT(&f, 4, fork, .child = 11);
    EVENT(&f, 4, option, .text = "follow=0");
    EVENT(&f, 5, module_gone, .lo = 0x3000);
    EVENT(&f, 6, exec, .path = "/none");
    EVENT(&f, 7, exec_failed, .error = 2);
    EVENT(&f, 9, exit, .how = EL_EXIT_NOW, .status = 3, .actor = 2);
    CELL(&f, summary, .state = EL_RECORD_ENDED, .heartbeat = 24, .lost_full = 2, .lost_late = 3,
         .lost_cells = 1, .threads = 5, .workers = 8);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.pid, 10);
    assert_string_equal(f.p.command, "prog a b");
    assert_true(f.p.realtime_ns == 900);
    assert_int_equal(f.p.nmodules, 2);
    assert_string_equal(f.p.modules[0].path, "/bin/prog one");
    assert_string_equal(f.p.modules[0].build_id, "abcd");
    assert_true(f.p.modules[0].until_ns == UINT64_MAX);
    assert_null(f.p.modules[1].build_id);
    assert_true(f.p.modules[1].from_ns == 3 && f.p.modules[1].until_ns == 5);
    assert_true(f.b.rejected == 1);
    assert_false(f.p.replaced);
    assert_true(f.p.exited && f.p.exit_status == 3 && f.p.exit_how == EL_EXIT_NOW);
    assert_true(f.p.end_ns == 12 && f.p.events == 11);
    assert_true(f.p.alone && f.p.nchildren == 1 && f.p.children[0] == 11);
    assert_true(f.p.lost == 5 && f.p.lost_cells == 1 && f.p.workers == 8);
    assert_string_equal(model_find_mark(&f.p, 6), "test 1");
    model_process_finish(&f.p);
}

static void test_stacks(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    const uint64_t frames[] = {0x11, 0x22, 0x33};
    EVENT(&f, 1, stack, .stack = 3000, .frames_count = 3, .frames = frames);
    EVENT(&f, 1, stack, .stack = 1, .flags = EL_STACK_TRUNCATED, .frames_count = 0);
    EVENT(&f, 1, stack, .stack = 4000000000u, .frames_count = 3, .frames = frames);
    EVENT(&f, 1, stack, .stack = 1, .frames_count = 3, .frames = frames);
    EVENT(&f, 1, stack, .stack = 0, .frames_count = 3, .frames = frames);
    model_builder_finish(&f.b);
    assert_int_equal(model_find_stack(&f.p, 3000)->depth, 3);
    assert_true(model_find_stack(&f.p, 3000)->frames[2] == 0x33);
    assert_true(model_find_stack(&f.p, 1)->truncated);
    assert_int_equal(model_find_stack(&f.p, 1)->depth, 0);
    assert_null(model_find_stack(&f.p, 2));
    assert_null(model_find_stack(&f.p, 4000000000u));
    assert_true(f.b.rejected == 3);
    assert_true(f.p.nstacks < 10000);
    model_process_finish(&f.p);
}

static void test_actors(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 1, thread_begin, .thread = 1, .tid = 100, .flags = EL_ACTOR_MAIN);
    EVENT(&f, 2, thread_begin, .thread = 2, .tid = 101, .creator = 1, .created_stack = 7);
    EVENT(&f, 3, thread_begin, .thread = 3, .tid = 102, .creator = 1);
    EVENT(&f, 8, thread_end, .thread = 2, .how = EL_END_EXIT);
    CELL(&f, actor, .state = EL_ACTOR_WAITING, .actor = 3, .wait_kind = EL_WAIT_COND,
         .wait_stack = 4, .object = 0x99, .since = 10, .creator = 1, .created_at = 6);
    CELL(&f, actor, .state = EL_ACTOR_FREE, .actor = 77);
    CELL(&f, actor, .state = 99, .actor = 78);
    CELL(&f, actor, .state = EL_ACTOR_ABANDONED, .actor = EL_ACTOR_TASK | 1, .since = 900,
         .created_at = UINT64_MAX);
    CELL(&f, held, .state = EL_LIVE, .count = 1, .actor = 3, .lock = {0x50}, .kind = {1},
         .stack = {5});
    CELL(&f, held, .state = EL_FREE, .count = 1, .actor = 1, .lock = {0x50});
    model_builder_finish(&f.b);
    assert_int_equal(f.p.nactors, 4);
    const struct model_actor *ended = model_find_actor(&f.p, 2);
    assert_true(ended->state == EL_ACTOR_ENDED && ended->ended_ns == 8);
    assert_int_equal(ended->ended_how, EL_END_EXIT);
    assert_int_equal(ended->created_stack, 7);
    const struct model_actor *waiting = model_find_actor(&f.p, 3);
    assert_true(waiting->state == EL_ACTOR_WAITING && waiting->since_ns == 5);
    assert_ptr_equal(model_find_holder(&f.p, 0x50), waiting);
    assert_int_equal(waiting->held->locks[0].stack, 5);
    /* The process lived until the last time that a cell knows, and no time lies after it. */
    const struct model_actor *task = model_find_actor(&f.p, EL_ACTOR_TASK | 1);
    assert_true(f.p.end_ns == 450 && task->since_ns == 450 && task->created_ns <= 450);
    model_process_finish(&f.p);
}

/* A program that makes and ends threads without end costs what lives, and a constant. */
static void test_many_threads(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 0, thread_begin, .thread = 1);
    for (uint32_t i = 2; i < 200000; i++) {
        EVENT(&f, i, thread_begin, .thread = i, .creator = 1);
        if (i != 5)
            EVENT(&f, i, thread_end, .thread = i);
    }
    assert_true(f.b.actors.size <= 65536);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.nactors, MODEL_ENDED_MOST + 2);
    assert_non_null(model_find_actor(&f.p, 1));
    assert_true(model_find_actor(&f.p, 5)->state == EL_ACTOR_RUNNING);
    assert_null(model_find_actor(&f.p, 1000));
    assert_true(model_find_actor(&f.p, 199999)->state == EL_ACTOR_ENDED);
    model_process_finish(&f.p);
}

static void test_waits(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (uint64_t i = 0; i < 1000; i++)
        EVENT(&f, 10 + i, wait, .kind = EL_WAIT_MUTEX, .stack = 1, .object = 0x1000 + 8 * i,
              .began = 2 * i, .ended = 2 * i + 20);
    EVENT(&f, 2000, wait, .kind = EL_WAIT_MUTEX, .stack = 1, .object = 0x1000, .began = 0,
          .ended = 200, .io_ticks = 2000);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.nwaits, MODEL_OBJECTS_MOST + 1);
    uint64_t count = 0, total = 0;
    for (size_t i = 0; i < f.p.nwaits; i++) {
        count += f.p.waits[i].count;
        total += f.p.waits[i].total_ns;
        if (f.p.waits[i].object == 0x1000) {
            assert_true(f.p.waits[i].count == 2 && f.p.waits[i].max_ns == 100);
            assert_true(f.p.waits[i].io_ns == 100); /* not more than the wait */
        }
    }
    assert_true(count == 1001 && total == 1000 * 10 + 100);
    model_process_finish(&f.p);
}

static void test_lock_io(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 200, lock_io, .actor = 2, .lock = 0x50, .lock_kind = EL_WAIT_MUTEX,
          .io_kind = EL_WAIT_READ, .acquired_stack = 1, .io_stack = 2, .began = 200, .ended = 400);
    EVENT(&f, 300, lock_io, .actor = 2, .lock = 0x50, .lock_kind = EL_WAIT_MUTEX,
          .io_kind = EL_WAIT_FSYNC, .acquired_stack = 1, .io_stack = 3, .began = 500, .ended = 600);
    /* Waits from 150 to 310: 50 ns of the first call, 50 of the second. */
    EVENT(&f, 310, wait, .actor = 3, .kind = EL_WAIT_MUTEX, .stack = 9, .object = 0x50,
          .began = 300, .ended = 620, .io_ticks = 200);
    /* Another lock: nothing to do with it. */
    EVENT(&f, 310, wait, .actor = 4, .kind = EL_WAIT_MUTEX, .stack = 9, .object = 0x60,
          .began = 300, .ended = 620, .io_ticks = 200);
    CELL(&f, site, .state = EL_LIVE, .kind = EL_SITE_LOCK_IO, .stack = 2, .stack2 = 1, .count = 50,
         .ticks = 10000, .ticks_max = 400, .first_at = 100, .last_at = 5000);
    CELL(&f, site, .state = EL_LIVE, .kind = EL_SITE_LOCK_IO, .stack = 8, .stack2 = 7, .count = 1,
         .ticks = 10, .ticks_max = 10, .first_at = 100, .last_at = 5000);
    CELL(&f, object, .state = EL_LIVE, .object = 0x50, .kind = EL_OBJ_MUTEX, .wait_io_ticks = 1000);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.nlock_ios, 3);
    const struct model_lock_io *read = &f.p.lock_ios[0], *sync = &f.p.lock_ios[1];
    assert_true(read->io_kind == EL_WAIT_READ && read->count == 50 && read->total_ns == 5000);
    assert_true(read->max_ns == 200 && read->waiters == 1 && read->waited_ns == 50);
    assert_true(read->first_ns == 50 && read->last_ns == 2500);
    /* 500 ns in all, 100 of them seen one by one: the rest goes to the last call. */
    assert_true(sync->count == 1 && sync->waited_ns == 50 + 400);
    assert_true(f.p.lock_ios[2].acquired_stack == 7 && f.p.lock_ios[2].waited_ns == 0);
    model_process_finish(&f.p);
}

static void test_timers_sites_runs(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 1, run_begin, .run = 1, .workers = 4, .name = "weft");
    EVENT(&f, 100, run_end, .run = 1, .left = 3);
    CELL(&f, timer, .state = EL_TIMER_ARMED, .kind = EL_OBJ_TICKER, .object = 0x1,
         .period_ns = 1000, .created_at = 20, .flags = EL_TIMER_ABANDONED, .last_user = 5);
    CELL(&f, timer, .state = EL_TIMER_FREE, .kind = EL_OBJ_TICKER);
    CELL(&f, site, .state = EL_LIVE, .kind = EL_SITE_TASK, .stack = 3, .count = 9, .live = 2,
         .peak = 5, .run_peak = 4, .backpressure = 2, .backpressure_live = 3);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.ntimers, 1);
    assert_true(f.p.timers[0].created_ns == 10 && f.p.timers[0].period_ns == 1000);
    assert_true(f.p.timers[0].flags == EL_TIMER_ABANDONED && f.p.timers[0].last_user == 5);
    assert_true(f.p.nsites == 1 && f.p.sites[0].run_peak == 4 && f.p.sites[0].peak == 5);
    assert_true(model_find_run(&f.p, 1)->end_ns == 100 && f.p.workers == 4);
    model_process_finish(&f.p);
}

/* A process of 100 s, with options and control events. */
static uint64_t recorded_s(const char *const *options, const uint64_t (*words)[2], size_t n)
{
    struct fixture f;
    const uint64_t second = 1000000000;
    begin(&f);
    for (; *options; options++)
        EVENT(&f, 0, option, .text = *options);
    for (size_t i = 0; i < n; i++)
        EVENT(&f, words[i][0] * second, recording, .word = (uint32_t)words[i][1]);
    EVENT(&f, 100 * second, exit, .how = EL_EXIT_NOW);
    model_builder_finish(&f.b);
    uint64_t ns = f.p.recorded_ns;
    model_process_finish(&f.p);
    return ns / second;
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define WORDS(...)                                                                                 \
    ((const uint64_t[][2]){__VA_ARGS__}), sizeof((const uint64_t[][2]){__VA_ARGS__}) / 16

/* A search for lost blocks may take as long as the run. */
static void test_what_comes_behind_the_exit(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    EVENT(&f, 1, process, .pid = 10);
    EVENT(&f, 100, exit, .how = EL_EXIT_CALL, .actor = 1);
    EVENT(&f, 150, thread_end, .thread = 2);
    EVENT(&f, 900, mark, .text = "of the allocator");
    CELL(&f, summary, .state = EL_RECORD_ENDED, .heartbeat = 1900);
    CELL(&f, actor, .actor = 2, .state = EL_ACTOR_ENDED, .created_at = 20);
    CELL(&f, actor, .actor = 3, .state = EL_ACTOR_WAITING, .created_at = 20, .since = 400);
    model_builder_finish(&f.b);
    assert_int_equal(f.p.end_ns, 100);
    assert_int_equal(model_find_actor(&f.p, 2)->ended_ns, 100);
    assert_int_equal(model_find_actor(&f.p, 3)->since_ns, 100);
    model_process_finish(&f.p);
}

static void test_recorded_time(void **state)
{
    (void)state;
    assert_int_equal(recorded_s(OPTIONS("depth=3"), NULL, 0), 100);
    assert_int_equal(recorded_s(OPTIONS("delay_ms=30000"), NULL, 0), 70);
    assert_int_equal(recorded_s(OPTIONS("delay_ms=30000", "window_ms=20000"), NULL, 0), 20);
    assert_int_equal(recorded_s(OPTIONS("delay_ms=200000"), NULL, 0), 0);
    assert_int_equal(recorded_s(OPTIONS("sample_on_ms=1000", "sample_every_ms=10000"), NULL, 0),
                     10);
    assert_int_equal(recorded_s(OPTIONS("sample_on_ms=1000", "sample_every_ms=10000",
                                        "delay_ms=5000", "window_ms=51000"),
                                NULL, 0),
                     6);
    assert_int_equal(recorded_s(OPTIONS(), WORDS({10, EL_CONTROL_STOP}, {30, EL_CONTROL_START})),
                     80);
    assert_int_equal(
        recorded_s(OPTIONS("delay_ms=50000"), WORDS({10, EL_CONTROL_START}, {20, EL_CONTROL_NONE})),
        60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_actors),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_lock_io),
        cmocka_unit_test(test_timers_sites_runs),
        cmocka_unit_test(test_what_comes_behind_the_exit),
        cmocka_unit_test(test_recorded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
