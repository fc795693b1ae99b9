/*
 * Each call makes a repeating timer as a descriptor, waits for two ticks and returns without
 * closing it: descriptor and timer stay.
 *
 * Look at watch: timerfd_create has no close.
 */
#include "test-programs/common/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define CALLS 20

static void watch(void)
{
    struct itimerspec each_2ms = {.it_interval = {0, 2000000}, .it_value = {0, 2000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC); /* LEAK */
    uint64_t ticks;

    MUST(timer >= 0);
    MUST(timerfd_settime(timer, 0, &each_2ms, NULL) == 0); /* ARMED */
    for (int i = 0; i < 2; i++)
        MUST(read(timer, &ticks, sizeof ticks) == sizeof ticks);
}

int main(void)
{
    for (int i = 0; i < CALLS; i++)
        watch();
    printf("%d calls\n", CALLS);
    return 0;
}
