/*
 * busy-timed-wait.c - a worker waits for its queue with a time limit so short that it is a look;
 * the producer counts on that and signals nobody.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define LOOKS 12000 /* it takes that many until there is something */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static int looks, queued;

static void *produce(void *arg)
{
    for (int enough = 0; !enough;) {
        sleep_ms(10);
        pthread_mutex_lock(&lock);
        enough = queued = looks >= LOOKS;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void take(void)
{
    pthread_mutex_lock(&lock);
    while (queued == 0) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 10000;
        if (soon.tv_nsec >= 1000000000) {
            soon.tv_nsec -= 1000000000;
            soon.tv_sec++;
        }
        pthread_cond_timedwait(&filled, &lock, &soon); /* LOOK */
        looks++;
    }
    queued = 0;
    pthread_mutex_unlock(&lock);
}

int main(void)
{
    pthread_t producer;

    MUST(pthread_create(&producer, NULL, produce, NULL) == 0);
    take();
    pthread_join(producer, NULL);
    puts("taken");
    return 0;
}
