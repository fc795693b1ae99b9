/*
 * Looks like the mistake and is right: the lock is mostly held for a moment, so it is tried a
 * hundred times before the thread waits for it.
 *
 * Look at the bound of the loop in acquire.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define TURNS 300
#define SPINS 100

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int turns;

static void acquire(void)
{
    for (int i = 0; i < SPINS; i++) {
        if (pthread_mutex_trylock(&lock) == 0)
            return;
        sched_yield();
    }
    pthread_mutex_lock(&lock);
}

static void *take_turns(void *arg)
{
    for (int i = 0; i < TURNS; i++) {
        acquire();
        turns++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, take_turns, NULL) == 0);
    take_turns(NULL);
    pthread_join(thread, NULL);
    printf("%d turns\n", turns);
    return 0;
}
