/* tasks.c - exercises 2, 16, 18 and 19: what is made for each file, item or request. */
#include "bench/exercises/exercise.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- 2: a buffer for each file, or one of a pool ---- */

enum { BUFFER_BYTES = 64 * 1024, READERS = 8 };
static _Atomic long buffers_made;
static struct weft_pool *pool;
static long each;

static void *buffer_make(void *arg)
{
    (void)arg;
    atomic_fetch_add(&buffers_made, 1);
    return malloc(BUFFER_BYTES);
}

static void read_file(char *buffer)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && read(fd, buffer, BUFFER_BYTES) > 0);
    close(fd);
}

static void read_with_malloc(void *number)
{
    (void)number;
    for (long i = 0; i < each; i++) {
        char *buffer = buffer_make(NULL);
        read_file(buffer);
        free(buffer);
        weft_yield();
    }
}

static void read_with_pool(void *number)
{
    (void)number;
    for (long i = 0; i < each; i++) {
        char *buffer = weft_pool_get(pool);
        read_file(buffer);
        weft_pool_put(pool, buffer);
        weft_yield();
    }
}

static void files_measure(const char *row, void (*work)(void *))
{
    each = scale / 100 / READERS + 1;
    long ns = among(READERS, work);
    figure(row, "buffers made, of 1,000 files",
           (double)atomic_exchange(&buffers_made, 0) * 1000 / (double)(each * READERS));
    figure(row, "us a file", (double)ns / 1e3 / (double)(each * READERS));
}

static void buffers(void)
{
    const struct weft_pool_options options = {.make = buffer_make};
    pool = weft_pool_new(&options);
    MUST(pool);
    files_measure("malloc for each", read_with_malloc);
    files_measure("weft_pool", read_with_pool);
    weft_pool_free(pool);
}

/* ---- 16: from weft_go to the first instruction ---- */

enum { SAMPLES = 20000, LOAD = 8, BINS = 24 };
static long latencies[SAMPLES];
static _Atomic int load_stops;
static struct weft_waitgroup begun;

struct birth {
    long at, number;
};

static void newborn(void *copy)
{
    const struct birth *birth = copy;
    latencies[birth->number] = now_ns() - birth->at;
    weft_waitgroup_done(&begun);
}

/* Computes a while, lets others run, and so on. */
static void compute(void *number)
{
    (void)number;
    while (!atomic_load(&load_stops)) {
        for (long until = now_ns() + 20000; now_ns() < until;)
            ;
        weft_yield();
    }
}

static void births_print(const char *row, long n)
{
    long bins[BINS] = {0};
    for (long i = 0; i < n; i++) {
        int bin = latencies[i] > 1 ? 63 - __builtin_clzl((unsigned long)latencies[i]) : 0;
        bins[bin < BINS ? bin : BINS - 1]++;
    }
    figure(row, "median", (double)quantile(latencies, n, 0.5));
    figure(row, "99th percentile", (double)quantile(latencies, n, 0.99));
    for (int i = 0; i < BINS; i++) {
        char column[32];
        snprintf(column, sizeof column, "from %ld", 1L << i);
        if (bins[i] > 0)
            figure(row, column, (double)bins[i]);
    }
}

static void births(const char *row, long n)
{
    n = n < SAMPLES ? n : SAMPLES;
    for (long i = 0; i < n; i++) {
        struct birth birth = {now_ns(), i};
        weft_waitgroup_add(&begun, 1);
        MUST(weft_go_copy(newborn, &birth, sizeof birth) == 0);
        weft_waitgroup_wait(&begun);
    }
    births_print(row, n);
}

static void latency(void)
{
    struct weft_waitgroup load = {0};
    births("idle", scale / 50);
    for (int i = 0; i < LOAD; i++)
        MUST(weft_waitgroup_go(&load, compute, NULL) == 0);
    births("loaded", scale / 500);
    atomic_store(&load_stops, 1);
    weft_waitgroup_wait(&load);
}

/* ---- 18: errors by hand, and a group's ---- */

enum { MEMBERS = 1000, FAILS = 100, AT_ONCE = 16 };
static struct weft_mutex lock;
static struct weft_waitgroup members;
static struct weft_sem *places;
static struct weft_ctx *ctx;
static int first_error;
static _Atomic int failed;
static _Atomic long wasted;
static int fails_at;

static int piece_of_work(long number)
{
    if (atomic_load(&failed))
        atomic_fetch_add(&wasted, 1);
    if (fails_at > 0)
        weft_sleep(100 * WEFT_US);
    if (fails_at == 0 || number != fails_at)
        return 0;
    atomic_store(&failed, 1);
    return -5;
}

static void by_hand(void *number)
{
    int error = piece_of_work((long)(size_t)number);
    if (error != 0) {
        weft_mutex_lock(&lock);
        if (first_error == 0)
            first_error = error;
        weft_mutex_unlock(&lock);
    }
    weft_sem_release(places, 1);
    weft_waitgroup_done(&members);
}

static int in_group(void *number)
{
    if (ctx && weft_ctx_err(ctx) != 0)
        return weft_ctx_err(ctx);
    return piece_of_work((long)(size_t)number);
}

static void all_by_hand(void)
{
    first_error = 0;
    places = weft_sem_new(AT_ONCE);
    MUST(places);
    for (long i = 0; i < MEMBERS; i++) {
        MUST(weft_sem_acquire(places, NULL, 1) == 0);
        weft_waitgroup_add(&members, 1);
        MUST(weft_go(by_hand, (void *)i) == 0);
    }
    weft_waitgroup_wait(&members);
    weft_sem_free(places);
    MUST((first_error != 0) == (fails_at > 0));
}

static void all_in_group(void)
{
    struct weft_group group = {0};
    ctx = weft_group_with_ctx(&group, NULL);
    MUST(ctx);
    weft_group_set_limit(&group, AT_ONCE);
    for (long i = 0; i < MEMBERS && weft_ctx_err(ctx) == 0; i++)
        MUST(weft_group_go(&group, in_group, (void *)i) == 0);
    MUST((weft_group_wait(&group) != 0) == (fails_at > 0));
    weft_ctx_release(ctx);
}

static void errors_measure(const char *row, void (*all)(void))
{
    long rounds = scale / 20000 + 1;
    fails_at = 0;
    long began = now_ns();
    for (long i = 0; i < rounds; i++)
        all();
    figure(row, "ns a task, no error", (double)(now_ns() - began) / (double)(rounds * MEMBERS));
    fails_at = FAILS;
    began = now_ns();
    all();
    figure(row, "ms with the error", (double)(now_ns() - began) / 1e6);
    figure(row, "begun after the error, of 900", (double)atomic_exchange(&wasted, 0));
    atomic_store(&failed, 0);
}

static void errors(void)
{
    errors_measure("by hand", all_by_hand);
    errors_measure("weft_group", all_in_group);
}

/* ---- 19: a thread for each request, and threads that stay ---- */

enum { REQUESTS = 2000, STAFF = 4 };
static struct weft_chan *requests;

static void *answer_in_thread(void *arg)
{
    *(long *)arg = now_ns() - *(long *)arg;
    return NULL;
}

static void by_threads(void *arg)
{
    long n = *(const long *)arg;
    for (long i = 0; i < n; i++) {
        pthread_t thread;
        latencies[i] = now_ns();
        MUST(pthread_create(&thread, NULL, answer_in_thread, &latencies[i]) == 0);
        pthread_join(thread, NULL);
    }
}

/* It needs its thread for itself, and takes it along. */
static void answer_locked(void *number)
{
    long *latency = &latencies[(long)(size_t)number];
    weft_lock_thread();
    *latency = now_ns() - *latency;
    weft_waitgroup_done(&begun);
}

static void by_locked_tasks(long n)
{
    for (long i = 0; i < n; i++) {
        weft_waitgroup_add(&begun, 1);
        latencies[i] = now_ns();
        MUST(weft_go(answer_locked, (void *)i) == 0);
        weft_waitgroup_wait(&begun);
    }
}

static void serve(void *number)
{
    long i;
    (void)number;
    weft_lock_thread();
    while (weft_chan_recv(requests, &i) == 0) {
        latencies[i] = now_ns() - latencies[i];
        weft_waitgroup_done(&begun);
    }
    weft_unlock_thread();
}

static void by_staff(long n)
{
    struct weft_waitgroup staff = {0};
    requests = weft_chan_new(sizeof(long), STAFF);
    for (int i = 0; i < STAFF; i++)
        MUST(weft_waitgroup_go(&staff, serve, NULL) == 0);
    for (long i = 0; i < n; i++) {
        weft_waitgroup_add(&begun, 1);
        latencies[i] = now_ns();
        weft_chan_send(requests, &i);
        weft_waitgroup_wait(&begun);
    }
    weft_chan_close(requests);
    weft_waitgroup_wait(&staff);
    weft_chan_release(requests);
}

static void threads_print(const char *row, long n, double threads)
{
    figure(row, "threads made", threads);
    figure(row, "median us", (double)quantile(latencies, n, 0.5) / 1e3);
    figure(row, "99th percentile us", (double)quantile(latencies, n, 0.99) / 1e3);
}

static void threads(void)
{
    long n = scale / 500 < REQUESTS ? scale / 500 + 1 : REQUESTS;
    weft_blocking(by_threads, &n);
    threads_print("a thread a request", n, (double)n);
    by_locked_tasks(n);
    threads_print("a locked task a request", n, (double)n);
    by_staff(n);
    threads_print("four locked tasks that stay", n, STAFF);
}

const struct exercise exercises_tasks[] = {
    {"buffers", buffers}, {"latency", latency}, {"errors", errors},
    {"threads", threads}, {NULL, NULL},
};
