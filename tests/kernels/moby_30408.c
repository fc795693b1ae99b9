/*
 * moby_30408: a plugin's users wait until it is active; when activating fails, nobody tells them.
 */
#include "tests/kernels/kernel.h"

#include <stdlib.h>

struct plugin {
    struct weft_mutex lock;
    struct weft_cond changed;
    bool active, failed;
};

static void wait_active(void *arg)
{
    struct plugin *plugin = arg;

    weft_mutex_lock(&plugin->lock);
    while (!plugin->active && !plugin->failed)
        weft_cond_wait(&plugin->changed, &plugin->lock); /* LEAK */
    weft_mutex_unlock(&plugin->lock);
    puts("told");
}

static void activate(void *arg)
{
    struct plugin *plugin = arg;

    weft_mutex_lock(&plugin->lock);
    plugin->failed = true;
    if (fixed)
        weft_cond_broadcast(&plugin->changed);
    weft_mutex_unlock(&plugin->lock);
    puts("failed");
}

static void test(void *arg)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);

    (void)arg;
    MUST(plugin != NULL);
    spawn(wait_active, plugin); /* SPAWN */
    settle();
    spawn(activate, plugin);
    settle();
    puts("ended");
}

KERNEL(test)
