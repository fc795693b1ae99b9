/* plain_mutex_test.c - a mutex that is taken and given back without a call, beside the C library's
 * own calls; and C libraries that do it in another way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/wrap/plain_mutex.h"

#define THREADS 4
#define OFTEN   20000
#define OFTENER 500000

static const pthread_mutex_t unlocked = PTHREAD_MUTEX_INITIALIZER;

static uint32_t tid(void)
{
    return (uint32_t)gettid();
}

/* ---- other ways ---- */

static int lock_late(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_lock(mutex);
    mutex->__data.__owner = 0;
    return result;
}

static int lock_elided(pthread_mutex_t *mutex)
{
    mutex->__data.__kind |= 0x100;
    return pthread_mutex_lock(mutex);
}

static int lock_uncounted(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_lock(mutex);
    mutex->__data.__nusers--;
    return result;
}

static int try_always(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_trylock(mutex);
    return result == EBUSY ? 0 : result;
}

static int try_apart(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_trylock(mutex);
    if (result == 0)
        mutex->__data.__lock = 2;
    return result;
}

static int unlock_owned(pthread_mutex_t *mutex)
{
    int result = pthread_mutex_unlock(mutex);
    mutex->__data.__owner = (int)tid();
    return result;
}

static int unlock_checked(pthread_mutex_t *mutex)
{
    return mutex->__data.__lock == 2 ? EPERM : pthread_mutex_unlock(mutex);
}

static void another_way_is_seen(void **state)
{
    (void)state;
    assert_true(pl_mutex_behaves(pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_unlock));
    int (*const locks[])(pthread_mutex_t *) = {lock_late, lock_elided, lock_uncounted};
    for (unsigned i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        assert_false(pl_mutex_behaves(locks[i], pthread_mutex_trylock, pthread_mutex_unlock));
    int (*const tries[])(pthread_mutex_t *) = {try_always, try_apart};
    for (unsigned i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        assert_false(pl_mutex_behaves(pthread_mutex_lock, tries[i], pthread_mutex_unlock));
    int (*const unlocks[])(pthread_mutex_t *) = {unlock_owned, unlock_checked};
    for (unsigned i = 0; i < sizeof(unlocks) / sizeof(unlocks[0]); i++)
        assert_false(pl_mutex_behaves(pthread_mutex_lock, pthread_mutex_trylock, unlocks[i]));
}

/* ---- which ---- */

static void only_the_usual_kind_is_taken(void **state)
{
    (void)state;
    pthread_mutexattr_t attr;
    pthread_mutex_t mutex = unlocked;
    assert_true(pl_mutex_is_unusual(&mutex)); /* as long as nobody has tried */
    assert_true(pl_mutex_is_hindered(&mutex));
    pl_mutex_usual = 0;
    assert_false(pl_mutex_is_hindered(&mutex));
    const int types[] = {PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
                         PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_DEFAULT};
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_settype(&attr, types[i]);
        pthread_mutex_init(&mutex, &attr);
        assert_int_equal(pl_mutex_is_unusual(&mutex), i < 3);
        pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
        pthread_mutex_init(&mutex, &attr);
        assert_true(pl_mutex_is_unusual(&mutex));
        pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_PRIVATE);
        pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&mutex, &attr);
        assert_true(pl_mutex_is_unusual(&mutex));
    }
    const int protocols[] = {PTHREAD_PRIO_INHERIT, PTHREAD_PRIO_PROTECT};
    for (unsigned i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        pthread_mutexattr_init(&attr);
        pthread_mutexattr_setprotocol(&attr, protocols[i]);
        pthread_mutex_init(&mutex, &attr);
        assert_true(pl_mutex_is_unusual(&mutex));
    }
}

static void what_somebody_has_or_is_broken_is_hindered(void **state)
{
    (void)state;
    pl_mutex_usual = 0;
    pthread_mutex_t mutex = unlocked;
    assert_true(pl_mutex_take(&mutex, tid()));
    assert_true(pl_mutex_is_hindered(&mutex));
    assert_false(pl_mutex_take(&mutex, tid()));
    assert_int_equal(mutex.__data.__nusers, 1);
    assert_true(pl_mutex_give(&mutex, tid()));
    assert_memory_equal(&mutex, &unlocked, sizeof(mutex));
    mutex.__data.__owner = 1;
    assert_true(pl_mutex_is_hindered(&mutex));
}

/* ---- threads ---- */

static void *wait_for_it(void *arg)
{
    assert_int_equal(pthread_mutex_lock(arg), 0);
    return (void *)(intptr_t)pthread_mutex_unlock(arg);
}

static void who_waits_is_left_to_the_real_call(void **state)
{
    (void)state;
    pthread_mutex_t mutex = unlocked;
    pthread_t thread;
    void *result;
    assert_true(pl_mutex_take(&mutex, tid()));
    assert_int_equal(pthread_create(&thread, NULL, wait_for_it, &mutex), 0);
    while (__atomic_load_n(&mutex.__data.__lock, __ATOMIC_RELAXED) != 2)
        usleep(100);
    assert_false(pl_mutex_give(&mutex, tid()));
    assert_int_equal(mutex.__data.__owner, tid());
    assert_int_equal(mutex.__data.__nusers, 1);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_memory_equal(&mutex, &unlocked, sizeof(mutex));
}

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    long counter, inside;
} shared = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0};

static void lock_some_way(int ours)
{
    if (!ours || !pl_mutex_take(&shared.mutex, tid()))
        pthread_mutex_lock(&shared.mutex);
}

static void unlock_some_way(int ours)
{
    if (!ours || !pl_mutex_give(&shared.mutex, tid()))
        pthread_mutex_unlock(&shared.mutex);
}

static void *count_some_way(void *arg)
{
    unsigned seed = (unsigned)(intptr_t)arg;
    for (long i = 0; i < OFTEN; i++) {
        lock_some_way(rand_r(&seed) % 4 != 0);
        assert_int_equal(shared.inside++, 0);
        shared.counter++;
        shared.inside--;
        if (rand_r(&seed) % 64 == 0)
            pthread_cond_timedwait(&shared.cond, &shared.mutex, &(struct timespec){1, 0});
        unlock_some_way(rand_r(&seed) % 4 != 0);
    }
    return NULL;
}

static void both_ways_keep_others_out(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_some_way, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(shared.counter, THREADS * OFTEN);
    assert_memory_equal(&shared.mutex, &unlocked, sizeof(unlocked));
}

/* Two threads that take nothing but free mutexes, past the C library. */
static void *spin_and_count(void *arg)
{
    for (long i = 0; i < OFTENER; i++) {
        while (!pl_mutex_take(&shared.mutex, tid()))
            continue;
        shared.counter++;
        while (!pl_mutex_give(&shared.mutex, tid()))
            continue;
    }
    return arg;
}

static void a_free_one_is_taken_by_one(void **state)
{
    (void)state;
    pthread_t thread;
    shared.counter = 0;
    assert_int_equal(pthread_create(&thread, NULL, spin_and_count, NULL), 0);
    spin_and_count(NULL);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(shared.counter, 2 * OFTENER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_way_is_seen),
        cmocka_unit_test(only_the_usual_kind_is_taken),
        cmocka_unit_test(what_somebody_has_or_is_broken_is_hindered),
        cmocka_unit_test(who_waits_is_left_to_the_real_call),
        cmocka_unit_test(both_ways_keep_others_out),
        cmocka_unit_test(a_free_one_is_taken_by_one),
    };
    pl_resolve_all();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
