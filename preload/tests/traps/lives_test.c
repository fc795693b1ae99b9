/*
 * lives_test.c - what the record says of lives: each thread has one, however it ends and whatever
 * its destructors do; the child of a vfork has none; a wait for a lock is written when the lock was
 * given back; and what happens a million times takes no more room than what happens once.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

#include <cmocka.h>
#include <loiter.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"

enum { ROUNDS = 200, WAYS = 4, THREADS = ROUNDS * WAYS, LOCKS = 1000000 };

/* ---- the program ---- */

static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, contended = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t waiting;
static _Atomic int got, seen;
static _Atomic long tids; /* of all threads that return, added up */

/* Later than anything of ours that would run at a thread's end. */
static void destructor(void *round)
{
    pthread_mutex_lock(&mutex);
    free(malloc(100));
    pthread_mutex_unlock(&mutex);
    if ((intptr_t)round > 1)
        pthread_setspecific(key, (void *)((intptr_t)round - 1));
}

static void *thread(void *way)
{
    pthread_setspecific(key, (void *)3);
    if ((intptr_t)way == 1)
        pthread_exit(NULL);
    if ((intptr_t)way == 2)
        for (;;)
            pause();
    tids += syscall(SYS_gettid);
    return NULL;
}

static int thread_c11(void *arg)
{
    (void)arg;
    pthread_setspecific(key, (void *)3);
    thrd_exit(0);
}

static int make_threads(void)
{
    pthread_t t;
    thrd_t u;
    int bad = pthread_key_create(&key, destructor);
    for (int i = 0; i < ROUNDS; i++) {
        for (intptr_t way = 0; way < 3; way++) {
            bad |= pthread_create(&t, NULL, thread, (void *)way);
            if (way == 2)
                bad |= pthread_cancel(t);
            bad |= pthread_join(t, NULL);
        }
        bad |=
            thrd_create(&u, thread_c11, NULL) != thrd_success || thrd_join(u, NULL) != thrd_success;
    }
    return bad;
}

static int make_child(void)
{
    int status;
    pid_t child = vfork();
    if (child == 0) {
        execl("/nothing/of/that/name", "nothing", (char *)NULL);
        _exit(77);
    }
    return waitpid(child, &status, 0) != child || WEXITSTATUS(status) != 77;
}

static void *waits(void *arg)
{
    tids += syscall(SYS_gettid);
    pthread_barrier_wait(&waiting);
    pthread_mutex_lock(&contended);
    atomic_store(&got, 1);
    while (!atomic_load(&seen))
        ;
    pthread_mutex_unlock(&contended);
    return arg;
}

/* It waits once its word says so. */
static int wait_for_a_lock(void)
{
    pthread_t t;
    pthread_barrier_init(&waiting, NULL, 2);
    pthread_mutex_lock(&contended);
    int bad = pthread_create(&t, NULL, waits, NULL);
    pthread_barrier_wait(&waiting);
    while (__atomic_load_n(&contended.__data.__lock, __ATOMIC_RELAXED) != 2)
        ;
    pthread_mutex_unlock(&contended);
    while (!atomic_load(&got))
        ;
    loiter_mark("it has the lock");
    atomic_store(&seen, 1);
    return bad | pthread_join(t, NULL);
}

static int program(void)
{
    int bad = make_threads() | make_child() | wait_for_a_lock();
    for (int i = 0; i < LOCKS; i++) {
        bad |= pthread_mutex_lock(&mutex);
        bad |= pthread_mutex_unlock(&mutex);
    }
    printf("%p %ld\n", (void *)&contended, tids);
    return bad;
}

/* ---- what the record says ---- */

static void *contended_at;
static uint64_t threads_alive, stacks_walked, threads_made, begins, ends, exits, execs, marked_at,
    written_at, slots, events;
static uint64_t ended_as[8];
static long tids_told, tids_said, tid_of[THREADS + 3];
static char files[65536]; /* that have events: one for each slot */

static void on_cell(const struct el_record *record)
{
    if (record->info->id == EL_ID_actor && record->any.actor.state != EL_FREE)
        threads_alive++;
    if (record->info->id == EL_ID_summary) {
        stacks_walked = record->any.summary.unwinds;
        threads_made = record->any.summary.threads;
    }
}

static void on_event(const struct el_record *record)
{
    events++;
    if (record->file < sizeof files && !files[record->file]) {
        files[record->file] = 1;
        slots++;
    }
    switch (record->info->id) {
    case EL_ID_thread_begin:
        begins++;
        if (record->any.thread_begin.thread < THREADS + 3)
            tid_of[record->any.thread_begin.thread] = record->any.thread_begin.tid;
        break;
    case EL_ID_thread_end:
        ends++;
        ended_as[record->any.thread_end.how & 7]++;
        if (record->any.thread_end.how == EL_END_RETURN &&
            record->any.thread_end.thread < THREADS + 3)
            tids_told += tid_of[record->any.thread_end.thread];
        break;
    case EL_ID_exit:
        exits++;
        assert_int_equal(record->any.exit.status, 0);
        break;
    case EL_ID_exec:
        execs++;
        break;
    case EL_ID_mark:
        marked_at = record->time;
        break;
    case EL_ID_wait:
        if ((void *)(uintptr_t)record->any.wait.object == contended_at)
            written_at = record->time;
        break;
    default:
        break;
    }
}

static int setup(void **state)
{
    (void)state;
    char out[64];
    if (record_prepare() != 0 || record_run(out, sizeof out) != 0 ||
        sscanf(out, "%p %ld", &contended_at, &tids_said) != 2)
        return -1;
    return record_read(on_cell, on_event) > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return record_remove();
}

/* The main thread and the one that waits are the other two. */
static void each_thread_has_one_life(void **state)
{
    (void)state;
    assert_int_equal(threads_made, THREADS + 2);
    assert_int_equal(begins, THREADS + 2);
    assert_int_equal(ends, THREADS + 1);
    assert_int_equal(threads_alive, 1);
    assert_int_equal(ended_as[EL_END_RETURN], ROUNDS + 1);
    assert_int_equal(ended_as[EL_END_EXIT], 2 * ROUNDS);
    assert_int_equal(ended_as[EL_END_CANCEL], ROUNDS);
    assert_int_equal(tids_told, tids_said);
}

static void the_child_of_a_vfork_writes_nothing(void **state)
{
    (void)state;
    assert_int_equal(exits, 1);
    assert_int_equal(execs, 0);
}

static void a_wait_is_written_after_the_lock(void **state)
{
    (void)state;
    assert_true(marked_at > 0 && written_at > marked_at);
}

static void a_million_locks_are_no_events(void **state)
{
    (void)state;
    assert_true(events < 5 * THREADS);
    assert_true(stacks_walked < 2 * THREADS); /* of a thread's making, and its destructor's lock */
}

static void slots_are_used_again(void **state)
{
    (void)state;
    assert_true(slots <= 4);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_thread_has_one_life),
        cmocka_unit_test(the_child_of_a_vfork_writes_nothing),
        cmocka_unit_test(a_wait_is_written_after_the_lock),
        cmocka_unit_test(a_million_locks_are_no_events),
        cmocka_unit_test(slots_are_used_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
