/*
 * busy-trylock-logged.c - a lock is tried again and again, and each try in vain is counted under
 * another lock, which is had each time: that is not what the loop waits for.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER, stats = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;
static long tries;

static void *use_table(void *arg)
{
    pthread_mutex_lock(&table);
    pthread_barrier_wait(&held);
    do
        sleep_ms(400);
    while (!has_burned_ms(100));
    pthread_mutex_unlock(&table);
    return arg;
}

static void count_try(void)
{
    pthread_mutex_lock(&stats);
    tries++;
    pthread_mutex_unlock(&stats);
}

static void take_table(void)
{
    while (pthread_mutex_trylock(&table) != 0) /* TRY */
        count_try();
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_barrier_init(&held, NULL, 2) == 0);
    MUST(pthread_create(&thread, NULL, use_table, NULL) == 0);
    pthread_barrier_wait(&held);
    take_table();
    pthread_mutex_unlock(&table);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&held);
    puts(tries > 0 ? "taken" : "taken at once");
    return 0;
}
