/*
 * Looks like the leak and is right: one repeating timer is used for the life of the program, taken
 * at each turn and closed at the end; a time-out is set again a thousand times and never fires; a
 * third one fires once and is done.
 *
 * Look at main: three timers, each ends.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TURNS 50

int main(void)
{
    struct itimerspec each_2ms = {.it_interval = {0, 2000000}, .it_value = {0, 2000000}};
    struct itimerspec in_a_minute = {.it_value = {60, 0}};
    struct itimerspec once = {.it_value = {0, 1000000}};
    struct itimerspec never = {.it_value = {0, 0}};
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    int ticker = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int one_shot = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    timer_t time_out;
    uint64_t ticks;

    MUST(ticker >= 0 && one_shot >= 0);
    MUST(timer_create(CLOCK_MONOTONIC, &event, &time_out) == 0);
    MUST(timerfd_settime(ticker, 0, &each_2ms, NULL) == 0);
    MUST(timerfd_settime(one_shot, 0, &once, NULL) == 0);

    for (int i = 0; i < TURNS; i++) {
        for (int j = 0; j < 20; j++)
            MUST(timer_settime(time_out, 0, &in_a_minute, NULL) == 0);
        MUST(read(ticker, &ticks, sizeof ticks) == sizeof ticks);
    }

    MUST(timer_settime(time_out, 0, &never, NULL) == 0);
    MUST(read(one_shot, &ticks, sizeof ticks) == sizeof ticks);
    timer_delete(time_out);
    close(ticker);
    printf("%d turns\n", TURNS);
    return 0;
}
