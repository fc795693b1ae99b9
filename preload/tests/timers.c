/*
 * timers.c - timers of each kind do what they do without the library.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

static sem_t fired;
static _Atomic int ticks;

static void in_thread(union sigval value)
{
    MUST(value.sival_int == 77);
    sem_post(&fired);
}

static void on_alarm(int signo)
{
    (void)signo;
    atomic_fetch_add(&ticks, 1);
    sem_post(&fired);
}

static void wait_fired(void)
{
    while (sem_wait(&fired) != 0)
        MUST(errno == EINTR);
}

static void posix_timers(void)
{
    const struct itimerspec fast = {{0, 2000000}, {0, 1000000}};
    const struct itimerspec off = {{0, 0}, {0, 0}}, wrong = {{0, 0}, {0, -1}};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 77};
    event.sigev_notify_function = in_thread;
    timer_t t;
    SAY(timer_create(CLOCK_MONOTONIC, &event, &t));
    SAY(timer_settime(t, 0, &wrong, NULL));
    SAY(timer_settime(t, 0, &fast, NULL));
    for (int i = 0; i < 5; i++)
        wait_fired();
    SAY(timer_settime(t, 0, &off, NULL));
    SAY(timer_delete(t));
    event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    SAY(timer_create(12345, &event, &t));
    SAY(timer_create(CLOCK_REALTIME, &event, &t));
    struct itimerspec at = {{0, 0}, {0, 0}};
    clock_gettime(CLOCK_REALTIME, &at.it_value);
    sem_init(&fired, 0, 0);
    SAY(timer_settime(t, TIMER_ABSTIME, &at, NULL));
    wait_fired();
    SAY(timer_getoverrun(t));
    SAY(timer_delete(t));
    event.sigev_notify = SIGEV_NONE;
    SAY(timer_create(CLOCK_MONOTONIC, &event, &t));
    SAY(timer_delete(t));
}

static void descriptors(void)
{
    const struct itimerspec fast = {{0, 1000000}, {0, 1000000}}, off = {{0, 0}, {0, 0}};
    struct itimerspec was;
    uint64_t n = 0;
    int fd;
    SAY(timerfd_create(12345, 0));
    SAY(fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    SAY(timerfd_settime(fd, 0, &fast, NULL));
    struct pollfd one = {fd, POLLIN, 0};
    SAY(poll(&one, 1, -1));
    SAY(read(fd, &n, sizeof n));
    MUST(n >= 1 && n < 1000000);
    SAY(read(fd, &n, 4));
    SAY(timerfd_settime(fd, 0, &off, &was));
    SAY(was.it_interval.tv_nsec);
    SAY(timerfd_settime(fd, 0, NULL, NULL));
    SAY(timerfd_settime(0, 0, &off, NULL));
    SAY(close(fd));
    SAY(read(fd, &n, sizeof n));
    SAY(fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    SAY(read(fd, &n, sizeof n));
    SAY(close(fd));
}

static void intervals(void)
{
    const struct itimerval fast = {{0, 1000}, {0, 1000}}, off = {{0, 0}, {0, 0}};
    const struct itimerval wrong = {{0, 0}, {0, -1}};
    sem_init(&fired, 0, 0);
    SAY(setitimer(ITIMER_REAL, &wrong, NULL));
    SAY(setitimer(ITIMER_REAL, &fast, NULL));
    for (int i = 0; i < 3; i++)
        wait_fired();
    SAY(setitimer(ITIMER_REAL, &off, NULL));
    SAY(setitimer(99, &fast, NULL));
    SAY(alarm(100));
    SAY(alarm(0));
    sem_init(&fired, 0, 0);
    SAY(ualarm(1000, 0));
    wait_fired();
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sem_init(&fired, 0, 0);
    posix_timers();
    descriptors();
    intervals();
    return 0;
}
