/*
 * held_locks_test.c - what the record says is held is what is held: a lock that was asked for and
 * not got, got from a dead owner, got twice, given back in vain, or made anew where another was.
 * What is made where another was begins a life of its own: who woke that one says nothing of it.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/tests/record_help.h"

enum { HELD_MOST = 8 };

/* ---- the program: one that does not hold what a line says ends with its number ---- */

#define NEEDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ & 0x7f);                                                                \
    } while (0)

static pthread_mutex_t others = PTHREAD_MUTEX_INITIALIZER, ours = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t orphan, checked, twice;
static pthread_rwlock_t shared = PTHREAD_RWLOCK_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t ready;
static const struct timespec past = {1, 0};

static void init(pthread_mutex_t *mutex, int type, int robust)
{
    pthread_mutexattr_t attr;
    NEEDS(pthread_mutexattr_init(&attr) == 0 && pthread_mutexattr_settype(&attr, type) == 0);
    NEEDS(pthread_mutexattr_setrobust(&attr, robust) == 0);
    NEEDS(pthread_mutex_init(mutex, &attr) == 0);
    pthread_mutexattr_destroy(&attr);
}

static void *keeps(void *arg)
{
    NEEDS(pthread_mutex_lock(&others) == 0);
    sem_post(&ready);
    for (;;)
        pause();
    return arg;
}

static void *dies(void *arg)
{
    NEEDS(pthread_mutex_lock(&orphan) == 0);
    return arg;
}

static void not_got(void)
{
    NEEDS(pthread_mutex_trylock(&others) != 0);
    NEEDS(pthread_mutex_timedlock(&others, &past) != 0);
    NEEDS(pthread_mutex_clocklock(&others, CLOCK_MONOTONIC, &past) != 0);
    NEEDS(pthread_mutex_unlock(&checked) != 0); /* not ours to give back */
}

static void got_and_given_back(void)
{
    NEEDS(pthread_mutex_lock(&checked) == 0 && pthread_mutex_lock(&checked) != 0);
    NEEDS(pthread_mutex_unlock(&checked) == 0);
    NEEDS(pthread_rwlock_wrlock(&shared) == 0 && pthread_rwlock_tryrdlock(&shared) != 0);
    NEEDS(pthread_rwlock_unlock(&shared) == 0);
    for (int i = 0; i < 1000; i++) { /* mostly at one address */
        pthread_mutex_t *mutex = malloc(sizeof *mutex);
        NEEDS(mutex != NULL && pthread_mutex_init(mutex, NULL) == 0);
        NEEDS(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
        NEEDS(pthread_mutex_destroy(mutex) == 0);
        free(mutex);
    }
}

static void got_and_kept(void)
{
    NEEDS(pthread_mutex_lock(&orphan) == EOWNERDEAD);
    NEEDS(pthread_mutex_lock(&twice) == 0 && pthread_mutex_trylock(&twice) == 0);
    NEEDS(pthread_mutex_unlock(&twice) == 0);
    NEEDS(pthread_rwlock_rdlock(&shared) == 0 && pthread_rwlock_trywrlock(&shared) != 0);
    NEEDS(pthread_mutex_lock(&ours) == 0);
    NEEDS(pthread_cond_timedwait(&never, &ours, &past) != 0);
}

static int program(void)
{
    pthread_t t;
    init(&orphan, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
    init(&checked, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
    init(&twice, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
    sem_init(&ready, 0, 0);
    NEEDS(pthread_create(&t, NULL, dies, NULL) == 0 && pthread_join(t, NULL) == 0);
    NEEDS(pthread_create(&t, NULL, keeps, NULL) == 0);
    NEEDS(sem_wait(&ready) == 0 && sem_destroy(&ready) == 0 && sem_init(&ready, 0, 0) == 0);
    not_got();
    got_and_given_back();
    got_and_kept();
    printf("%p %p %p %p %p\n", (void *)&orphan, (void *)&twice, (void *)&shared, (void *)&ours,
           (void *)&ready);
    fflush(stdout);
    _exit(0);
}

/* ---- what the record says ---- */

static uint64_t held[HELD_MOST];
static unsigned count, lives;
static void *ready_at;

static void on_object(const struct el_object *o)
{
    if ((void *)(uintptr_t)o->object != ready_at || o->state != EL_LIVE)
        return;
    lives++;
    assert_int_equal(o->creator, 1);
    assert_int_equal(o->wakes, 0);
    assert_int_equal(o->last_waker, 0);
}

static void on_cell(const struct el_record *record)
{
    const struct el_held *h = &record->any.held;
    if (record->info->id == EL_ID_object)
        on_object(&record->any.object);
    if (record->info->id != EL_ID_held || h->actor != 1)
        return;
    for (unsigned i = 0; i < h->count && count < HELD_MOST; i++)
        held[count++] = h->lock[i];
}

static void held_is_what_is_held(void **state)
{
    char out[200];
    void *expected[4];
    (void)state;
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p %p %p %p %p", &expected[0], &expected[1], &expected[2],
                            &expected[3], &ready_at),
                     5);
    assert_true(record_read(on_cell, NULL) > 0);
    assert_int_equal(lives, 1);
    assert_int_equal(count, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_ptr_equal((void *)(uintptr_t)held[i], expected[i]);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(held_is_what_is_held)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
