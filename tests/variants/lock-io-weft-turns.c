/*
 * lock-io-weft-turns.c - two tasks in turn, from the same places and very fast; now and then one
 * asks the other with a lock held, for which others wait, and that takes its time.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

enum { ROUNDS = 20000, SLOW_EVERY = 1000 };

static struct weft_mutex cache_lock;
static struct weft_chan *questions, *answers;
static int looked;

static void answer(void *arg)
{
    (void)arg;
    for (int question; weft_chan_recv(questions, &question) == 0;) {
        if (question % SLOW_EVERY == 0)
            weft_sleep(5 * WEFT_MS);
        weft_chan_send(answers, &question);
    }
    weft_chan_close(answers);
}

static int ask(int question)
{
    int result = -1;

    weft_chan_send(questions, &question);
    weft_chan_recv(answers, &result); /* IO */
    return result;
}

static void look(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS / SLOW_EVERY; i++) {
        weft_sleep(WEFT_MS);
        weft_mutex_lock(&cache_lock);
        looked++;
        weft_mutex_unlock(&cache_lock);
    }
}

static void work(void)
{
    for (int i = 1; i <= ROUNDS; i++) {
        int holds = i % SLOW_EVERY == 0;
        if (holds)
            weft_mutex_lock(&cache_lock); /* LOCK */
        MUST(ask(i) == i);
        if (holds)
            weft_mutex_unlock(&cache_lock);
    }
}

static void test(void *arg)
{
    struct weft_waitgroup tasks = {0};

    (void)arg;
    questions = weft_chan_new(sizeof(int), 0);
    answers = weft_chan_new(sizeof(int), 0);
    MUST(questions && answers);
    MUST(weft_waitgroup_go(&tasks, answer, NULL) == 0);
    MUST(weft_waitgroup_go(&tasks, look, NULL) == 0);
    work();
    weft_chan_close(questions);
    weft_waitgroup_wait(&tasks);
    weft_chan_release(questions);
    weft_chan_release(answers);
    puts("asked");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
