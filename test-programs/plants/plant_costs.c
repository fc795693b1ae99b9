/*
 * plant_costs.c - plants of what is done too often, or too much of at once. Each is large enough
 * for any machine; nothing in it depends on how fast that is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test-programs/plants/plant.h"

#define TIMERS        3000
#define SHORT_THREADS 400
#define DESCRIPTORS   300
#define FILES         32
#define CHILDREN      40
#define WORKERS       4
#define BLOCK         4096

static void run_workers(void *(*work)(void *))
{
    pthread_t workers[WORKERS];
    for (int i = 0; i < WORKERS; i++)
        must(pthread_create(&workers[i], NULL, work, NULL) == 0, "pthread_create");
    for (int i = 0; i < WORKERS; i++)
        pthread_join(workers[i], NULL);
}

/* ---- timers: one for each message, given up before it fires ---- */

static void limit_each(void)
{
    struct sigevent nothing = {.sigev_notify = SIGEV_NONE};
    struct itimerspec minute = {.it_value = {60, 0}};
    for (int i = 0; i < TIMERS; i++) {
        timer_t timer;
        must(timer_create(CLOCK_MONOTONIC, &nothing, &timer) == 0, "timer_create");
        timer_settime(timer, 0, &minute, NULL);
        timer_delete(timer);
    }
}

void plant_timers(void)
{
    limit_each();
}

/* ---- threads: one for a moment's work ---- */

static void *moment(void *arg)
{
    return arg;
}

static void thread_for_each(void)
{
    for (int i = 0; i < SHORT_THREADS; i++) {
        pthread_t thread;
        must(pthread_create(&thread, NULL, moment, NULL) == 0, "pthread_create");
        pthread_join(thread, NULL);
    }
}

void plant_threads(void)
{
    thread_for_each();
}

/* ---- blocking: each request holds a thread in a read ---- */

static pthread_barrier_t all_there;
static int answers[2];
static atomic_long asking;

static void *ask(void *arg)
{
    char answer;
    pthread_barrier_wait(&all_there);
    atomic_fetch_add(&asking, 1);
    must(read(answers[0], &answer, 1) == 1, "read");
    return arg;
}

static void thread_for_each_call(pthread_t *threads, long n)
{
    for (long i = 0; i < n; i++)
        must(pthread_create(&threads[i], NULL, ask, NULL) == 0, "pthread_create");
}

/* Half as many again as are taken to be enough: 64, or 4 for each processor. */
void plant_blocking(void)
{
    long enough = 4 * sysconf(_SC_NPROCESSORS_ONLN), n = enough > 64 ? enough : 64;
    n += n / 2;
    pthread_t *threads = calloc((size_t)n, sizeof(*threads));
    must(threads != NULL && pipe(answers) == 0, "pipe");
    pthread_barrier_init(&all_there, NULL, (unsigned)n);
    thread_for_each_call(threads, n);
    while (atomic_load(&asking) < n)
        pause_ms(1);
    pause_ms(50);
    for (long i = 0; i < n; i++)
        must(write(answers[1], "x", 1) == 1, "write");
    for (long i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

/* ---- polling: yields instead of a wait ---- */

static long processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void ask_again(void)
{
    long begun = processor_ms();
    for (long i = 0; i % 1000 != 0 || i < 20000 || processor_ms() < begun + 100; i++)
        sched_yield();
}

void plant_polling(void)
{
    ask_again();
}

/* ---- descriptors: all are closed at the end; files: none is ---- */

static int open_one(const char *path)
{
    char first;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && read(fd, &first, 1) == 1, path);
    return fd;
}

static void close_at_the_end(int n)
{
    int fds[DESCRIPTORS];
    for (int i = 0; i < n; i++)
        fds[i] = open_one("/proc/self/exe");
    for (int i = 0; i < n; i++)
        close(fds[i]);
}

void plant_descriptors(void)
{
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    close_at_the_end(limit.rlim_cur / 2 < DESCRIPTORS ? (int)limit.rlim_cur / 2 : DESCRIPTORS);
}

static void open_and_forget(void)
{
    for (int i = 0; i < FILES; i++)
        open_one("/proc/self/exe");
}

void plant_files(void)
{
    open_and_forget();
}

/* ---- children: made one after the other, and nobody waits for them ---- */

static void fork_and_forget(void)
{
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0)
        _exit(0);
    siginfo_t ended; /* so that it has ended, and is still there */
    must(waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) == 0, "waitid");
}

void plant_children(void)
{
    for (int i = 0; i < CHILDREN; i++)
        fork_and_forget();
}

/* ---- init: each makes what all need one of ---- */

static pthread_barrier_t at_once;
static atomic_int shared;

static int make_shared(void)
{
    return open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
}

static void *need_shared(void *arg)
{
    char byte;
    pthread_barrier_wait(&at_once);
    atomic_store(&shared, make_shared());
    pthread_barrier_wait(&at_once);
    for (int i = 0; i < 10; i++)
        must(read(atomic_load(&shared), &byte, 1) == 1, "read");
    return arg;
}

void plant_init(void)
{
    pthread_barrier_init(&at_once, NULL, WORKERS);
    run_workers(need_shared);
}

/* ---- queue: work under one lock; counter: an addition under one ---- */

static pthread_mutex_t one_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile long counted;

static void work_under_lock(void)
{
    pthread_mutex_lock(&one_lock);
    for (int i = 0; i < 10000; i++)
        counted++;
    pthread_mutex_unlock(&one_lock);
}

static void *work_in_turns(void *arg)
{
    for (int i = 0; i < 5000; i++)
        work_under_lock();
    return arg;
}

void plant_queue(void)
{
    run_workers(work_in_turns);
}

static void count_one(void)
{
    pthread_mutex_lock(&one_lock);
    counted++;
    pthread_mutex_unlock(&one_lock);
}

#define TURNS 40

static atomic_int held_in, counted_in;

static void yield_ms(long ms)
{
    struct timespec begun, now;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    do {
        sched_yield();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 < ms);
}

/* Has the lock when the other wants it, however the two are scheduled. */
static void *be_in_the_way(void *arg)
{
    for (int turn = 1; turn <= TURNS; turn++) {
        pthread_mutex_lock(&one_lock);
        atomic_store(&held_in, turn);
        yield_ms(3);
        pthread_mutex_unlock(&one_lock);
        while (atomic_load(&counted_in) < turn)
            sched_yield();
    }
    return arg;
}

void plant_counter(void)
{
    pthread_t other;
    must(pthread_create(&other, NULL, be_in_the_way, NULL) == 0, "pthread_create");
    for (int turn = 1; turn <= TURNS; turn++) {
        while (atomic_load(&held_in) < turn)
            sched_yield();
        for (int i = 0; i < 5000; i++)
            count_one();
        atomic_store(&counted_in, turn);
    }
    pthread_join(other, NULL);
}

/* ---- buffers: one for each request; memory: blocks that nobody remembers ---- */

static char *volatile buffer;

static void serve_with_buffer(void)
{
    buffer = malloc(BLOCK);
    must(buffer != NULL, "malloc");
    buffer[0] = 1;
    free(buffer);
}

void plant_buffers(void)
{
    for (int i = 0; i < 100000; i++)
        serve_with_buffer();
}

static void lose_block(void)
{
    buffer = malloc(16 * BLOCK);
    must(buffer != NULL, "malloc");
}

void plant_memory(void)
{
    for (int i = 0; i < 64; i++)
        lose_block();
    buffer = NULL;
}
