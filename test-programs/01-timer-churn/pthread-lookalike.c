/*
 * Looks like the churn and is right: 1200 short timers are made one after the other, and each is
 * waited for; then one that stands for all the rest is set a thousand times.
 *
 * Look at pause_for: the timer fires before it is closed.
 */
#include "test-programs/common/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

static void pause_for(long ns)
{
    struct itimerspec once = {.it_value = {0, ns}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    uint64_t ticks;

    MUST(timer >= 0 && timerfd_settime(timer, 0, &once, NULL) == 0);
    MUST(read(timer, &ticks, sizeof ticks) == sizeof ticks);
    close(timer);
}

int main(void)
{
    struct itimerspec in_a_minute = {.it_value = {60, 0}};
    int limit = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    for (int i = 0; i < 1200; i++)
        pause_for(20000);
    for (int i = 0; i < 1000; i++)
        MUST(timerfd_settime(limit, 0, &in_a_minute, NULL) == 0);
    close(limit);
    puts("paused");
    return 0;
}
