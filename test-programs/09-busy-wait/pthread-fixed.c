/*
 * The mend of pthread-pitfall: the thread waits for a condition.
 *
 * Look at the pthread_cond_wait in main.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t answered = PTHREAD_COND_INITIALIZER;
static int answer;

static void *server(void *arg)
{
    sleep_ms(400);
    pthread_mutex_lock(&lock);
    answer = 42;
    pthread_cond_signal(&answered);
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, server, NULL) == 0);
    pthread_mutex_lock(&lock);
    while (answer == 0)
        pthread_cond_wait(&answered, &lock);
    pthread_mutex_unlock(&lock);
    printf("%d\n", answer);
    pthread_join(thread, NULL);
    return 0;
}
