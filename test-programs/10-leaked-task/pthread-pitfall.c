/*
 * A request asks a worker thread and does not wait for ever: when the answer is late it returns,
 * and nobody is left to take the answer out of the mailbox.
 *
 * Look at mailbox_put: it waits until the answer is taken.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUESTS 100

struct mailbox {
    pthread_cond_t changed;
    bool full, taken;
    int answer;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_put = PTHREAD_COND_INITIALIZER;
static int put_count;

static void mailbox_put(struct mailbox *box, int answer)
{
    pthread_mutex_lock(&lock);
    box->answer = answer;
    box->full = true;
    pthread_cond_signal(&box->changed);
    if (++put_count == REQUESTS)
        pthread_cond_signal(&all_put);
    while (!box->taken)
        pthread_cond_wait(&box->changed, &lock); /* LEAK */
    pthread_mutex_unlock(&lock);
}

static void *look_up(void *arg)
{
    sleep_ms(10);
    mailbox_put(arg, 42);
    return NULL;
}

/* The answer, or -1 when it took longer than a millisecond. */
static int request(void)
{
    struct mailbox *box = calloc(1, sizeof *box);
    pthread_t worker;
    struct timespec limit;

    MUST(box != NULL);
    pthread_cond_init(&box->changed, NULL);
    MUST(pthread_create(&worker, NULL, look_up, box) == 0); /* SPAWN */
    pthread_detach(worker);

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 1000000;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_nsec -= 1000000000;
        limit.tv_sec++;
    }
    pthread_mutex_lock(&lock);
    while (!box->full && pthread_cond_timedwait(&box->changed, &lock, &limit) == 0)
        ;
    pthread_mutex_unlock(&lock);
    return -1; /* too late, or so it decides: `taken` is never set */
}

int main(void)
{
    for (int i = 0; i < REQUESTS; i++)
        request();

    /* So that the number is exact: every worker has put its answer before the program ends. */
    pthread_mutex_lock(&lock);
    while (put_count < REQUESTS)
        pthread_cond_wait(&all_put, &lock);
    pthread_mutex_unlock(&lock);
    printf("%d requests\n", REQUESTS);
    return 0;
}
