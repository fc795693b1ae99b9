/*
 * moby_25384: the wait group is told of all plugins at once, but the wait stands inside the loop
 * that starts them: the first turn waits for the ones that are not started yet.
 */
#include "tests/kernels/kernel.h"

#define PLUGINS 3

static void plugin(void *arg)
{
    weft_waitgroup_done(arg);
}

static void test(void *arg)
{
    struct weft_waitgroup group = {0};

    (void)arg;
    weft_waitgroup_add(&group, PLUGINS);
    for (int i = 0; i < PLUGINS; i++) {
        spawn(plugin, &group);
        if (!fixed)
            weft_waitgroup_wait(&group); /* LEAK */
    }
    weft_waitgroup_wait(&group);
    puts("loaded");
}

KERNEL(test)
