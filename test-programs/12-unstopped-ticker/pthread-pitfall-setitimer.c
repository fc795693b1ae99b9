/*
 * A thread starts the process's interval timer for its own use, and ends without turning it off:
 * the signal goes on interrupting the others.
 *
 * Look at watch: setitimer is never called with zero.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static void *watch(void *arg)
{
    struct itimerval each_5ms = {.it_interval = {0, 5000}, .it_value = {0, 5000}};

    MUST(setitimer(ITIMER_REAL, &each_5ms, NULL) == 0); /* LEAK */
    while (ticks < 4)
        sleep_ms(1);
    return arg;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    pthread_t thread;

    sigaction(SIGALRM, &action, NULL);
    MUST(pthread_create(&thread, NULL, watch, NULL) == 0);
    pthread_join(thread, NULL);
    sleep_ms(20);
    printf("watched\n");
    return 0;
}
