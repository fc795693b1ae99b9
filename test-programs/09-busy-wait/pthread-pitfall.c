/*
 * A thread waits for an answer by asking for it again and again. It keeps a processor busy for as
 * long as the other takes.
 *
 * Look at the loop in main.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

static sem_t answered;
static int answer;

static void *server(void *arg)
{
    do
        sleep_ms(400);
    while (!has_burned_ms(100));
    answer = 42;
    sem_post(&answered);
    return arg;
}

int main(void)
{
    pthread_t thread;

    MUST(sem_init(&answered, 0, 0) == 0);
    MUST(pthread_create(&thread, NULL, server, NULL) == 0);
    while (sem_trywait(&answered) != 0) /* TRY */
        continue;
    printf("%d\n", answer);
    pthread_join(thread, NULL);
    return 0;
}
