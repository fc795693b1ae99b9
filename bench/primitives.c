/*
 * primitives PRIMITIVE N: N operations of a primitive of the C library in a fresh process. Prints
 * the nanoseconds that they took. primitives.py runs it plainly and recorded, in turn.
 *
 * A process's first operation costs more: the C library maps a stack, Loiter makes files. It comes
 * before those that are measured; with N 0 it is what is measured.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/test/number.h"

static long n;
#define FIRST 2 /* for each of two threads one */
static volatile long counter;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *lock_often(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void mutex_alone(void)
{
    lock_often((void *)n);
}

#define DEEP 12

/* As mutex_alone, from further down the stack, as programs have it. */
__attribute__((noinline)) static void lock_from(volatile int depth)
{
    if (depth == 0)
        lock_often((void *)n);
    else
        lock_from(depth - 1);
    counter++;
}

static void mutex_deep(void)
{
    lock_from(DEEP);
}

static void *stay(void *arg)
{
    pause();
    return arg;
}

/* As mutex_alone, where the process has another thread, which does nothing. */
static void mutex_among(void)
{
    static int there;
    pthread_t thread;
    if (!there && pthread_create(&thread, NULL, stay, NULL) != 0)
        abort();
    there = 1;
    lock_often((void *)n);
}

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void *read_often(void *arg)
{
    long seen = 0;
    for (long i = 0; i < (long)arg; i++) {
        pthread_rwlock_rdlock(&rwlock);
        seen += counter;
        pthread_rwlock_unlock(&rwlock);
    }
    return (void *)seen;
}

static void in_two_threads(void *(*often)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, often, (void *)(n / 2)) != 0)
        abort();
    often((void *)(n / 2));
    pthread_join(thread, NULL);
}

static void mutex_two(void)
{
    in_two_threads(lock_often);
}

static void rwlock_two(void)
{
    in_two_threads(read_often);
}

static void malloc_free(void)
{
    for (long i = 0; i < n; i++) {
        void *volatile block = malloc(64);
        free(block);
    }
}

static void *nothing(void *arg)
{
    return arg;
}

/* Where a thread runs on another processor than its maker, what is measured is how long that one
 * takes to wake up, ten times what a thread costs on a busy machine. */
static void stay_on_this_processor(void)
{
    cpu_set_t one;
    int here = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(here < 0 ? 0 : (size_t)here, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* Two threads in turn, on one processor: each operation is a wait and a waking. */
static pthread_cond_t cond[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static int turn;

static void cond_half(int me)
{
    pthread_mutex_lock(&mutex);
    for (long i = 0; i < n / 2; i++) {
        while (turn != me)
            pthread_cond_wait(&cond[me], &mutex);
        turn = !me;
        pthread_cond_signal(&cond[!me]);
    }
    pthread_mutex_unlock(&mutex);
}

static sem_t sems[2];

static void sem_half(int me)
{
    for (long i = 0; i < n / 2; i++) {
        while (sem_wait(&sems[me]) != 0)
            continue;
        sem_post(&sems[!me]);
    }
}

static void (*half)(int me);

static void *other_half(void *arg)
{
    half(1);
    return arg;
}

static void take_turns(void (*with)(int me))
{
    pthread_t thread;
    half = with;
    stay_on_this_processor();
    if (pthread_create(&thread, NULL, other_half, NULL) != 0)
        abort();
    half(0);
    pthread_join(thread, NULL);
}

static void cond_turns(void)
{
    take_turns(cond_half);
}

static void sem_turns(void)
{
    sem_init(&sems[0], 0, 1);
    sem_init(&sems[1], 0, 0);
    take_turns(sem_half);
}

static void create_join(void)
{
    stay_on_this_processor();
    for (long i = 0; i < n; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0)
            abort();
        pthread_join(thread, NULL);
    }
}

static void create_delete(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_NONE};
    for (long i = 0; i < n; i++) {
        timer_t id;
        if (timer_create(CLOCK_MONOTONIC, &event, &id) != 0)
            abort();
        timer_delete(id);
    }
}

static void write_null(void)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    for (long i = 0; i < n; i++) {
        if (write(fd, "x", 1) != 1)
            abort();
    }
    close(fd);
}

static const struct {
    const char *name;
    void (*run)(void);
} primitives[] = {
    {"mutex", mutex_alone},       {"mutex_deep", mutex_deep}, {"mutex_two", mutex_two},
    {"mutex_among", mutex_among}, {"rwlock_two", rwlock_two}, {"cond", cond_turns},
    {"sem", sem_turns},           {"malloc", malloc_free},    {"thread", create_join},
    {"timer", create_delete},     {"write", write_null}};

static long now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    n = number_read("N", argv[2], 0, LONG_MAX);
    for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++) {
        if (strcmp(argv[1], primitives[i].name) != 0)
            continue;
        const long wanted = n;
        n = FIRST;
        long began = now_ns();
        primitives[i].run();
        n = wanted;
        if (wanted != 0) {
            began = now_ns();
            primitives[i].run();
        }
        printf("%ld\n", now_ns() - began);
        return 0;
    }
    return 2;
}
