/*
 * weft-pool-served-by-others.c - each request is a task that gives a job to the pool and ends; when
 * the main task returns, all who ever served the workers have ended, and the next request would
 * serve them again.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

struct job {
    struct weft_chan *result;
    int number;
};

static struct weft_chan *jobs;

static void worker(void *arg)
{
    struct job job;

    (void)arg;
    while (weft_chan_recv(jobs, &job) == 0) {
        job.number *= 2;
        weft_chan_send(job.result, &job.number);
    }
}

static void request(void *arg)
{
    struct job job = {weft_chan_new(sizeof(int), 1), 21};
    int answer;

    (void)arg;
    weft_chan_send(jobs, &job);
    weft_chan_recv(job.result, &answer);
    MUST(answer == 42);
    weft_chan_release(job.result);
}

static void test(void *arg)
{
    (void)arg;
    jobs = weft_chan_new(sizeof(struct job), 0);
    for (int i = 0; i < 4; i++)
        MUST(weft_go(worker, NULL) == 0);
    for (int i = 0; i < 40; i++) {
        struct weft_waitgroup one = {0};

        MUST(weft_waitgroup_go(&one, request, NULL) == 0);
        weft_waitgroup_wait(&one);
    }
    puts("40 requests");
}

int main(void)
{
    return weft_run(test, NULL) == 0 ? 0 : 1;
}
