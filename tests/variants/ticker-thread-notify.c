/*
 * ticker-thread-notify.c - the ticker that nobody stops, as a timer that calls a function in a
 * thread of libc's, started by a helper.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define WATCHES 8

static atomic_int beats;

static void beat(union sigval value)
{
    (void)value;
    atomic_fetch_add(&beats, 1);
}

static timer_t start_timer(long period_ns)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    struct itimerspec period = {.it_interval = {0, period_ns}, .it_value = {0, period_ns}};
    timer_t timer;

    event.sigev_notify_function = beat;
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0); /* LEAK */
    MUST(timer_settime(timer, 0, &period, NULL) == 0);        /* ARMED */
    return timer;
}

static void watch(void)
{
    int seen = atomic_load(&beats);

    (void)start_timer(10000000);
    while (atomic_load(&beats) == seen)
        sleep_ms(1);
}

int main(void)
{
    for (int i = 0; i < WATCHES; i++)
        watch();
    puts("watched");
    return 0;
}
