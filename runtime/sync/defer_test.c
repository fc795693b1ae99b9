/* Scopes, and the end of a task before the end of its function. */
#include "runtime/test/check.h"

static struct {
    char text[64];
    struct weft_waitgroup wg;
    struct weft_mutex mutex;
    _Atomic int sum;
} g;

static void note(void *arg)
{
    strcat(g.text, arg);
}

static void begin(void)
{
    g.text[0] = '\0';
}

static void early(int way)
{
    WEFT_DEFER(note, "a");
    for (int i = 0; i < 3; i++) {
        WEFT_DEFER(note, "b");
        WEFT_DEFER(note, "c");
        if (way == 1)
            continue;
        if (way == 2)
            break;
        if (way == 3)
            return;
        if (way == 4)
            goto out;
    }
    note("d");
out:
    note("e");
}

static void each_way_out(void)
{
    static const char *const expected[] = {"cbcbcbdea", "cbcbcbdea", "cbdea", "cba", "cbea"};
    for (int way = 0; way < 5; way++) {
        begin();
        early(way);
        CHECK(strcmp(g.text, expected[way]) == 0);
    }
}

static void add(void *arg)
{
    g.sum = g.sum * 31 % 1000003 + *(int *)arg;
}

/* As in Go: all of them at the end, the last first. */
static void pile_up(int count)
{
    static int numbers[10000];
    int expected = 0;
    g.sum = 0;
    for (int i = count; i-- > 0;)
        expected = expected * 31 % 1000003 + i;
    {
        WEFT_DEFERS(scope);
        for (int i = 0; i < count; i++) {
            numbers[i] = i;
            CHECK(weft_defer(&scope, add, &numbers[i]) == 0);
        }
        CHECK(g.sum == 0);
    }
    CHECK(g.sum == expected);
}

static void scopes(void)
{
    each_way_out();
    for (int count = 0; count < 200; count++)
        pile_up(count);
    pile_up(10000);
}

TASK_TEST(scopes_in_a_task)
{
    scopes();
}

static void scopes_outside(void **state)
{
    (void)state;
    scopes();
}

/* ---- weft_exit ---- */

static void done(void *arg)
{
    (void)arg;
    weft_waitgroup_done(&g.wg);
}

static void exit_again(void *arg)
{
    note(arg);
    weft_exit();
}

static void unlock(void *arg)
{
    weft_mutex_unlock(arg);
}

static void deep(int depth)
{
    WEFT_DEFER(note, "<");
    if (depth > 0)
        deep(depth - 1);
    {
        WEFT_DEFER(exit_again, "2");
        note("1");
    }
    note("never");
}

static void ends_early(void *arg)
{
    (void)arg;
    WEFT_DEFER(done, NULL);
    WEFT_DEFERS(scope);
    CHECK(weft_defer(&scope, note, "4") == 0);
    CHECK(weft_defer(&scope, exit_again, "3") == 0);
    weft_mutex_lock(&g.mutex);
    WEFT_DEFER(unlock, &g.mutex);
    deep(3);
    note("never");
}

TASK_TEST(exit_does_what_was_deferred)
{
    begin();
    weft_waitgroup_add(&g.wg, 1);
    CHECK(weft_go(ends_early, NULL) == 0);
    weft_waitgroup_wait(&g.wg);
    CHECK(strcmp(g.text, "12<<<<34") == 0);
    CHECK(weft_mutex_try_lock(&g.mutex) == 0);
    weft_mutex_unlock(&g.mutex);
}

static void many(void *arg)
{
    WEFT_DEFER(done, NULL);
    g.sum++;
    if ((intptr_t)arg % 2) {
        WEFT_DEFER(done, NULL); /* counts for one more */
        weft_yield();
        weft_exit();
    }
    weft_yield();
}

/* Stacks and records of tasks that ended so are used again. */
TASK_TEST(exits_by_the_thousand)
{
    g.sum = 0;
    for (intptr_t i = 0; i < 5000; i++) {
        weft_waitgroup_add(&g.wg, i % 2 ? 2 : 1);
        CHECK(weft_go(many, (void *)i) == 0);
        if (i % 100 == 0)
            weft_yield();
    }
    weft_waitgroup_wait(&g.wg);
    CHECK(g.sum == 5000);
}

/* ---- what runs a function of the program's minds that it may leave so ---- */

static struct weft_once once;
static struct weft_once_value value;
static _Atomic int begun;

static void leave(void *arg)
{
    (void)arg;
    begun++;
    weft_exit();
}

static void *compute_nothing(void *arg)
{
    leave(arg);
    return arg;
}

static void do_once(void *arg)
{
    (void)arg;
    weft_once_do(&once, leave, NULL);
}

static void ask_for_value(void *arg)
{
    CHECK(weft_once_value(&value, compute_nothing, arg) == NULL);
}

TASK_TEST(a_function_that_is_called_once_may_exit)
{
    once = (struct weft_once){0};
    value = (struct weft_once_value){0};
    begun = 0;
    for (int i = 0; i < 10; i++) {
        CHECK(weft_waitgroup_go(&g.wg, do_once, NULL) == 0);
        CHECK(weft_waitgroup_go(&g.wg, ask_for_value, &g) == 0);
    }
    weft_waitgroup_wait(&g.wg);
    do_once(NULL);
    ask_for_value(&g);
    CHECK(begun == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes_in_a_task),
        cmocka_unit_test(scopes_outside),
        cmocka_unit_test(exit_does_what_was_deferred),
        cmocka_unit_test(exits_by_the_thousand),
        cmocka_unit_test(a_function_that_is_called_once_may_exit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
