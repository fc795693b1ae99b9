/*
 * thread_bench WORKLOAD N: what weft_bench does, with threads and what POSIX has for them, where
 * there is a counterpart. Prints the wall time and the CPU time.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runtime/test/number.h"

#define THREADS_MAX 1000
#define ROOM        128

static long n;
static volatile long sink;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Starts them all, then joins them all. */
static void together(long count, void *(*fn)(void *), void *arg)
{
    pthread_t threads[THREADS_MAX];
    for (long i = 0; i < count; i++) {
        if (pthread_create(&threads[i], NULL, fn, arg) != 0)
            abort();
    }
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

static void *nothing(void *arg)
{
    return arg;
}

static void spawn_batch(void)
{
    for (long i = 0; i < n; i += THREADS_MAX)
        together(THREADS_MAX, nothing, NULL);
}

static void spawn_one(void)
{
    for (long i = 0; i < n; i++)
        together(1, nothing, NULL);
}

static void *yielder(void *arg)
{
    for (long i = 0; i < n / 2; i++)
        sched_yield();
    return arg;
}

static void yield2(void)
{
    together(2, yielder, NULL);
}

/* A queue of `room` places; with one place it is the hand-over of a ping-pong. */
struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    long head, tail, room;
    long items[ROOM];
};

static struct queue ping = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 1, {0}};
static struct queue pong = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 1, {0}};
static struct queue line = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, ROOM, {0}};

static void put(struct queue *q, long value)
{
    pthread_mutex_lock(&q->mutex);
    while (q->tail - q->head == q->room)
        pthread_cond_wait(&q->changed, &q->mutex);
    q->items[q->tail++ % q->room] = value;
    if (q->tail - q->head == 1)
        pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
}

static long take(struct queue *q)
{
    pthread_mutex_lock(&q->mutex);
    while (q->tail == q->head)
        pthread_cond_wait(&q->changed, &q->mutex);
    long value = q->items[q->head++ % q->room];
    if (q->tail - q->head == q->room - 1)
        pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mutex);
    return value;
}

static void *answer(void *arg)
{
    for (long i = 0; i < n; i++)
        put(&pong, take(&ping) + 1);
    return arg;
}

static void pingpong(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        abort();
    for (long i = 0; i < n; i++) {
        put(&ping, i);
        sink += take(&pong);
    }
    pthread_join(thread, NULL);
}

static void *produce(void *arg)
{
    for (long i = 0; i < n; i++)
        put(&line, i);
    return arg;
}

static void buffered(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, produce, NULL) != 0)
        abort();
    for (long i = 0; i < n; i++)
        sink += take(&line);
    pthread_join(thread, NULL);
}

static void *locker(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        pthread_mutex_lock(&mutex);
        sink++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

/* With a second thread about: the C library's locks are cheaper without. */
static void mutex_alone(void)
{
    together(1, locker, (void *)n);
}

static void mutex_two(void)
{
    together(2, locker, (void *)(n / 2));
}

static void mutex_16(void)
{
    together(16, locker, (void *)(n / 16));
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;

static void *reader(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        pthread_rwlock_rdlock(&rw);
        sink++;
        pthread_rwlock_unlock(&rw);
    }
    return NULL;
}

static void rw_read(void)
{
    together(1, reader, (void *)n);
}

static void *rw_user(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        if (i % 16 == 0) {
            pthread_rwlock_wrlock(&rw);
            sink++;
        } else {
            pthread_rwlock_rdlock(&rw);
        }
        pthread_rwlock_unlock(&rw);
    }
    return NULL;
}

static void rw_16(void)
{
    together(16, rw_user, (void *)(n / 16));
}

static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static long turn;

static void *take_turns(void *arg)
{
    long mine = (long)arg;
    pthread_mutex_lock(&mutex);
    for (long i = 0; i < n; i++) {
        while (turn != mine)
            pthread_cond_wait(&turn_changed, &mutex);
        turn = !mine;
        pthread_cond_signal(&turn_changed);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void cond_turns(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, take_turns, (void *)1) != 0)
        abort();
    take_turns((void *)0);
    pthread_join(thread, NULL);
}

static sem_t sem;

static void *sem_user(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        sem_wait(&sem);
        sink++;
        sem_post(&sem);
    }
    return NULL;
}

static void sem_alone(void)
{
    sem_init(&sem, 0, 4);
    together(1, sem_user, (void *)n);
}

static void *sem_keeper(void *arg)
{
    for (long i = 0; i < (long)arg; i++) {
        sem_wait(&sem);
        sched_yield();
        sem_post(&sem);
    }
    return NULL;
}

static void sem_16(void)
{
    sem_init(&sem, 0, 4);
    together(16, sem_keeper, (void *)(n / 16));
}

static void set_sink(void)
{
    sink = 1;
}

static void once(void)
{
    static pthread_once_t done = PTHREAD_ONCE_INIT;
    for (long i = 0; i < n; i++)
        pthread_once(&done, set_sink);
}

static const struct {
    const char *name;
    void (*run)(void);
} workloads[] = {
    {"spawn_batch", spawn_batch}, {"spawn_one", spawn_one}, {"yield2", yield2},
    {"pingpong", pingpong},       {"pinned", pingpong},     {"buffered", buffered},
    {"mutex_alone", mutex_alone}, {"mutex_two", mutex_two}, {"mutex_16", mutex_16},
    {"rw_read", rw_read},         {"rw_16", rw_16},         {"cond_turns", cond_turns},
    {"sem_alone", sem_alone},     {"sem_16", sem_16},       {"once", once},
};

static long clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000 + t.tv_nsec;
}

int main(int argc, char **argv)
{
    n = argc == 3 ? number_read("N", argv[2], 1, LONG_MAX) : 0;
    for (size_t i = 0; n > 0 && i < sizeof workloads / sizeof *workloads; i++) {
        if (strcmp(argv[1], workloads[i].name) != 0)
            continue;
        long wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        workloads[i].run();
        wall = clock_ns(CLOCK_MONOTONIC) - wall;
        cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        printf("ns=%ld cpu=%ld\n", wall, cpu);
        return 0;
    }
    fprintf(stderr, "usage: thread_bench WORKLOAD N\n");
    return 2;
}
