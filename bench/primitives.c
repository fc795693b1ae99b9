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

static void mutex_two(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, lock_often, (void *)(n / 2)) != 0)
        abort();
    lock_often((void *)(n / 2));
    pthread_join(thread, NULL);
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
} primitives[] = {{"mutex", mutex_alone},  {"mutex_deep", mutex_deep}, {"mutex_two", mutex_two},
                  {"malloc", malloc_free}, {"thread", create_join},    {"timer", create_delete},
                  {"write", write_null}};

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
