/* fd-leak-timer.c - each wait with a time limit makes a timer, which fires and stays open. */
#include "test-programs/common/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define WAITS 40

static void wait_for(long ns)
{
    const struct itimerspec limit = {.it_value = {.tv_nsec = ns}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); /* LEAK */
    uint64_t fired;

    MUST(timer >= 0 && timerfd_settime(timer, 0, &limit, NULL) == 0);
    MUST(read(timer, &fired, sizeof fired) == sizeof fired);
}

int main(void)
{
    for (int i = 0; i < WAITS; i++)
        wait_for(100000);
    puts("waited");
    return 0;
}
