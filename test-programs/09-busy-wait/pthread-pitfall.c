/*
 * A thread waits for a flag by looking at it again and again, and is polite about it: it yields
 * between. It keeps a processor busy for as long as the other takes.
 *
 * Look at the loop in main.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static atomic_int answer;

/* On a busy machine the other hardly gets to look: the answer comes once it has burned something.
 */
static void *server(void *arg)
{
    for (int i = 0; i < 75 && (i == 0 || clock() < CLOCKS_PER_SEC / 5); i++)
        sleep_ms(400);
    answer = 42;
    return arg;
}

int main(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, server, NULL) == 0);
    while (answer == 0)
        sched_yield(); /* YIELD */
    printf("%d\n", answer);
    pthread_join(thread, NULL);
    return 0;
}
