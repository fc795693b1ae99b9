/*
 * The mend of pthread-pitfall: the timer goes with the call that made it.
 *
 * Look at the end of watch.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#define CALLS 20

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static void watch(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec each_5ms = {.it_interval = {0, 5000000}, .it_value = {0, 5000000}};
    timer_t timer;
    sig_atomic_t until = ticks + 2;

    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    MUST(timer_settime(timer, 0, &each_5ms, NULL) == 0);
    while (ticks < until)
        sleep_ms(1);
    timer_delete(timer);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};

    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < CALLS; i++)
        watch();
    printf("%d calls\n", CALLS);
    return 0;
}
