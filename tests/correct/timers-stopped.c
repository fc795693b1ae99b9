/*
 * timers-stopped.c - every kind of timer, each stopped in its own way: deleted, closed, set to
 * zero, fired once; an alarm that is called off; a duplicate of a timer's descriptor closed as
 * well.
 */
#include "test-programs/common/sample.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

static void posix_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec each_2ms = {.it_interval = {0, 2000000}, .it_value = {0, 2000000}};
    sig_atomic_t until = ticks + 3;
    timer_t timer;

    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    MUST(timer_settime(timer, 0, &each_2ms, NULL) == 0);
    while (ticks < until)
        sleep_ms(1);
    MUST(timer_delete(timer) == 0);
}

static void timer_descriptor(void)
{
    struct itimerspec each_2ms = {.it_interval = {0, 2000000}, .it_value = {0, 2000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int copy = dup(timer);
    uint64_t count;

    MUST(timer >= 0 && copy >= 0);
    MUST(timerfd_settime(timer, 0, &each_2ms, NULL) == 0);
    close(timer);
    MUST(read(copy, &count, sizeof count) == sizeof count);
    close(copy);
}

static void interval_timer(void)
{
    struct itimerval each_2ms = {.it_interval = {0, 2000}, .it_value = {0, 2000}};
    struct itimerval off = {.it_interval = {0, 0}, .it_value = {0, 0}};
    sig_atomic_t until = ticks + 3;

    MUST(setitimer(ITIMER_REAL, &each_2ms, NULL) == 0);
    while (ticks < until)
        sleep_ms(1);
    MUST(setitimer(ITIMER_REAL, &off, NULL) == 0);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_tick, .sa_flags = SA_RESTART};

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    for (int i = 0; i < 5; i++) {
        posix_timer();
        timer_descriptor();
        interval_timer();
        alarm(30);
        alarm(0);
    }
    puts("stopped");
    return 0;
}
