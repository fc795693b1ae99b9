/*
 * The mend of pthread-pitfall: the mailbox has room for the answer, so the worker puts it and goes;
 * whoever is last, worker or request, frees the mailbox.
 *
 * Look at mailbox_put and mailbox_drop.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUESTS 100

struct mailbox {
    pthread_cond_t changed;
    int users;
    bool full;
    int answer;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_done = PTHREAD_COND_INITIALIZER;
static int freed_count;

static void mailbox_drop(struct mailbox *box)
{
    pthread_mutex_lock(&lock);
    if (--box->users == 0) {
        pthread_cond_destroy(&box->changed);
        free(box);
        if (++freed_count == REQUESTS)
            pthread_cond_signal(&all_done);
    }
    pthread_mutex_unlock(&lock);
}

static void mailbox_put(struct mailbox *box, int answer)
{
    pthread_mutex_lock(&lock);
    box->answer = answer;
    box->full = true;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&lock);
}

static void *look_up(void *arg)
{
    sleep_ms(10);
    mailbox_put(arg, 42);
    mailbox_drop(arg);
    return NULL;
}

/* The answer, or -1 when it took longer than a millisecond. */
static int request(void)
{
    struct mailbox *box = calloc(1, sizeof *box);
    pthread_t worker;
    struct timespec limit;
    int answer;

    MUST(box != NULL);
    pthread_cond_init(&box->changed, NULL);
    box->users = 2;
    MUST(pthread_create(&worker, NULL, look_up, box) == 0);
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
    answer = box->full ? box->answer : -1;
    pthread_mutex_unlock(&lock);
    mailbox_drop(box);
    return answer;
}

int main(void)
{
    for (int i = 0; i < REQUESTS; i++)
        request();

    pthread_mutex_lock(&lock);
    while (freed_count < REQUESTS)
        pthread_cond_wait(&all_done, &lock);
    pthread_mutex_unlock(&lock);
    printf("%d requests\n", REQUESTS);
    return 0;
}
