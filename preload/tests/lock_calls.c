/*
 * lock_calls.c - locks, conditions, semaphores, barriers and once: each call in its ordinary and
 * its odd use (bad times and clocks, locks of all kinds, wrong owners), answer and errno printed.
 */
#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

static const struct timespec past = {1, 0}, bad = {1, 1000000000}, negative = {1, -1};
#define NO_CLOCK CLOCK_PROCESS_CPUTIME_ID

/* What another thread answers to a lock that this one holds. */
static void *from_another(void *arg)
{
    pthread_mutex_t *mutex = arg;
    SAY(pthread_mutex_trylock(mutex));
    SAY(pthread_mutex_timedlock(mutex, &past));
    SAY(pthread_mutex_timedlock(mutex, &bad));
    SAY(pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &past));
    SAY(pthread_mutex_clocklock(mutex, NO_CLOCK, &past));
    return NULL;
}

static void run(void *(*start)(void *), void *arg)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, start, arg) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void mutexes(int type)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    SAY(pthread_mutex_init(&mutex, &attr));
    if (type == PTHREAD_MUTEX_ERRORCHECK)
        SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_lock(&mutex));
    if (type != PTHREAD_MUTEX_NORMAL)
        SAY(pthread_mutex_lock(&mutex));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_trylock(&mutex));
    if (type == PTHREAD_MUTEX_RECURSIVE)
        SAY(pthread_mutex_unlock(&mutex));
    run(from_another, &mutex);
    SAY(pthread_mutex_destroy(&mutex));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_timedlock(&mutex, &bad));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_mutex_clocklock(&mutex, NO_CLOCK, &past));
    SAY(pthread_mutex_destroy(&mutex));
}

static void *die_with_it(void *arg)
{
    pthread_mutex_lock(arg);
    return NULL;
}

static void robust(void)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    for (int mend = 0; mend < 2; mend++) {
        SAY(pthread_mutex_init(&mutex, &attr));
        run(die_with_it, &mutex);
        SAY(mend ? pthread_mutex_trylock(&mutex) : pthread_mutex_lock(&mutex));
        if (mend)
            SAY(pthread_mutex_consistent(&mutex));
        SAY(pthread_mutex_unlock(&mutex));
        SAY(pthread_mutex_lock(&mutex));
        SAY(pthread_mutex_unlock(&mutex));
        SAY(pthread_mutex_destroy(&mutex));
    }
}

static void rwlocks(void)
{
    pthread_rwlock_t lock;
    SAY(pthread_rwlock_init(&lock, NULL));
    SAY(pthread_rwlock_timedrdlock(&lock, &bad));
    SAY(pthread_rwlock_timedwrlock(&lock, &negative));
    SAY(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &bad));
    SAY(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &bad));
    SAY(pthread_rwlock_clockrdlock(&lock, NO_CLOCK, &past));
    SAY(pthread_rwlock_clockwrlock(&lock, NO_CLOCK, &past));
    SAY(pthread_rwlock_timedrdlock(&lock, &past));
    SAY(pthread_rwlock_rdlock(&lock));
    SAY(pthread_rwlock_trywrlock(&lock));
    SAY(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &past));
    SAY(pthread_rwlock_unlock(&lock));
    SAY(pthread_rwlock_unlock(&lock));
    SAY(pthread_rwlock_wrlock(&lock));
    SAY(pthread_rwlock_rdlock(&lock));
    SAY(pthread_rwlock_wrlock(&lock));
    SAY(pthread_rwlock_tryrdlock(&lock));
    SAY(pthread_rwlock_timedrdlock(&lock, &past));
    SAY(pthread_rwlock_unlock(&lock));
    SAY(pthread_rwlock_destroy(&lock));

    pthread_spinlock_t spin;
    SAY(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
    SAY(pthread_spin_lock(&spin));
    SAY(pthread_spin_trylock(&spin));
    SAY(pthread_spin_unlock(&spin));
    SAY(pthread_spin_destroy(&spin));
}

static void conditions(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    SAY(pthread_cond_init(&cond, NULL));
    SAY(pthread_cond_signal(&cond));
    SAY(pthread_cond_broadcast(&cond));
    pthread_mutex_lock(&mutex);
    SAY(pthread_cond_timedwait(&cond, &mutex, &past));
    SAY(pthread_cond_timedwait(&cond, &mutex, &bad));
    SAY(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &past));
    SAY(pthread_cond_clockwait(&cond, &mutex, NO_CLOCK, &past));
    SAY(pthread_mutex_unlock(&mutex));
    SAY(pthread_cond_destroy(&cond));
}

static void semaphores(void)
{
    sem_t sem;
    SAY(sem_init(&sem, 0, 1));
    SAY(sem_timedwait(&sem, &bad));
    SAY(sem_clockwait(&sem, NO_CLOCK, &past));
    SAY(sem_wait(&sem));
    SAY(sem_trywait(&sem));
    SAY(sem_timedwait(&sem, &past));
    SAY(sem_timedwait(&sem, &negative));
    SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
    SAY(sem_post(&sem));
    SAY(sem_clockwait(&sem, CLOCK_MONOTONIC, &past));
    SAY(sem_destroy(&sem));
    SAY(sem_init(&sem, 0, 1u << 31));

    pthread_barrier_t barrier;
    SAY(pthread_barrier_init(&barrier, NULL, 0));
    SAY(pthread_barrier_init(&barrier, NULL, 1));
    SAY(pthread_barrier_wait(&barrier));
    SAY(pthread_barrier_destroy(&barrier));
}

/* What debuggers, and programs that know the C library, read of a mutex. */
static void words(const char *when, const pthread_mutex_t *mutex)
{
    printf("%s: lock %d, owner %s, users %u, kind %d\n", when, mutex->__data.__lock,
           mutex->__data.__owner == 0          ? "none"
           : mutex->__data.__owner == gettid() ? "this thread"
                                               : "another",
           mutex->__data.__nusers, mutex->__data.__kind);
}

/* From one place, again and again. */
static void *lock_and_look(void *arg)
{
    pthread_mutex_t *mutex = arg;
    for (int i = 0; i < 400; i++) {
        MUST(pthread_mutex_lock(mutex) == 0);
        if (i % 100 == 99)
            words("taken", mutex);
        MUST(pthread_mutex_unlock(mutex) == 0);
        if (i % 100 == 99)
            words("given back", mutex);
    }
    return NULL;
}

static void *lock_waiting(void *arg)
{
    for (int i = 0; i < 40; i++) {
        MUST(pthread_mutex_lock(arg) == 0);
        MUST(pthread_mutex_unlock(arg) == 0);
    }
    return NULL;
}

static void waited_for(pthread_mutex_t *mutex)
{
    pthread_t thread;
    MUST(pthread_mutex_lock(mutex) == 0);
    MUST(pthread_create(&thread, NULL, lock_waiting, mutex) == 0);
    while (__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) != 2)
        usleep(1000);
    words("waited for", mutex);
    MUST(pthread_mutex_unlock(mutex) == 0);
    MUST(pthread_join(thread, NULL) == 0);
    words("given to who waited", mutex);
}

static void words_of(pthread_mutex_t *mutex)
{
    lock_and_look(mutex);
    run(lock_and_look, mutex);
    for (int i = 0; i < 40; i++)
        waited_for(mutex);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        lock_and_look(mutex);
        fflush(stdout);
        _exit(0);
    }
    MUST(waitpid(child, NULL, 0) == child);
}

static void all_words(void)
{
    static pthread_mutex_t usual = PTHREAD_MUTEX_INITIALIZER;
    static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
    static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    words_of(&usual);
    words_of(&adaptive);
    words_of(&recursive);
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&mutex, &attr);
    words_of(&mutex);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_NORMAL);
    pthread_mutex_init(&mutex, &attr);
    words_of(&mutex);
}

static void once_done(void)
{
    puts("once");
}

static void c11(void)
{
    mtx_t mutex;
    cnd_t cond;
    static once_flag flag = ONCE_FLAG_INIT;
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    for (int type = mtx_plain; type <= (mtx_timed | mtx_recursive); type++) {
        SAY(mtx_init(&mutex, type));
        SAY(mtx_lock(&mutex));
        SAY(mtx_trylock(&mutex));
        if (type & mtx_timed)
            SAY(mtx_timedlock(&mutex, &past));
        SAY(mtx_unlock(&mutex));
        mtx_destroy(&mutex);
    }
    SAY(mtx_init(&mutex, mtx_plain));
    SAY(cnd_init(&cond));
    SAY(cnd_signal(&cond));
    SAY(cnd_broadcast(&cond));
    mtx_lock(&mutex);
    SAY(cnd_timedwait(&cond, &mutex, &past));
    SAY(mtx_unlock(&mutex));
    cnd_destroy(&cond);
    for (int i = 0; i < 2; i++) {
        call_once(&flag, once_done);
        SAY(pthread_once(&once, once_done));
    }
}

int main(void)
{
    all_words();
    mutexes(PTHREAD_MUTEX_NORMAL);
    mutexes(PTHREAD_MUTEX_RECURSIVE);
    mutexes(PTHREAD_MUTEX_ERRORCHECK);
    robust();
    rwlocks();
    conditions();
    semaphores();
    c11();
    return 0;
}
