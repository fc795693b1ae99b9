/*
 * thread_calls.c - making, joining, detaching and ending threads, in ordinary and in odd use: each
 * answer and errno printed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

static const struct timespec past = {1, 0};
static sem_t go, here;

static void *wait_then(void *arg)
{
    sem_post(&here);
    sem_wait(&go);
    return arg;
}

static void *leave(void *arg)
{
    pthread_exit(arg);
}

static void *for_ever(void *arg)
{
    sem_post(&here);
    for (;;)
        pause();
    return arg;
}

/* Said after the join: the canceller may still be on its way back from its call. */
static const char *cleaned_what = "nothing";

static void cleaned(void *arg)
{
    cleaned_what = arg;
}

static void *cancelled_in_a_lock(void *arg)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(cleaned, arg);
    sem_post(&here);
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void join(pthread_t thread)
{
    void *result = NULL;
    SAY(pthread_join(thread, &result));
    printf("result %ld\n", (long)(intptr_t)result);
}

static void joins(void)
{
    pthread_t thread;
    void *result = (void *)5;
    SAY(pthread_create(&thread, NULL, wait_then, (void *)7));
    sem_wait(&here);
    SAY(pthread_tryjoin_np(thread, &result));
    SAY(pthread_timedjoin_np(thread, &result, &past));
    SAY(pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &past));
    SAY(pthread_clockjoin_np(thread, &result, CLOCK_PROCESS_CPUTIME_ID, &past));
    printf("untouched %ld\n", (long)(intptr_t)result);
    sem_post(&go);
    join(thread);
    SAY(pthread_create(&thread, NULL, leave, (void *)9));
    join(thread);
    SAY(pthread_join(pthread_self(), NULL));
    SAY(pthread_create(&thread, NULL, wait_then, NULL));
    sem_wait(&here);
    SAY(pthread_detach(thread));
    SAY(pthread_detach(thread));
    SAY(pthread_join(thread, NULL));
    sem_post(&go);
}

static void attributes(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t bytes = 0;
    SAY(pthread_attr_init(&attr));
    SAY(pthread_attr_setstacksize(&attr, 16384));
    SAY(pthread_create(&thread, &attr, leave, (void *)11)); /* the least that there can be */
    join(thread);
    SAY(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
    SAY(pthread_create(&thread, &attr, wait_then, NULL));
    sem_wait(&here);
    SAY(pthread_join(thread, NULL));
    sem_post(&go);
    SAY(pthread_attr_getstacksize(&attr, &bytes));
    SAY(bytes);
    SAY(pthread_attr_setstacksize(&attr, (size_t)1 << 46));
    SAY(pthread_create(&thread, &attr, leave, NULL)); /* no room for such a stack */
    SAY(pthread_attr_destroy(&attr));
}

static void cancels(void)
{
    pthread_t thread;
    SAY(pthread_create(&thread, NULL, for_ever, NULL));
    sem_wait(&here);
    SAY(pthread_cancel(thread));
    join(thread);
    SAY(pthread_create(&thread, NULL, cancelled_in_a_lock, "the wait"));
    sem_wait(&here);
    SAY(pthread_cancel(thread));
    join(thread);
    printf("cleaned %s\n", cleaned_what);
}

static int c11_result(void *arg)
{
    return (int)(intptr_t)arg;
}

static int c11_leaves(void *arg)
{
    (void)arg;
    thrd_exit(13);
}

static void c11(void)
{
    thrd_t thread;
    int result = 0;
    SAY(thrd_create(&thread, c11_result, (void *)-3));
    SAY(thrd_join(thread, &result));
    SAY(result);
    SAY(thrd_create(&thread, c11_leaves, NULL));
    SAY(thrd_join(thread, &result));
    SAY(result);
    SAY(thrd_create(&thread, c11_leaves, NULL));
    SAY(thrd_detach(thread));
    SAY(thrd_sleep(&(struct timespec){0, 1000}, NULL));
}

int main(void)
{
    sem_init(&go, 0, 0);
    sem_init(&here, 0, 0);
    joins();
    attributes();
    cancels();
    c11();
    return 0;
}
