/* leaks_test.c - leaked tasks and threads: what is one, what only looks like one, who is to blame.
 */
#include "analyzer/rules/made_model.h"

#define HEAP   0x7f0000001000u
#define STATIC 0x404000u

static const struct finding *only(struct made *m, const char *rule, enum severity severity)
{
    assert_int_equal(made_judge(m, rule), 1);
    assert_int_equal(m->found.items[0]->severity, severity);
    return m->found.items[0];
}

static void silent(struct made *m)
{
    assert_int_equal(made_judge(m, "leaked-task"), 0);
    assert_int_equal(made_judge(m, "leaked-thread"), 0);
}

/* The run's main task, number 1, is gone: it returned. */
static struct made made_run(void)
{
    struct made m = made_process();
    MADE_RUN(&m, .run = 1, .workers = 4, .begin_ns = 1, .end_ns = 10000 * MS);
    return m;
}

static void test_senders_without_receiver(void **state)
{
    (void)state;
    struct made m = made_run();
    for (uint64_t i = 0; i < 12; i++) {
        made_waiter(&m, TASK(10 + i), EL_WAIT_CHAN_SEND, HEAP + 64 * i, 100 * i, 100 * i + 50);
        MADE_OBJECT(&m, .address = HEAP + 64 * i, .kind = EL_OBJ_CHAN, .state = EL_LIVE,
                    .storage = EL_STORAGE_HEAP, .creator = TASK(1), .created_stack = 30);
    }
    const struct finding *f = only(&m, "leaked-task", SEVERITY_ERROR);
    assert_string_equal(f->title, "12 tasks wait for ever to send on a channel");
    assert_int_equal(f->count, 12);
    assert_int_equal(made_stack(f, "blocked at"), 20);
    assert_int_equal(made_stack(f, "created at"), 10);
    assert_int_equal(made_stack(f, "object made at"), 30);
    assert_true(f->growth_per_s > 9.9 && f->growth_per_s < 10.1);
    assert_true(f->costs[0].amount == 12 && strcmp(f->costs[0].unit, "tasks") == 0);
    assert_true(f->costs[1].amount == 12 * 65536);
    assert_int_equal(made_judge(&m, "leaked-thread"), 0);
    made_finish(&m);
}

static void test_what_they_call_themselves(void **state)
{
    (void)state;
    struct made m = made_run();
    for (uint64_t i = 0; i < 8; i++) {
        made_waiter(&m, TASK(10 + i), EL_WAIT_CHAN_RECV, HEAP + 64 * i, 100 * i, 100 * i + 50);
        MADE(&m, nameds, nnameds, .actor = TASK(10 + i), .name = "mailer", .labels = "request=17");
    }
    m.p.nameds[0].labels[0] = '\0';
    m.p.nameds[2].name[0] = '\0';
    const struct finding *f = only(&m, "leaked-task", SEVERITY_ERROR);
    assert_string_equal(made_evidence(f, "named"), "task 10 \"mailer\"");
    assert_int_equal(f->evidence[f->nevidence - 6].text[0], 't');
    assert_string_equal(f->evidence[f->nevidence - 5].text, "task 11 \"mailer\" {request=17}");
    assert_string_equal(f->evidence[f->nevidence - 4].text, "task 12 {request=17}");
    assert_string_equal(f->evidence[f->nevidence - 1].text, "and 3 more");
    made_finish(&m);
}

/* A pool that the main task has served and could serve again. */
static void test_parked_pool_of_tasks(void **state)
{
    (void)state;
    struct made m = made_run();
    for (uint64_t i = 0; i < 4; i++)
        made_waiter(&m, TASK(10 + i), EL_WAIT_CHAN_RECV, HEAP, 0, 9000);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_CHAN, .state = EL_LIVE, .creator = TASK(1),
                .last_waker = TASK(1), .wakes = 200, .storage = EL_STORAGE_HEAP);
    silent(&m);
    /* Served by short requests, which have ended since: the next one would serve them. */
    m.p.objects[0].last_waker = TASK(5);
    only(&m, "leaked-task", SEVERITY_NOTE);
    /* Whoever made the queue is gone too: nobody can bring the next. */
    m.p.objects[0].creator = TASK(5);
    const struct finding *f = only(&m, "leaked-task", SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_non_null(strstr(made_evidence(f, "peer"), "task 5 woke it last"));
    assert_non_null(strstr(made_evidence(f, "peer"), "has ended"));
    made_finish(&m);
}

/* Readers of one answer after the other, each left when its producer was done with it. */
static void test_served_and_left_one_by_one(void **state)
{
    (void)state;
    struct made m = made_run();
    for (uint64_t i = 0; i < 8; i++) {
        made_waiter(&m, TASK(10 + i), EL_WAIT_CHAN_RECV, HEAP + 64 * i, 100 * i, 100 * i + 50);
        MADE_OBJECT(&m, .address = HEAP + 64 * i, .kind = EL_OBJ_CHAN, .state = EL_LIVE,
                    .creator = TASK(1), .last_waker = TASK(1), .wakes = 20,
                    .storage = EL_STORAGE_HEAP);
    }
    const struct finding *f = only(&m, "leaked-task", SEVERITY_ERROR);
    assert_int_equal(f->count, 8);
    assert_non_null(strstr(made_evidence(f, "growth"), "left behind"));
    /* Workers with a queue each: made first, served until the end. */
    for (size_t i = 0; i < m.p.nactors; i++)
        m.p.actors[i].since_ns = 9000 * MS;
    silent(&m);
    made_finish(&m);
}

/* Threads that were served once each, by one that lives: few are services that were tried. */
static void test_threads_left_one_by_one(void **state)
{
    (void)state;
    for (uint64_t n = 9; n <= 10; n++) {
        struct made m = made_process();
        for (uint64_t i = 0; i < n; i++) {
            made_waiter(&m, 10 + i, EL_WAIT_COND, HEAP + 64 * i, 500 * i, 500 * i + 50);
            MADE_OBJECT(&m, .address = HEAP + 64 * i, .kind = EL_OBJ_COND, .state = EL_LIVE,
                        .creator = 1, .last_waker = 1, .wakes = 1, .storage = EL_STORAGE_HEAP);
        }
        only(&m, "leaked-thread", n < 10 ? SEVERITY_NOTE : SEVERITY_ERROR);
        /* Each had its job before it came to wait, and says itself that it is done. */
        for (size_t i = 0; i < n; i++) {
            m.p.objects[i].wakes = 2;
            m.p.objects[i].last_waker = 10 + i;
        }
        only(&m, "leaked-thread", n < 10 ? SEVERITY_NOTE : SEVERITY_WARNING);
        made_finish(&m);
    }
}

/* A signal that came too early: nobody asks the service, but who joins it waits as well. */
static void test_joined_in_vain(void **state)
{
    (void)state;
    struct made m = made_killed();
    m.p.actors[0].state = EL_ACTOR_WAITING;
    m.p.actors[0].wait_kind = EL_WAIT_JOIN;
    m.p.actors[0].object = 2;
    made_waiter(&m, 2, EL_WAIT_COND, STATIC, 10, 20);
    MADE_OBJECT(&m, .address = STATIC, .kind = EL_OBJ_COND, .state = EL_LIVE,
                .storage = EL_STORAGE_STATIC);
    only(&m, "leaked-thread", SEVERITY_ERROR);
    m.p.actors[0].object = 3; /* another one */
    silent(&m);
    m.p.actors[0].object = 2;
    MADE_ACTOR(&m, .id = 3, .state = EL_ACTOR_RUNNING, .has_cell = true);
    silent(&m);
    m.p.actors[2].state = EL_ACTOR_ENDED;
    m.p.actors[2].flags = EL_ACTOR_JOINED;
    m.p.exited = true;
    silent(&m);
    made_finish(&m);
}

/* Threads of a service that nobody asked yet wait on static conditions: no leak. On the heap, each
 * on its own, it is one. */
static void test_threads_that_never_got_anything(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 3; i++) {
        made_waiter(&m, 2 + i, EL_WAIT_COND, STATIC + 64 * i, 10, 11);
        MADE_OBJECT(&m, .address = STATIC + 64 * i, .kind = EL_OBJ_COND, .state = EL_LIVE,
                    .storage = EL_STORAGE_STATIC);
    }
    silent(&m);
    for (size_t i = 0; i < 3; i++)
        m.p.objects[i].storage = EL_STORAGE_HEAP;
    /* Made in one go at the start of a long run: workers with a condition each. */
    assert_int_equal(only(&m, "leaked-thread", SEVERITY_NOTE)->count, 3);
    /* By different threads, as requests are. */
    m.p.actors[2].creator = 3;
    only(&m, "leaked-thread", SEVERITY_ERROR);
    m.p.actors[2].creator = 1;
    /* Over the run. */
    for (uint64_t i = 0; i < 3; i++) {
        m.p.actors[1 + i].created_ns = (10 + 3000 * i) * MS;
        m.p.actors[1 + i].since_ns = (11 + 3000 * i) * MS;
    }
    assert_int_equal(only(&m, "leaked-thread", SEVERITY_ERROR)->count, 3);
    /* A run that ended soon after they were made tells nothing. */
    for (uint64_t i = 0; i < 3; i++)
        m.p.actors[1 + i].created_ns = (9940 + i) * MS;
    only(&m, "leaked-thread", SEVERITY_ERROR);
    /* A pool on the heap without a job. */
    for (size_t i = 0; i < m.p.nactors; i++)
        m.p.actors[i].object = STATIC;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    /* One that keeps a lock meanwhile. */
    MADE_HELD(&m, 2, STATIC + 640, EL_WAIT_MUTEX, 44);
    only(&m, "leaked-thread", SEVERITY_WARNING);
    m.p.nhelds = 0;
    m.p.actors[1].held = NULL;
    /* Parking places that the waiters made themselves, as interpreters do. */
    for (size_t i = 0; i < 3; i++) {
        m.p.objects[i].creator = 2 + i;
        m.p.actors[1 + i].object = m.p.objects[i].address;
    }
    only(&m, "leaked-thread", SEVERITY_WARNING);
    made_finish(&m);
}

/* A compressor's workers, each with a condition of its own: some came back for a second block, one
 * had its first. The program ends without joining them. */
static void test_pool_with_a_condition_each(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 3; i++) {
        made_waiter(&m, 2 + i, EL_WAIT_COND, HEAP + 64 * i, 10 * i, 9000);
        MADE_OBJECT(&m, .address = HEAP + 64 * i, .kind = EL_OBJ_COND, .state = EL_LIVE,
                    .creator = 1, .storage = EL_STORAGE_HEAP, .wakes = i == 0 ? 0 : 3,
                    .last_waker = i == 0 ? 0 : 1);
        m.p.actors[1 + i].waits_here = i == 0 ? 1 : 4;
    }
    only(&m, "leaked-thread", SEVERITY_NOTE);
    /* The workers signal it themselves when they are done; who woke them was the main thread. */
    for (size_t i = 0; i < 3; i++) {
        m.p.objects[i].wakes = 100;
        m.p.objects[i].last_waker = 2 + i;
        m.p.actors[1 + i].waits_here = 2;
        m.p.actors[1 + i].waker = 1;
    }
    silent(&m);
    /* All had their first turn, and who else signalled is not known. */
    for (size_t i = 0; i < 3; i++)
        m.p.actors[1 + i].waits_here = 1;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    /* And they grew in number, as few services do that are tried one by one. */
    for (size_t i = 0; i < 3; i++)
        m.p.actors[1 + i].created_ns = 3000 * i * MS;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    /* Alone, it is as likely a worker that is idle. */
    m.p.nactors = 2;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    made_finish(&m);
}

static void test_who_is_no_candidate(void **state)
{
    (void)state;
    struct made m = made_process();
    const uint32_t flags[] = {EL_ACTOR_TIMED, EL_ACTOR_WORKER, EL_ACTOR_SYSTEM};
    for (uint64_t i = 0; i < 3; i++) {
        made_waiter(&m, 2 + i, EL_WAIT_SEM, HEAP + i, 10, 11);
        m.p.actors[m.p.nactors - 1].flags = flags[i];
    }
    made_waiter(&m, 8, EL_WAIT_POLL, 5, 10, 11);
    made_waiter(&m, 9, EL_WAIT_ACCEPT, 6, 10, 11);
    MADE_ACTOR(&m, .id = 12, .state = EL_ACTOR_RUNNABLE, .wait_kind = EL_WAIT_SEM, .object = HEAP);
    silent(&m);
    made_finish(&m);
}

static void test_holder_ended(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_ACTOR(&m, .id = 7, .state = EL_ACTOR_ENDED, .ended_ns = 1000 * MS);
    MADE_HELD(&m, 7, STATIC, EL_WAIT_MUTEX, 44);
    made_waiter(&m, 2, EL_WAIT_MUTEX, STATIC, 2000, 2001);
    made_waiter(&m, 3, EL_WAIT_MUTEX, STATIC, 2000, 2001);
    MADE_OBJECT(&m, .address = STATIC, .kind = EL_OBJ_MUTEX, .state = EL_LIVE,
                .storage = EL_STORAGE_STATIC);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_int_equal(f->count, 2);
    assert_int_equal(made_stack(f, "lock taken at"), 44);
    assert_string_equal(made_evidence(f, "peer"), "thread 7 holds it and ended 9 s before the end");
    /* While the holder lives and runs, all is well. */
    model_process_index(&m.p);
    ((struct model_actor *)model_find_actor(&m.p, 7))->state = EL_ACTOR_RUNNING;
    silent(&m);
    made_finish(&m);
}

/* No list of held locks has it: then only a long wait says something, and not all do. */
static void test_lock_without_holder(void **state)
{
    (void)state;
    struct made m = made_process();
    made_waiter(&m, 2, EL_WAIT_MUTEX, STATIC, 2000, 2001);
    MADE_OBJECT(&m, .address = STATIC, .kind = EL_OBJ_MUTEX, .state = EL_LIVE,
                .storage = EL_STORAGE_STATIC);
    assert_int_equal(only(&m, "leaked-thread", SEVERITY_ERROR)->confidence, CONFIDENCE_PROBABLE);
    m.p.lost_cells = 1;
    silent(&m);
    m.p.lost_cells = 0;
    m.p.actors[1].since_ns = 9999 * MS; /* the lock was just let go */
    silent(&m);
    m.p.actors[1].since_ns = 2000 * MS;
    m.p.objects[0].storage = EL_STORAGE_UNKNOWN;
    silent(&m);
    m.p.objects[0].storage = EL_STORAGE_SHARED;
    silent(&m);
    MADE_HELD(&m, 2, STATIC, EL_WAIT_MUTEX, 44); /* itself: no other process will */
    only(&m, "leaked-thread", SEVERITY_ERROR);
    made_finish(&m);
}

static void test_double_lock(void **state)
{
    (void)state;
    struct made m = made_killed();
    m.p.actors[0] = (struct model_actor){.id = 1,
                                         .flags = EL_ACTOR_MAIN,
                                         .has_cell = true,
                                         .state = EL_ACTOR_WAITING,
                                         .wait_kind = EL_WAIT_MUTEX,
                                         .wait_stack = 20,
                                         .object = HEAP};
    MADE_HELD(&m, 1, HEAP, EL_WAIT_MUTEX, 44);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_string_equal(f->title,
                        "the main thread waits for ever for a mutex that it holds itself");
    assert_int_equal(made_stack(f, "lock taken at"), 44);
    made_finish(&m);
}

/* Two in a cycle, two behind them: told once, with both places. */
static void test_deadlock(void **state)
{
    (void)state;
    struct made m = made_killed();
    made_waiter(&m, 2, EL_WAIT_MUTEX, HEAP + 8, 0, 100);
    made_waiter(&m, 3, EL_WAIT_MUTEX, HEAP, 0, 100);
    m.p.actors[2].wait_stack = 21;
    MADE_HELD(&m, 2, HEAP, EL_WAIT_MUTEX, 40);
    MADE_HELD(&m, 3, HEAP + 8, EL_WAIT_MUTEX, 41);
    made_waiter(&m, 4, EL_WAIT_MUTEX, HEAP, 0, 100);
    m.p.actors[0] = (struct model_actor){.id = 1,
                                         .flags = EL_ACTOR_MAIN,
                                         .has_cell = true,
                                         .state = EL_ACTOR_WAITING,
                                         .wait_kind = EL_WAIT_JOIN,
                                         .object = 3};
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_string_equal(f->title, "deadlock: 2 threads wait for each other");
    assert_int_equal(f->count, 2);
    assert_int_equal(f->nstacks, 5);
    assert_int_equal(f->stacks[0].stack + f->stacks[2].stack, 20 + 21);
    assert_int_equal(f->stacks[1].stack + f->stacks[3].stack, 40 + 41);
    assert_int_equal(made_judge(&m, "leaked-task"), 0);
    made_finish(&m);
}

/* A lock of the program's own: each waiter is parked by itself, and was woken last by another of
 * them. Who has the lock now runs, and has woken nobody yet. */
static void test_cycle_of_signals(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 3; i++) {
        made_waiter(&m, 2 + i, EL_WAIT_COND, HEAP + 64 * i, 10, 5000);
        m.p.actors[1 + i].waits_here = 9;
        m.p.actors[1 + i].waker = 2 + (i + 1) % 3;
        MADE_OBJECT(&m, .address = HEAP + 64 * i, .kind = EL_OBJ_COND, .state = EL_LIVE, .wakes = 9,
                    .last_waker = 2 + (i + 1) % 3, .creator = 1, .storage = EL_STORAGE_HEAP);
    }
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_WARNING);
    assert_int_equal(f->confidence, CONFIDENCE_PROBABLE);
    assert_non_null(strstr(f->title, "3 threads wait for signals"));
    /* One that they woke runs. */
    m.p.actors[0].waker = 3;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    /* Nobody is left who could be meant. */
    m.p.exited = false;
    m.p.actors[0].state = EL_ACTOR_ENDED;
    only(&m, "leaked-thread", SEVERITY_ERROR);
    m.p.exited = true;
    /* As a program stops them that exits. */
    for (uint64_t i = 0; i < 3; i++)
        m.p.actors[1 + i].since_ns = 9990 * MS;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    made_finish(&m);
}

/* One waits in a channel with the lock that the other, its receiver, needs. */
static void test_deadlock_over_a_channel(void **state)
{
    (void)state;
    struct made m = made_run();
    made_waiter(&m, TASK(2), EL_WAIT_CHAN_SEND, HEAP, 0, 100);
    made_waiter(&m, TASK(3), EL_WAIT_WEFT_MUTEX, HEAP + 64, 0, 100);
    m.p.actors[2].wait_stack = 21;
    MADE_HELD(&m, TASK(2), HEAP + 64, EL_WAIT_WEFT_MUTEX, 40);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_CHAN, .state = EL_LIVE, .wakes = 3,
                .last_waker = TASK(3), .creator = TASK(1), .storage = EL_STORAGE_HEAP);
    const struct finding *f = only(&m, "leaked-task", SEVERITY_ERROR);
    assert_string_equal(f->title, "deadlock: 2 tasks wait for each other");
    made_finish(&m);
}

/* A hang: the main thread joins a leaked thread. The leak is the finding, the join hangs on it. */
static void test_main_behind_a_leak(void **state)
{
    (void)state;
    struct made m = made_killed();
    m.p.actors[0] = (struct model_actor){.id = 1,
                                         .flags = EL_ACTOR_MAIN,
                                         .has_cell = true,
                                         .state = EL_ACTOR_WAITING,
                                         .wait_kind = EL_WAIT_JOIN,
                                         .wait_stack = 50,
                                         .object = 2};
    made_waiter(&m, 2, EL_WAIT_SEM, HEAP, 0, 100);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_SEM, .state = EL_LIVE, .creator = 1,
                .storage = EL_STORAGE_HEAP);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(made_stack(f, "blocked at"), 20);
    assert_string_equal(made_evidence(f, "behind"), "also stuck behind it: 1 other thread or task");
    assert_non_null(strstr(made_evidence(f, "alone"), "nobody is left"));
    m.p.objects[0].storage = EL_STORAGE_SHARED; /* but perhaps in another one */
    silent(&m);
    m.p.objects[0].storage = EL_STORAGE_HEAP;
    /* The joined thread works: nothing is wrong. */
    m.p.actors[1].wait_kind = EL_WAIT_NONE;
    m.p.actors[1].state = EL_ACTOR_RUNNING;
    silent(&m);
    made_finish(&m);
}

static void test_maker_ended(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_ACTOR(&m, .id = 9, .state = EL_ACTOR_ENDED, .ended_ns = 500 * MS);
    made_waiter(&m, 2, EL_WAIT_COND, HEAP, 400, 401);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_COND, .state = EL_LIVE, .creator = 9,
                .created_stack = 33, .storage = EL_STORAGE_HEAP);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(f->confidence, CONFIDENCE_PROVEN);
    assert_non_null(strstr(made_evidence(f, "peer"), "thread 9 made it and ended"));
    made_finish(&m);
}

/* Three of four are at a barrier; that they came woke nobody. */
static void test_barrier(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 2; i < 5; i++)
        made_waiter(&m, i, EL_WAIT_BARRIER, HEAP, 10, 11);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_BARRIER, .state = EL_LIVE, .creator = 1,
                .wakes = 3, .last_waker = 4, .last_waiter = 4, .storage = EL_STORAGE_HEAP,
                .capacity = 4);
    assert_int_equal(only(&m, "leaked-thread", SEVERITY_ERROR)->count, 3);
    made_finish(&m);
}

/* The main thread waits for the first time for threads that still work. */
static void test_parent_of_workers(void **state)
{
    (void)state;
    struct made m = made_killed();
    m.p.actors[0] = (struct model_actor){.id = 1,
                                         .flags = EL_ACTOR_MAIN,
                                         .has_cell = true,
                                         .state = EL_ACTOR_WAITING,
                                         .wait_kind = EL_WAIT_SEM,
                                         .wait_stack = 20,
                                         .object = HEAP};
    MADE_ACTOR(&m, .id = 2, .state = EL_ACTOR_RUNNING, .creator = 1, .has_cell = true);
    silent(&m);
    m.p.actors[1].state = EL_ACTOR_ENDED;
    m.p.actors[1].has_cell = false;
    only(&m, "leaked-thread", SEVERITY_ERROR); /* nobody is left */
    made_finish(&m);
}

/* A service that nobody asked yet holds no lock that others need. */
static void test_parked_with_a_lock(void **state)
{
    (void)state;
    struct made m = made_process();
    made_waiter(&m, 2, EL_WAIT_COND, STATIC, 10, 11);
    made_waiter(&m, 3, EL_WAIT_RWLOCK_WRITE, STATIC + 64, 10, 11);
    m.p.actors[2].wait_stack = 21;
    MADE_OBJECT(&m, .address = STATIC, .kind = EL_OBJ_COND, .state = EL_LIVE,
                .storage = EL_STORAGE_STATIC);
    silent(&m);
    MADE_HELD(&m, 2, STATIC + 64, EL_WAIT_RWLOCK_READ, 44);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_ERROR);
    assert_int_equal(made_stack(f, "blocked at"), 20);
    assert_string_equal(made_evidence(f, "behind"), "also stuck behind it: 1 other thread or task");
    made_finish(&m);
}

/* Stopped by a program that exits, one with a lock that another stands in line for. */
static void test_stopped_at_exit(void **state)
{
    (void)state;
    struct made m = made_process();
    made_waiter(&m, 2, EL_WAIT_FUTEX, HEAP, 10, 9950);
    made_waiter(&m, 3, EL_WAIT_MUTEX, STATIC, 10, 9000);
    m.p.actors[2].wait_stack = 21;
    MADE_HELD(&m, 2, STATIC, EL_WAIT_MUTEX, 44);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_FUTEX, .state = EL_LIVE, .creator = 1,
                .storage = EL_STORAGE_HEAP);
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_NOTE);
    assert_non_null(strstr(made_evidence(f, "exit"), "just before the program exited"));
    /* It did not exit, it was killed: whatever the time, nobody is there to end the wait. */
    m.p.exited = false;
    only(&m, "leaked-thread", SEVERITY_ERROR);
    m.p.exited = true;
    /* It lived on meanwhile. */
    m.p.actors[1].since_ns = 9850 * MS;
    assert_string_equal(made_evidence(only(&m, "leaked-thread", SEVERITY_ERROR), "exit"), "");
    /* A short one, of which so much is half. */
    m.p.actors[1].since_ns = 51 * MS;
    m.p.end_ns = 100 * MS;
    only(&m, "leaked-thread", SEVERITY_ERROR);
    m.p.actors[1].since_ns = 99 * MS;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    made_finish(&m);
}

/* A virtual machine at its shutdown: the thread that owned the service ended an instant before. */
static void test_maker_ended_at_shutdown(void **state)
{
    (void)state;
    struct made m = made_process();
    MADE_ACTOR(&m, .id = 9, .state = EL_ACTOR_ENDED, .ended_ns = 9999 * MS);
    made_waiter(&m, 2, EL_WAIT_SEM, HEAP, 400, 401);
    MADE_OBJECT(&m, .address = HEAP, .kind = EL_OBJ_SEM, .state = EL_LIVE, .creator = 9,
                .storage = EL_STORAGE_HEAP);
    only(&m, "leaked-thread", SEVERITY_NOTE);
    made_finish(&m);
}

static void test_unjoined(void **state)
{
    (void)state;
    struct made m = made_process();
    for (uint64_t i = 0; i < 12; i++)
        MADE_ACTOR(&m, .id = 2 + i, .state = EL_ACTOR_ENDED, .has_cell = i < 9, .created_stack = 10,
                   .created_ns = i * MS, .stack_bytes = 8 << 20);
    assert_int_equal(only(&m, "leaked-thread", SEVERITY_NOTE)->count, 9);
    for (size_t i = 0; i < m.p.nactors; i++)
        m.p.actors[i].has_cell = true;
    const struct finding *f = only(&m, "leaked-thread", SEVERITY_WARNING);
    assert_string_equal(f->title, "12 threads ended and were never joined");
    for (size_t i = 0; i < m.p.nactors; i++) /* with the process */
        m.p.actors[i].ended_ns = m.p.end_ns;
    only(&m, "leaked-thread", SEVERITY_NOTE);
    for (size_t i = 0; i < m.p.nactors; i++)
        m.p.actors[i].flags |= i % 2 ? EL_ACTOR_DETACHED : EL_ACTOR_JOINED;
    silent(&m);
    made_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_they_call_themselves),
        cmocka_unit_test(test_senders_without_receiver),
        cmocka_unit_test(test_parked_pool_of_tasks),
        cmocka_unit_test(test_served_and_left_one_by_one),
        cmocka_unit_test(test_threads_left_one_by_one),
        cmocka_unit_test(test_joined_in_vain),
        cmocka_unit_test(test_threads_that_never_got_anything),
        cmocka_unit_test(test_pool_with_a_condition_each),
        cmocka_unit_test(test_who_is_no_candidate),
        cmocka_unit_test(test_holder_ended),
        cmocka_unit_test(test_lock_without_holder),
        cmocka_unit_test(test_double_lock),
        cmocka_unit_test(test_deadlock),
        cmocka_unit_test(test_cycle_of_signals),
        cmocka_unit_test(test_deadlock_over_a_channel),
        cmocka_unit_test(test_main_behind_a_leak),
        cmocka_unit_test(test_maker_ended),
        cmocka_unit_test(test_barrier),
        cmocka_unit_test(test_parent_of_workers),
        cmocka_unit_test(test_parked_with_a_lock),
        cmocka_unit_test(test_stopped_at_exit),
        cmocka_unit_test(test_maker_ended_at_shutdown),
        cmocka_unit_test(test_unjoined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
