/* What ends the program in groups and scopes: each in a process of its own, with its line. */
#include "runtime/test/ending.h"

/* Still running whenever the limit changes: it waits for what never comes. */
static int member(void *never)
{
    weft_waitgroup_wait(never);
    return 0;
}

static void limit_while_running(void *arg)
{
    struct weft_group group = {0};
    struct weft_waitgroup never = {0};
    (void)arg;
    weft_waitgroup_add(&never, 1);
    weft_group_go(&group, member, &never);
    weft_group_set_limit(&group, 1);
}

static void second_context(void *arg)
{
    struct weft_group group = {0};
    (void)arg;
    weft_group_with_ctx(&group, NULL);
    weft_group_with_ctx(&group, NULL);
}

static void leave(void *arg)
{
    (void)arg;
    weft_exit();
}

static void exit_outside(void *arg)
{
    weft_blocking(leave, arg);
}

static const struct ending cases[] = {
    {limit_while_running,
     -SIGABRT,
     {"weft: the limit of a group is changed while its tasks run",
      "; the last one started at test+0x"}},
    {second_context,
     -SIGABRT,
     {"weft: a group gets a second context (task ", "; its first at test+0x"}},
    {exit_outside, -SIGABRT, {"weft: weft_exit outside a task", ", at test+0x"}},
    /* The run goes on without its main task, until nobody is left. */
    {leave, 2, {"weft: no tasks (main task called weft_exit) - deadlock!"}},
};

int main(int argc, char **argv)
{
    return test_endings(argc, argv, cases, sizeof cases / sizeof *cases);
}
