/*
 * shared-with-others.c - processes take turns by what they have in common: semaphores, a mutex and
 * a condition. One child waits for its next turn in two ways as it is ended by a signal, the other
 * one was never asked for anything.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TURNS = 20 };

static struct shared {
    sem_t ask, answer, idle, spare;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int work;
    long answers;
} * shared;

static void make(void)
{
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(shared != MAP_FAILED);
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    MUST(pthread_mutex_init(&shared->lock, &mutex) == 0);
    MUST(pthread_cond_init(&shared->changed, &cond) == 0);
    MUST(sem_init(&shared->ask, 1, 0) == 0 && sem_init(&shared->answer, 1, 0) == 0 &&
         sem_init(&shared->idle, 1, 0) == 0 && sem_init(&shared->spare, 1, 0) == 0);
}

static void *waits_for_work(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&shared->lock);
    sem_post(&shared->idle);
    while (shared->work == 0)
        pthread_cond_wait(&shared->changed, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
    return NULL;
}

static void serve(void)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, waits_for_work, NULL) == 0);
    for (;;) {
        sem_wait(&shared->ask);
        shared->answers++;
        sem_post(&shared->answer);
    }
}

static void never_asked(void)
{
    sem_post(&shared->idle);
    sem_wait(&shared->spare);
}

static pid_t begin(void (*run)(void))
{
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        run();
        _exit(1);
    }
    sem_wait(&shared->idle); /* it waits, or will in a moment */
    return child;
}

static void end(pid_t child)
{
    int status;

    kill(child, SIGTERM);
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
}

int main(void)
{
    make();
    pid_t server = begin(serve), spare = begin(never_asked);
    for (int i = 0; i < TURNS; i++) {
        sem_post(&shared->ask);
        sem_wait(&shared->answer);
    }
    usleep(200000); /* all of them have waited for some time */
    end(spare);
    end(server);
    printf("%ld answers\n", shared->answers);
    return 0;
}
