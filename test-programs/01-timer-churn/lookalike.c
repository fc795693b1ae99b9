/*
 * Looks like the churn and is right: a cache gives each of its 3000 entries a timer that evicts it.
 * That is many timers in a short time, and each does what it was made for. A few entries are
 * removed before, and their timers stopped.
 *
 * Look at insert: each timer fires, but for every tenth.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define ENTRIES 3000

struct entry {
    struct weft_timer *timer;
    int value;
};

static struct entry cache[ENTRIES];
static struct weft_waitgroup present;

static void evict(void *arg)
{
    struct entry *entry = arg;

    entry->value = 0;
    weft_waitgroup_done(&present);
}

static void insert(struct entry *entry, int value)
{
    entry->value = value;
    weft_waitgroup_add(&present, 1);
    entry->timer = weft_timer_func(50 * WEFT_MS, evict, entry);
}

static void serve(void *arg)
{
    int stopped = 0;

    (void)arg;
    for (int i = 0; i < ENTRIES; i++)
        insert(&cache[i], i + 1);
    for (int i = 0; i < ENTRIES; i += 10)
        if (weft_timer_stop(cache[i].timer))
            evict(&cache[i]), stopped++;
    weft_waitgroup_wait(&present);
    for (int i = 0; i < ENTRIES; i++)
        weft_timer_free(cache[i].timer);
    printf("%s\n", stopped <= ENTRIES / 10 ? "evicted" : "?");
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
