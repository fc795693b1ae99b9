/*
 * tasks.c HOW [clean] [fork] [hang] - leaks three tasks, then ends as HOW says, from within a task.
 *
 * clean: leaks nothing. fork: two children leak, not the process itself. hang: sleeps again and
 * again (were the main task to wait for ever as well, Weft would end the program: all tasks are
 * asleep).
 */
#include "test-programs/common/weft_sample.h"
#include "tests/endings/ending.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKS 3

static void hand_over(void *arg)
{
    struct weft_chan *result = arg;
    int answer = 1;

    weft_chan_send(result, &answer); /* LEAK */
    weft_chan_release(result);
}

static void leak_some(void)
{
    for (int i = 0; i < LEAKS; i++)
        MUST(weft_go(hand_over, weft_chan_new(sizeof(int), 0)) == 0); /* SPAWN */
    wait_until_tasks_wait();                                          /* each at its send */
}

static void test(void *arg)
{
    char **argv = arg;

    if (!has_word(argv, "clean"))
        leak_some();
    while (has_word(argv, "hang"))
        weft_sleep(10 * WEFT_MS);
    end_by(argv[1]);
}

static void leak_only(void *arg)
{
    (void)arg;
    leak_some();
}

static void leak_in_children(const struct weft_options *options)
{
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();

        MUST(child >= 0);
        if (child == 0)
            _exit(weft_run_with(options, leak_only, NULL) == 0 ? 0 : 1);
        MUST(waitpid(child, NULL, 0) == child);
    }
}

int main(int argc, char **argv)
{
    const struct weft_options options = {.workers = 1};

    MUST(argc > 1);
    puts("begins");
    fflush(stdout);
    if (has_word(argv, "fork")) {
        leak_in_children(&options);
        end_by(argv[1]);
        return 0;
    }
    return weft_run_with(&options, test, argv) == 0 ? 0 : 1;
}
