/*
 * eintr.c - signals interrupt or restart a call as its handler's flags say, and what a handler does
 * itself works.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

static int quiet[2], handled[2];
static _Atomic int hits;
static _Atomic int done;

/* Interrupts a call that waits, and reads and writes on its own. */
static void on_signal(int signo)
{
    char c = (char)signo;
    int error = errno;
    if (write(handled[1], &c, 1) == 1 && read(handled[0], &c, 1) == 1)
        atomic_fetch_add(&hits, 1);
    errno = error;
}

static void *pester(void *arg)
{
    pthread_t whom = *(pthread_t *)arg;
    while (!atomic_load(&done)) {
        pthread_kill(whom, SIGUSR1);
        usleep(500);
    }
    return NULL;
}

static void interrupted(void)
{
    char c;
    struct pollfd one = {quiet[0], POLLIN, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(quiet[0], &set);
    SAY(read(quiet[0], &c, 1));
    SAY(nanosleep(&(struct timespec){1000, 0}, NULL));
    SAY(clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){1000, 0}, NULL));
    SAY(poll(&one, 1, -1));
    SAY(select(quiet[0] + 1, &set, NULL, NULL, NULL));
    SAY(pause());
    SAY(sleep(1000) > 990);
    SAY(usleep(999999999));
    sem_t never;
    sem_init(&never, 0, 0);
    SAY(sem_wait(&never));
}

static void *feed(void *arg)
{
    int before = atomic_load(&hits);
    while (atomic_load(&hits) < before + 3) /* it was interrupted, and went on waiting */
        usleep(500);
    (void)!write(quiet[1], "x", 1);
    return arg;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    pthread_t me = pthread_self(), pest, feeder;
    char c;
    MUST(pipe(quiet) == 0 && pipe(handled) == 0);
    sigaction(SIGUSR1, &action, NULL);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    MUST(pthread_create(&pest, NULL, pester, &me) == 0);
    interrupted();
    action.sa_flags = SA_RESTART;
    sigaction(SIGUSR1, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    MUST(pthread_create(&feeder, NULL, feed, NULL) == 0);
    pthread_sigmask(SIG_UNBLOCK, &usr1, NULL);
    SAY(read(quiet[0], &c, 1));
    pthread_sigmask(SIG_BLOCK, &usr1, NULL);
    atomic_store(&done, 1);
    pthread_join(pest, NULL);
    pthread_join(feeder, NULL);
    MUST(atomic_load(&hits) > 0);
    struct timespec soon = {0, 1000000};
    int signo;
    pthread_kill(me, SIGUSR1); /* blocked: it stays pending */
    SAY(sigwait(&usr1, &signo));
    SAY(sigtimedwait(&usr1, NULL, &soon));
    return 0;
}
