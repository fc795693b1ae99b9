/*
 * storm.c - a timer's signal comes in several thousand times a second, whatever the program does:
 * locks, allocation, threads, IO. The handler itself makes wrapped calls.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define ROUNDS 40

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t signals;
static int pipes[2];

static void on_alarm(int number)
{
    (void)number;
    int saved = errno;
    char byte = 1;
    MUST(write(pipes[1], &byte, 1) == 1);
    MUST(read(pipes[0], &byte, 1) == 1);
    signals++;
    errno = saved;
}

static void *work(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        char *block = malloc((size_t)(i % 300) + 1);
        MUST(block != NULL);
        pthread_mutex_lock(&lock);
        block[0] = (char)i;
        pthread_mutex_unlock(&lock);
        free(block);
        errno = 77;
        MUST(pthread_mutex_trylock(&lock) != 0 || pthread_mutex_unlock(&lock) == 0);
        MUST(errno == 77);
    }
    return arg;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 150}, {0, 150}};
    MUST(pipe(pipes) == 0);
    MUST(sigaction(SIGALRM, &action, NULL) == 0);
    MUST(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int round = 0; round < ROUNDS || signals < 200; round++) {
        pthread_t threads[4];
        for (int i = 0; i < 4; i++)
            MUST(pthread_create(&threads[i], NULL, work, NULL) == 0);
        for (int i = 0; i < 4; i++)
            MUST(pthread_join(threads[i], NULL) == 0);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
    puts("calm again");
    return 0;
}
