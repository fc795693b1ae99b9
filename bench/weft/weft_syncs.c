/* weft_syncs.c - workloads of locks and meeting points. */
#include "bench/weft/bench.h"

static struct weft_mutex mutex;

static void locker(void *arg)
{
    long count = (long)arg;
    for (long i = 0; i < count; i++) {
        weft_mutex_lock(&mutex);
        bench_sink++;
        weft_mutex_unlock(&mutex);
    }
}

/* The operations shared out among so many tasks. */
static void among(long tasks, void (*fn)(void *))
{
    for (long i = 0; i < tasks; i++)
        weft_waitgroup_go(&bench_group, fn, (void *)(bench_n / tasks));
    weft_waitgroup_wait(&bench_group);
}

static void mutex_alone(void)
{
    locker((void *)bench_n);
}

static void mutex_two(void)
{
    among(2, locker);
}

static void mutex_16(void)
{
    among(16, locker);
}

/* One taken while another is held. */
static void mutex_nested(void)
{
    static struct weft_mutex inner;
    for (long i = 0; i < bench_n; i++) {
        weft_mutex_lock(&mutex);
        weft_mutex_lock(&inner);
        bench_sink++;
        weft_mutex_unlock(&inner);
        weft_mutex_unlock(&mutex);
    }
}

static struct weft_rwmutex rw;

static void rw_read(void)
{
    for (long i = 0; i < bench_n; i++) {
        weft_rwmutex_rlock(&rw);
        bench_sink++;
        weft_rwmutex_runlock(&rw);
    }
}

/* One in 16 writes. */
static void rw_user(void *arg)
{
    long count = (long)arg, seen = 0;
    for (long i = 0; i < count; i++) {
        if (i % 16 == 0) {
            weft_rwmutex_lock(&rw);
            bench_sink++;
            weft_rwmutex_unlock(&rw);
        } else {
            weft_rwmutex_rlock(&rw);
            seen += bench_sink;
            weft_rwmutex_runlock(&rw);
        }
    }
}

static void rw_16(void)
{
    among(16, rw_user);
}

static void waitgroup(void)
{
    for (long i = 0; i < bench_n; i++) {
        weft_waitgroup_add(&bench_group, 1);
        weft_waitgroup_done(&bench_group);
        weft_waitgroup_wait(&bench_group);
    }
}

static struct weft_cond cond;
static long turn;

static void take_turns(long mine)
{
    weft_mutex_lock(&mutex);
    for (long i = 0; i < bench_n; i++) {
        while (turn != mine)
            weft_cond_wait(&cond, &mutex);
        turn = !mine;
        weft_cond_signal(&cond);
    }
    weft_mutex_unlock(&mutex);
}

static void take_odd_turns(void *arg)
{
    (void)arg;
    take_turns(1);
}

static void cond_turns(void)
{
    weft_waitgroup_go(&bench_group, take_odd_turns, NULL);
    take_turns(0);
    weft_waitgroup_wait(&bench_group);
}

static struct weft_sem *sem;

static void sem_user(void *arg)
{
    long count = (long)arg;
    for (long i = 0; i < count; i++) {
        weft_sem_acquire(sem, NULL, 1);
        bench_sink++;
        weft_sem_release(sem, 1);
    }
}

static void sem_alone(void)
{
    sem = weft_sem_new(4);
    sem_user((void *)bench_n);
    weft_sem_free(sem);
}

/* A place is kept over a yield, so that there is always somebody waiting. */
static void sem_keeper(void *arg)
{
    long count = (long)arg;
    for (long i = 0; i < count; i++) {
        weft_sem_acquire(sem, NULL, 1);
        weft_yield();
        weft_sem_release(sem, 1);
    }
}

static void sem_16(void)
{
    sem = weft_sem_new(4);
    among(16, sem_keeper);
    weft_sem_free(sem);
}

static void set_sink(void *arg)
{
    (void)arg;
    bench_sink = 1;
}

static void once(void)
{
    static struct weft_once once;
    for (long i = 0; i < bench_n; i++)
        weft_once_do(&once, set_sink, NULL);
}

const struct bench_workload bench_syncs[] = {
    {"mutex_alone", mutex_alone},
    {"mutex_two", mutex_two},
    {"mutex_16", mutex_16},
    {"mutex_nested", mutex_nested},
    {"rw_read", rw_read},
    {"rw_16", rw_16},
    {"waitgroup", waitgroup},
    {"cond_turns", cond_turns},
    {"sem_alone", sem_alone},
    {"sem_16", sem_16},
    {"once", once},
    {NULL, NULL},
};
