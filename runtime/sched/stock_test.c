/*
 * Where a worker asks the kernel for stacks, nobody waits for that who does not need one: the lock
 * of what its task has begun to wait for is given up by then.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "runtime/sched/inside.h"
#include "runtime/test/check.h"

enum { TASKS = 1000, OBJECTS = 2 };

static struct weft_chan *chan[OBJECTS];
static _Atomic unsigned asked;

/* ---- what the runtime asks the kernel for ---- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e);
int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);

static void look_at_what_is_left(void)
{
    const struct weft__worker *w = weft__worker();
    if (!w)
        return;
    asked++;
    CHECK(w->after != WEFT__AFTER_UNLOCK && w->after != WEFT__AFTER_CALL);
}

long __wrap_syscall(long number, long a, long b, long c, long d, long e)
{
    if (number == SYS_process_madvise)
        look_at_what_is_left();
    return __real_syscall(number, a, b, c, d, e, 0L);
}

int __wrap_madvise(void *at, size_t size, int advice)
{
    look_at_what_is_left();
    return __real_madvise(at, size, advice);
}

/* ---- tasks that wait for the first time ---- */

static void receive(void *arg)
{
    (void)arg;
    CHECK(weft_chan_recv(chan[0], NULL) == -EPIPE);
}

static void choose(void *arg)
{
    (void)arg;
    struct weft_case cases[] = {WEFT_RECV(chan[0], NULL), WEFT_RECV(chan[1], NULL)};
    CHECK(weft_select(cases, OBJECTS, WEFT_FOREVER) >= 0);
}

struct kind {
    void (*fn)(void *);
    struct weft_task_options options;
};

static void make_them_wait(void *arg)
{
    struct kind *kind = arg;
    for (int i = 0; i < OBJECTS; i++)
        CHECK((chan[i] = weft_chan_new(0, 0)));
    asked = 0;
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_go_with(&kind->options, kind->fn, NULL) == 0);
    await_waiting(TASKS);
    CHECK(asked > 0);
    for (int i = 0; i < OBJECTS; i++)
        weft_chan_close(chan[i]);
    await_ends();
    for (int i = 0; i < OBJECTS; i++)
        weft_chan_release(chan[i]);
}

/* Stacks of a size that no run had before. */
static void run(void (*fn)(void *), bool small)
{
    static size_t bytes = (size_t)64 << 10;
    struct kind kind = {fn, {.small_stack = small}};
    struct weft_options options = {.workers = 2, .stack_bytes = bytes += (size_t)16 << 10};
    CHECK(weft_run_with(&options, make_them_wait, &kind) == 0);
}

static void a_receiver_holds_no_lock_meanwhile(void **state)
{
    (void)state;
    run(receive, false);
}

static void a_chooser_holds_no_lock_meanwhile(void **state)
{
    (void)state;
    run(choose, false);
}

static void nor_with_a_small_stack(void **state)
{
    (void)state;
    run(receive, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_receiver_holds_no_lock_meanwhile),
        cmocka_unit_test(a_chooser_holds_no_lock_meanwhile),
        cmocka_unit_test(nor_with_a_small_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
