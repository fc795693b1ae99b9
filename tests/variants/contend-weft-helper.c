/* contend-weft-helper.c - a journal that each task appends to through helpers; the line is made
 * with the lock held, for longer than a thread is let run on a busy machine. */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <string.h>
#include <weft.h>

#define TASKS 8
#define LINES 15

struct journal {
    struct weft_rwmutex lock;
    char text[4096];
    size_t used;
};

static struct journal journal;

static void journal_begin(struct journal *j)
{
    weft_rwmutex_lock(&j->lock); /* LOCK */
}

static void journal_end(struct journal *j)
{
    weft_rwmutex_unlock(&j->lock);
}

static void note(struct journal *j, long task, int line)
{
    char text[256];

    journal_begin(j);
    for (int i = 0; i < 50000; i++)
        snprintf(text, sizeof text, "task %ld, line %d, part %d\n", task, line, i);
    if (j->used + strlen(text) > sizeof j->text)
        j->used = 0;
    memcpy(j->text + j->used, text, strlen(text));
    j->used += strlen(text);
    journal_end(j);
}

static void work(void *arg)
{
    for (int i = 0; i < LINES; i++) {
        note(&journal, (long)arg, i);
        weft_sleep(WEFT_MS);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup all = {0};

    (void)arg;
    for (long i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&all, work, (void *)i) == 0);
    weft_waitgroup_wait(&all);
    puts("noted");
}

int main(void)
{
    const struct weft_options options = {.workers = 4};

    return weft_run_with(&options, test, NULL) == 0 ? 0 : 1;
}
