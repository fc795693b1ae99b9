/*
 * leak-futex.c - the leak by the kernel's futex call: each job has a word that says that it is
 * done, and one of its threads waits for it; a job that fails forgets to say so.
 */
#include "test-programs/common/sample.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct job {
    uint32_t done;
    int number;
};

static void say_done(struct job *job)
{
    __atomic_store_n(&job->done, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &job->done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_until_done(struct job *job)
{
    while (__atomic_load_n(&job->done, __ATOMIC_ACQUIRE) == 0)
        syscall(SYS_futex, &job->done, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0); /* LEAK */
}

static void *work(void *arg)
{
    struct job *job = arg;
    sleep_ms(2);
    if (job->number % 2 == 0) /* the others fail */
        say_done(job);
    return arg;
}

static void *collect(void *arg)
{
    wait_until_done(arg);
    free(arg);
    return NULL;
}

static void start_job(int number)
{
    struct job *job = calloc(1, sizeof *job);
    pthread_t worker, collector;
    MUST(job != NULL);
    job->number = number;
    MUST(pthread_create(&collector, NULL, collect, job) == 0); /* SPAWN */
    MUST(pthread_detach(collector) == 0);
    MUST(pthread_create(&worker, NULL, work, job) == 0);
    MUST(pthread_join(worker, NULL) == 0);
}

int main(void)
{
    for (int i = 0; i < 16; i++)
        start_job(i);
    wait_until_others_wait();
    puts("started");
    return 0;
}
