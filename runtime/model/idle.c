/*
 * Sleeping and waking: no task lies in a queue, no timer is due and no descriptor is ready while
 * all workers sleep; nobody reports a deadlock that is none; the end of the run reaches everybody.
 * The code under test is that of workers.h.
 */
#include "runtime/model/workers.h"

enum { KIND = 16, ENTRY = 1 }; /* of all spawns here */

static int runs[TASKS];
static int finished, expected;

/* ---- workers and tasks ---- */

static void end_run(void)
{
    __atomic_store_n(&run.ended, 1, __ATOMIC_SEQ_CST);
    weft__wake_all(&run);
    __atomic_store_n(&run.monitor_word, 2, __ATOMIC_SEQ_CST);
    weft__futex_wake(&run.monitor_word, 1);
}

static void work(void *arg)
{
    struct weft__worker *w = arg;
    struct weft_task *t;
    while ((t = weft__find_work(w))) {
        w->tick++;
        EX_CHECK(runs[t - tasks]++ == 0 && "a task runs twice");
        if (t->fn)
            t->fn(t);
        if (++finished == expected)
            end_run();
    }
}

static void spawn(struct weft_task *t)
{
    weft__push_fresh(worker_of[ex.current], t, KIND);
}

static void watch(void *arg)
{
    (void)arg;
    weft__monitor_main(&run);
}

static bool work_somewhere(void)
{
    for (unsigned i = 0; i < run.workers; i++) {
        if (workers[i].tail != workers[i].head || workers[i].next)
            return true;
    }
    return run.queue_head != NULL;
}

static void stuck(void)
{
    int64_t until = INT64_MAX, next = INT64_MAX;
    for (unsigned i = 0; i < ex.count; i++) {
        if (!ex.threads[i].ended && ex.threads[i].until < until)
            until = ex.threads[i].until;
    }
    for (uint32_t i = 0; i < homes_used; i++) {
        if (homes[i].next < next)
            next = homes[i].next;
    }
    EX_CHECK(!run.ended && "all sleep and the run has ended");
    EX_CHECK(!work_somewhere() && "all sleep and a task can run");
    EX_CHECK(!(poll.event && poll.waiting) && "all sleep and a descriptor is ready");
    EX_CHECK((next == INT64_MAX || next >= until - 200000) && "all sleep longer than a timer");
}

static void end(void)
{
    EX_CHECK(finished == expected && "a task did not run");
}

static void begin(unsigned count, int wanted)
{
    memset(&run, 0, sizeof run);
    memset(workers, 0, sizeof workers);
    memset(tasks, 0, sizeof tasks);
    memset(runs, 0, sizeof runs);
    memset(&poll, 0, sizeof poll);
    memset(worker_of, 0, sizeof worker_of);
    memset(sleeps_on, 0, sizeof sleeps_on);
    for (uint32_t i = 0; i < homes_used; i++)
        weft__heap_free(&homes[i].heap);
    for (uint32_t i = 0; i < homes_used; i++)
        homes[i] = (struct weft__timers){.next = INT64_MAX};
    homes_used = 0;
    kicks_made = 0;
    finished = 0;
    expected = wanted;
    ex.switched = bind_worker;
    run.workers = run.slots = count;
    run.epoch = 1;
    weft__open_run = &run;
    for (unsigned i = 0; i < count; i++) {
        run.worker[i] = &workers[i];
        workers[i].run = &run;
        workers[i].index = i;
        workers[i].tick = 1;
        worker_of[i] = &workers[i];
        ex_thread(work, &workers[i]);
    }
    for (unsigned i = 0; i < TASKS; i++)
        tasks[i].epoch = 1;
}

static void put_first(struct weft_task *t)
{
    run.queue_head = run.queue_tail = t;
    run.queued = 1;
}

/* ---- the scenarios ---- */

static void spawn_two(void *arg)
{
    struct weft_task *t = arg;
    spawn(t + 1);
    spawn(t + 2);
}

static void spawns(void)
{
    begin(2, 3);
    tasks[0].fn = spawn_two;
    put_first(&tasks[0]);
}

static void spawns_among_three(void)
{
    begin(3, 3);
    tasks[0].fn = spawn_two;
    put_first(&tasks[0]);
}

/* A task waits in the ring of a worker that computes on: it is another's, who may be asleep. */
static bool other_has_run(void *arg)
{
    return runs[(struct weft_task *)arg - tasks];
}

static void push_and_compute(void *arg)
{
    weft__push_tail(weft__worker(), &tasks[1]);
    ex_wait(other_has_run, &tasks[1], -1);
    (void)arg;
}

static void computes_meanwhile(void)
{
    begin(2, 2);
    tasks[0].fn = push_and_compute;
    put_first(&tasks[0]);
}

/* One that spins finds a first task and computes on as well, just when the second comes: the third
 * worker has to be woken for that. */
static void push_two_and_compute(void *arg)
{
    weft__push_tail(weft__worker(), &tasks[2]);
    push_and_compute(arg);
}

static void compute(void *arg)
{
    (void)arg;
    ex_wait(other_has_run, &tasks[1], -1);
}

static void two_compute(void)
{
    begin(3, 3);
    tasks[0].fn = push_two_and_compute;
    tasks[2].fn = compute;
    put_first(&tasks[0]);
}

static void push_from_outside(void *arg)
{
    weft__push_shared(&run, arg);
}

/* While such a thread lives nobody speaks of a deadlock. */
static void from_outside_comes(struct weft_task *t)
{
    run.bound_awake = 1;
    ex_thread(push_from_outside, t);
}

static void from_outside(void)
{
    begin(2, 1);
    from_outside_comes(&tasks[0]);
}

static void make_ready(void *arg)
{
    (void)arg;
    ex_schedule();
    poll.event = true;
}

static void descriptor(void)
{
    begin(2, 1);
    poll.waiting = 1;
    ex_thread(make_ready, NULL);
}

/* The descriptor's task runs while the others have nothing left to wait for. */
static void descriptor_among_three(void)
{
    begin(3, 1);
    poll.waiting = 1;
    ex_thread(make_ready, NULL);
}

static void sleep_until(unsigned i, int64_t when)
{
    EX_CHECK(weft__sleep_until(&tasks[2 + i], when));
}

/* One timer far off, then one that is near, while the other worker goes to sleep for the first. */
static void arm_two(void *arg)
{
    (void)arg;
    sleep_until(0, ex.now + 100000000);
    spawn(&tasks[1]);
    sleep_until(1, ex.now + 5000000);
}

static void timers(void)
{
    begin(2, 4);
    tasks[0].fn = arm_two;
    put_first(&tasks[0]);
}

static void arm_one(void *arg)
{
    (void)arg;
    sleep_until(0, ex.now + 3000000);
}

static bool timer_is_over(void *arg)
{
    (void)arg;
    return runs[2];
}

static void make_ready_late(void *arg)
{
    ex_wait(timer_is_over, NULL, -1);
    make_ready(arg);
}

/* A worker looks at descriptors between its tasks while another sleeps in epoll, and must leave it
 * the kick for the timer. */
static void look_beside_the_poller(void)
{
    begin(2, 3);
    poll.waiting = 1;
    workers[0].tick = workers[1].tick = 426;
    tasks[0].fn = arm_one;
    ex_thread(make_ready_late, NULL);
    from_outside_comes(&tasks[0]);
}

/* A timer fires, or one of those who cancel it is told that it did so: one of them. */
static struct weft__timer shot;
static int shots, cancels;

static void fire_shot(struct weft__timer *timer, int64_t now)
{
    (void)timer;
    (void)now;
    shots++;
}

static void cancel_shot(void *arg)
{
    (void)arg;
    bool was = weft__timer_cancel(&shot);
    cancels += was;
    EX_CHECK(shots + cancels == 1 && "a timer is not over when cancel returned");
}

static void arm_and_cancel(void *arg)
{
    shots = cancels = 0;
    shot = (struct weft__timer){0};
    weft__timer_init(&shot, fire_shot);
    EX_CHECK(weft__timer_start(&shot, ex.now + 200000));
    spawn((struct weft_task *)arg + 1);
    cancel_shot(NULL);
}

static void cancel_against_fire(void)
{
    begin(2, 2);
    tasks[0].fn = arm_and_cancel;
    tasks[1].fn = cancel_shot;
    put_first(&tasks[0]);
}

/* A timer, a descriptor and a task from outside in one. */
static void all_kinds(void)
{
    begin(2, 3);
    poll.waiting = 1;
    tasks[0].fn = arm_one;
    ex_thread(make_ready, NULL);
    from_outside_comes(&tasks[0]);
}

/* The monitor sleeps when all sleep, and is awake when a worker computes. */
static void with_monitor(void)
{
    begin(2, 3);
    tasks[0].fn = spawn_two;
    ex_thread(watch, NULL);
    from_outside_comes(&tasks[0]);
}

/* A task makes another and computes on, long after the last one that was woken had come in vain:
 * whoever sleeps takes it, soon after the monitor's next look. */
static int64_t spawned_at;

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* The other worker falls asleep, and tasks run here again. */
static void wait_long(void)
{
    ex_wait(never, NULL, 10 * INTERVAL_MAX_NS);
    weft__worker()->tick++;
}

static void spawn_and_compute(void *arg)
{
    (void)arg;
    wait_long();
    for (int i = 0; i < 10; i++) { /* others of its kind were joined all the time */
        run.in_vain[ENTRY] = KIND;
        ex_wait(never, NULL, INTERVAL_MAX_NS / 5);
        weft__worker()->tick++;
    }
    run.in_vain[ENTRY] = KIND;
    spawned_at = ex.now;
    spawn(&tasks[1]);
    ex_wait(other_has_run, &tasks[1], -1);
}

/* The same without a monitor: it is taken at once. */
static void spawn_next_and_compute(void *arg)
{
    struct weft_task *t = (struct weft_task *)arg + 1;
    spawn(t);
    ex_wait(other_has_run, t, -1);
}

/* The other worker spins, or is about to sleep. */
static void beside_a_spinner(void)
{
    begin(2, 2);
    tasks[0].fn = spawn_next_and_compute;
    put_first(&tasks[0]);
}

/* Who was woken last came in vain, but for spawns of another kind. */
static void spawn_of_its_kind(void *arg)
{
    wait_long();
    run.in_vain[ENTRY] = KIND + 1;
    spawn_next_and_compute(arg);
}

static void of_another_kind(void)
{
    begin(2, 2);
    tasks[0].fn = spawn_of_its_kind;
    put_first(&tasks[0]);
}

static void begin_soon(void *arg)
{
    (void)arg;
    EX_CHECK(ex.now - spawned_at < RELIED_MAX_NS + 4 * INTERVAL_MIN_NS);
}

static void only_time_helps(void) {}

/* Tasks of which each makes the next one and leaves: nobody else gets anything of that. Who was
 * woken once and found nothing is not woken again. */
static void make_the_next(void *arg)
{
    struct weft_task *t = arg;
    if (t < &tasks[5])
        spawn(t + 1);
    EX_CHECK(workers[0].steals + workers[1].steals != 0 || kicks_made <= 1);
}

static void one_by_one(void)
{
    begin(2, 6);
    for (int i = 0; i < 6; i++)
        tasks[i].fn = make_the_next;
    put_first(&tasks[0]);
}

static void spawned_and_left(void)
{
    begin(2, 2);
    tasks[0].fn = spawn_and_compute;
    tasks[1].fn = begin_soon;
    ex_thread(watch, NULL);
    put_first(&tasks[0]);
}

int main(int argc, char **argv)
{
    static const struct ex_scenario all[] = {
        {"spawns", spawns, stuck, end, 2},
        {"spawns_among_three", spawns_among_three, stuck, end, 2},
        {"computes_meanwhile", computes_meanwhile, stuck, end, 3},
        {"two_compute", two_compute, stuck, end, 3},
        {"from_outside", from_outside, stuck, end, 3},
        {"descriptor", descriptor, stuck, end, 3},
        {"descriptor_among_three", descriptor_among_three, stuck, end, 2},
        {"timers", timers, stuck, end, 2},
        {"look_beside_the_poller", look_beside_the_poller, stuck, end, 2},
        {"cancel_against_fire", cancel_against_fire, stuck, end, 3},
        {"all_kinds", all_kinds, stuck, end, 2},
        {"with_monitor", with_monitor, stuck, end, 2},
        {"one_by_one", one_by_one, stuck, end, 2},
        {"beside_a_spinner", beside_a_spinner, stuck, end, 3},
        {"of_another_kind", of_another_kind, stuck, end, 2},
        {"spawned_and_left", spawned_and_left, only_time_helps, end, 2},
    };
    return ex_main(argc, argv, all, sizeof all / sizeof *all);
}
