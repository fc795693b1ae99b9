/*
 * plant.c - a program with one pitfall, for `loiter doctor`: loiter-plant KIND. Needs nothing but
 * libc. Here are those that wait for ever or too long; plant_costs.c has the others.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "test-programs/plants/plant.h"

#define THREADS      1500
#define THREAD_STACK (64 << 10)
#define READERS      4
#define ROUNDS       5

void must(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(1);
    }
}

void pause_ms(long ms)
{
    struct timespec t = {0, ms * 1000000};
    nanosleep(&t, NULL);
}

/* ---- thread: its owner left, and with it the only one who could have posted ---- */

struct request {
    sem_t answered, started;
};

static void *wait_for_nobody(void *arg)
{
    struct request *r = arg;
    sem_post(&r->started);
    sem_wait(&r->answered);
    return NULL;
}

static void *ask_and_leave(void *arg)
{
    pthread_t thread;
    struct request *r = calloc(1, sizeof(*r));
    must(r != NULL, "calloc");
    sem_init(&r->answered, 0, 0);
    sem_init(&r->started, 0, 0);
    must(pthread_create(&thread, NULL, wait_for_nobody, r) == 0, "pthread_create");
    pthread_detach(thread);
    sem_wait(&r->started);
    return arg;
}

static void in_thread(void *(*function)(void *))
{
    pthread_t thread;
    must(pthread_create(&thread, NULL, function, NULL) == 0, "pthread_create");
    pthread_join(thread, NULL);
}

static void plant_thread(void)
{
    in_thread(ask_and_leave);
    pause_ms(50); /* it is in its wait by then */
}

/* ---- timer: armed, read twice, neither stopped nor closed ---- */

static void *arm_and_forget(void *arg)
{
    struct itimerspec every = {{0, 5000000}, {0, 5000000}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    must(fd >= 0 && timerfd_settime(fd, 0, &every, NULL) == 0, "timerfd");
    for (int i = 0; i < 2; i++) {
        uint64_t ticks;
        must(read(fd, &ticks, sizeof(ticks)) == sizeof(ticks), "read");
    }
    return arg;
}

static void plant_timer(void)
{
    in_thread(arm_and_forget);
    pause_ms(50);
}

/* ---- lock: held while a slow writer is waited for ---- */

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static int slow_pipe[2];

static void read_under_lock(void)
{
    char byte;
    pthread_mutex_lock(&table_lock);
    must(read(slow_pipe[0], &byte, 1) == 1, "read");
    pthread_mutex_unlock(&table_lock);
}

static void *read_rounds(void *arg)
{
    for (int i = 0; i < ROUNDS; i++)
        read_under_lock();
    return arg;
}

static void plant_lock(void)
{
    pthread_t readers[READERS];
    must(pipe(slow_pipe) == 0, "pipe");
    for (int i = 0; i < READERS; i++)
        must(pthread_create(&readers[i], NULL, read_rounds, NULL) == 0, "pthread_create");
    for (int i = 0; i < READERS * ROUNDS; i++) {
        pause_ms(10);
        must(write(slow_pipe[1], "x", 1) == 1, "write");
    }
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
}

/* ---- spawn: a thread for each item, however many there are ---- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_open = PTHREAD_COND_INITIALIZER;
static int open_now;

static void *wait_at_gate(void *arg)
{
    pthread_mutex_lock(&gate_lock);
    while (!open_now)
        pthread_cond_wait(&gate_open, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
    return arg;
}

static int spawn_for_each(pthread_t *threads)
{
    pthread_attr_t attr;
    int made = 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    while (made < THREADS && pthread_create(&threads[made], &attr, wait_at_gate, NULL) == 0)
        made++;
    pthread_attr_destroy(&attr);
    return made;
}

static void plant_spawn(void)
{
    static pthread_t threads[THREADS];
    int made = spawn_for_each(threads);
    pthread_mutex_lock(&gate_lock);
    open_now = 1;
    pthread_cond_broadcast(&gate_open);
    pthread_mutex_unlock(&gate_lock);
    for (int i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
    if (made < THREADS)
        fprintf(stderr, "loiter-plant: only %d threads could be made\n", made);
}

static void plant_nothing(void) {}

static const struct {
    const char *kind;
    void (*plant)(void);
} plants[] = {
    {"thread", plant_thread},     {"timer", plant_timer},     {"lock", plant_lock},
    {"spawn", plant_spawn},       {"timers", plant_timers},   {"threads", plant_threads},
    {"blocking", plant_blocking}, {"polling", plant_polling}, {"descriptors", plant_descriptors},
    {"files", plant_files},       {"init", plant_init},       {"queue", plant_queue},
    {"counter", plant_counter},   {"buffers", plant_buffers}, {"memory", plant_memory},
    {"children", plant_children}, {"nothing", plant_nothing}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(plants) / sizeof(plants[0]); i++) {
        if (strcmp(argv[1], plants[i].kind) == 0) {
            plants[i].plant();
            return 0;
        }
    }
    fputs("usage: loiter-plant KIND, one of", stderr);
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
        fprintf(stderr, " %s", plants[i].kind);
    fputc('\n', stderr);
    return 2;
}
