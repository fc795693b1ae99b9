/* locks.c - exercises 4, 5, 6 and 17: what guards shared data, by who reads and who writes. */
#include "bench/exercises/exercise.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { TASKS = 8, WORDS = 64, KEYS = 1024, OWN_KEYS = 64, THREADS_MOST = 8 };

/* ---- 4: one entry under a mutex or a read-write mutex, by the share of reads ---- */

static struct weft_mutex mutex;
static struct weft_rwmutex rwmutex;
static long entry[WORDS];
static long reads_of_100, nap_ns, each;
static bool with_rwmutex;
static _Atomic long sink;

static long use_entry(bool reads)
{
    long sum = 0;
    for (int i = 0; i < WORDS; i++)
        sum += reads ? entry[i] : entry[i]++;
    if (nap_ns > 0)
        weft_sleep(nap_ns);
    return sum;
}

static long look_up(bool reads)
{
    long sum;
    if (!with_rwmutex) {
        weft_mutex_lock(&mutex);
        sum = use_entry(reads);
        weft_mutex_unlock(&mutex);
    } else if (reads) {
        weft_rwmutex_rlock(&rwmutex);
        sum = use_entry(true);
        weft_rwmutex_runlock(&rwmutex);
    } else {
        weft_rwmutex_lock(&rwmutex);
        sum = use_entry(false);
        weft_rwmutex_unlock(&rwmutex);
    }
    return sum;
}

static void reader_and_writer(void *number)
{
    long sum = 0;
    for (long i = 0; i < each; i++)
        sum += look_up((i * 37 + (long)(size_t)number) % 100 < reads_of_100);
    atomic_fetch_add(&sink, sum);
}

static void by_read_share(void)
{
    static const long shares[] = {50, 90, 99, 100};
    for (size_t s = 0; s < sizeof shares / sizeof shares[0]; s++)
        for (int way = 0; way < 4; way++) {
            static const char *const columns[] = {"mutex", "rwmutex", "mutex, waits inside",
                                                  "rwmutex, waits inside"};
            char row[32];
            reads_of_100 = shares[s];
            with_rwmutex = way % 2 != 0;
            nap_ns = way < 2 ? 0 : 100 * WEFT_US;
            each = (way < 2 ? scale / 4 : scale / 4000) / TASKS + 1;
            snprintf(row, sizeof row, "%ld %% reads", shares[s]);
            figure(row, columns[way],
                   (double)among(TASKS, reader_and_writer) / (double)(each * TASKS));
        }
}

/* ---- 4: many want the same key at once ---- */

static struct weft_flight *flight;
static _Atomic long fetches;

static int fetch(void *arg, void *result)
{
    (void)arg;
    atomic_fetch_add(&fetches, 1);
    weft_sleep(2 * WEFT_MS);
    *(long *)result = 1;
    return 0;
}

static void want_alone(void *number)
{
    long value;
    fetch(number, &value);
}

static void want_together(void *number)
{
    char key[2] = {(char)('a' + (long)(size_t)number % 4), 0};
    long value;
    MUST(weft_flight_do(flight, key, fetch, NULL, &value, NULL) == 0 && value == 1);
}

static void duplicates(void)
{
    const struct weft_flight_options options = {.value_size = sizeof(long)};
    flight = weft_flight_new(&options);
    long alone_ns = among(64, want_alone);
    figure("each fetches", "fetches", (double)atomic_exchange(&fetches, 0));
    figure("each fetches", "ms", (double)alone_ns / 1e6);
    long flight_ns = among(64, want_together);
    figure("a flight", "fetches", (double)atomic_load(&fetches));
    figure("a flight", "ms", (double)flight_ns / 1e6);
    weft_flight_free(flight);
}

/* ---- 5: what it costs to find that all is initialised ---- */

static struct weft_once once;
static long *table;
static long *_Atomic published;

static void table_make(void *arg)
{
    table = arg;
    atomic_store(&published, (long *)arg);
}

#define PER_CALL(row, statement)                                                                   \
    do {                                                                                           \
        long began = now_ns();                                                                     \
        for (long i = 0; i < scale * 10; i++) {                                                    \
            __asm__ volatile("" ::: "memory");                                                     \
            statement;                                                                             \
        }                                                                                          \
        figure(row, "ns", (double)(now_ns() - began) / (double)(scale * 10));                      \
    } while (0)

static void once_fast_path(void)
{
    static long made[1];
    long sum = 0;
    weft_once_do(&once, table_make, made);
    PER_CALL("racy: if (table == NULL)", sum += table == NULL);
    PER_CALL("an atomic load",
             sum += atomic_load_explicit(&published, memory_order_acquire) == NULL);
    PER_CALL("weft_once_do", weft_once_do(&once, table_make, made));
    PER_CALL("a mutex each time", {
        weft_mutex_lock(&mutex);
        sum += table == NULL;
        weft_mutex_unlock(&mutex);
    });
    atomic_fetch_add(&sink, sum);
}

/* ---- 6: two caches, and a third between them, under four workloads ---- */

enum way { MUTEX_MAP, RWMUTEX_MAP, CONCURRENT_MAP, WAYS };
static enum way way;
static struct weft_map *map;
static struct weft_cmap *cmap;

static void cache_set(long key, long value)
{
    if (way == CONCURRENT_MAP) {
        MUST(weft_cmap_store(cmap, &key, &value) == 0);
    } else if (way == MUTEX_MAP) {
        weft_mutex_lock(&mutex);
        MUST(weft_map_set(map, &key, &value) == 0);
        weft_mutex_unlock(&mutex);
    } else {
        weft_rwmutex_lock(&rwmutex);
        MUST(weft_map_set(map, &key, &value) == 0);
        weft_rwmutex_unlock(&rwmutex);
    }
}

static long cache_get(long key)
{
    long value = 0, *found;
    if (way == CONCURRENT_MAP) {
        (void)weft_cmap_load(cmap, &key, &value);
        return value;
    }
    if (way == MUTEX_MAP)
        weft_mutex_lock(&mutex);
    else
        weft_rwmutex_rlock(&rwmutex);
    found = weft_map_get(map, &key);
    value = found ? *found : 0;
    if (way == MUTEX_MAP)
        weft_mutex_unlock(&mutex);
    else
        weft_rwmutex_runlock(&rwmutex);
    return value;
}

static void read_fixed(void *number)
{
    long sum = 0, me = (long)(size_t)number;
    for (long i = 0; i < each; i++)
        sum += i % 100 == 0 ? (cache_set((i + me) % KEYS, i), 0) : cache_get((i * 7 + me) % KEYS);
    atomic_fetch_add(&sink, sum);
}

static void read_growing(void *number)
{
    long sum = 0, me = (long)(size_t)number;
    for (long i = 0; i < each; i++)
        sum += i % 100 == 0 ? (cache_set(KEYS + i * TASKS + me, i), 0)
                            : cache_get((i * 7 + me) % KEYS);
    atomic_fetch_add(&sink, sum);
}

static void write_fixed(void *number)
{
    long me = (long)(size_t)number;
    for (long i = 0; i < each; i++)
        cache_set((i * 7 + me) % KEYS, i);
}

static void own_keys(void *number)
{
    long sum = 0, mine = (long)(size_t)number * OWN_KEYS;
    for (long i = 0; i < each; i++)
        sum += i % 2 == 0 ? (cache_set(mine + i % OWN_KEYS, i), 0) : cache_get(mine + i % OWN_KEYS);
    atomic_fetch_add(&sink, sum);
}

static void cache_measure(const char *row, void (*work)(void *))
{
    static const char *const columns[WAYS] = {"map, mutex", "map, rwmutex", "weft_cmap"};
    const struct weft_cmap_options options = {.key_size = sizeof(long), .value_size = sizeof(long)};
    for (way = 0; way < WAYS; way++) {
        map = weft_map_new(sizeof(long), sizeof(long));
        cmap = weft_cmap_new(&options);
        MUST(map && cmap);
        for (long key = 0; key < KEYS; key++)
            cache_set(key, key);
        each = scale / TASKS;
        figure(row, columns[way], (double)among(TASKS, work) / (double)(each * TASKS));
        weft_map_free(map);
        weft_cmap_free(cmap);
    }
}

static void caches(void)
{
    cache_measure("read, fixed keys", read_fixed);
    cache_measure("read, growing", read_growing);
    cache_measure("write, fixed keys", write_fixed);
    cache_measure("keys of a task's own", own_keys);
}

/* ---- 17: a counter ---- */

static pthread_mutex_t thread_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t start;
static long counter;
static _Atomic long atomic_counter;

static void count_locked(void)
{
    for (long i = 0; i < each; i++) {
        pthread_mutex_lock(&thread_mutex);
        counter++;
        pthread_mutex_unlock(&thread_mutex);
    }
}

static void count_atomically(void)
{
    for (long i = 0; i < each; i++)
        atomic_fetch_add_explicit(&atomic_counter, 1, memory_order_relaxed);
}

static void *count_in_thread(void *locked)
{
    pthread_barrier_wait(&start);
    if (locked)
        count_locked();
    else
        count_atomically();
    return NULL;
}

static void count_threads(void *arg)
{
    long n = *(const long *)arg;
    char row[32];
    snprintf(row, sizeof row, "%ld", n);
    for (int locked = 0; locked < 2; locked++) {
        pthread_t threads[THREADS_MOST];
        pthread_barrier_init(&start, NULL, (unsigned)n + 1);
        for (long i = 0; i < n; i++)
            MUST(pthread_create(&threads[i], NULL, count_in_thread, locked ? &start : NULL) == 0);
        long began = now_ns();
        pthread_barrier_wait(&start);
        for (long i = 0; i < n; i++)
            pthread_join(threads[i], NULL);
        figure(row, locked ? "threads, mutex" : "threads, atomic",
               (double)(now_ns() - began) / (double)(each * n));
        pthread_barrier_destroy(&start);
    }
}

static void count_task_locked(void *number)
{
    (void)number;
    for (long i = 0; i < each; i++) {
        weft_mutex_lock(&mutex);
        counter++;
        weft_mutex_unlock(&mutex);
    }
}

static void count_task_atomically(void *number)
{
    (void)number;
    count_atomically();
}

static void counters(void)
{
    for (long n = 1; n <= THREADS_MOST; n *= 2) {
        char row[32];
        snprintf(row, sizeof row, "%ld", n);
        each = scale / n;
        weft_blocking(count_threads, &n);
        figure(row, "tasks, mutex", (double)among(n, count_task_locked) / (double)(each * n));
        figure(row, "tasks, atomic", (double)among(n, count_task_atomically) / (double)(each * n));
    }
}

const struct exercise exercises_locks[] = {
    {"read_share", by_read_share}, {"duplicates", duplicates},
    {"once", once_fast_path},      {"caches", caches},
    {"counters", counters},        {NULL, NULL},
};
