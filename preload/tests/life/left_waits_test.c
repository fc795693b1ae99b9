/*
 * left_waits_test.c - a handler leaves a wait by siglongjmp: what the thread does next is what the
 * record says of it, and the locks that it holds are the ones it held.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/life/thread_state.h"
#include "preload/tests/record_help.h"

/* ---- the program ---- */

static int empty[2];
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER, taken = PTHREAD_MUTEX_INITIALIZER,
                       of_cond = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t nobody, last;
static sigjmp_buf way_out;
static volatile sig_atomic_t within;
static volatile int sink;

static void leave(int signal)
{
    (void)signal;
    if (within)
        siglongjmp(way_out, 1);
}

static pthread_t main_thread;
static void *sends_signals(void *arg)
{
    long main_tid = *(long *)arg;
    for (;;) {
        if (within && state_of(main_tid) == 'S')
            pthread_kill(main_thread, SIGUSR1);
        sched_yield();
    }
    return NULL;
}

static void in_read(void)
{
    char c;
    (void)!read(empty[0], &c, 1);
}
static void in_sem(void)
{
    sem_wait(&nobody);
}
static void in_lock(void)
{
    pthread_mutex_lock(&taken);
}
static void in_cond(void)
{
    pthread_cond_wait(&never, &of_cond);
}
static void (*const waits[])(void) = {in_read, in_sem, in_lock, in_cond};

static void wait_and_leave(void (*in)(void))
{
    if (sigsetjmp(way_out, 1) == 0) {
        within = 1;
        in();
    }
    within = 0;
}

/* Further down the stack than the wait that was left. */
__attribute__((noinline)) static void deeper(int last_one)
{
    volatile char room[8192];
    room[0] = 1;
    if (last_one)
        sem_wait(&last);
    else
        poll(NULL, 0, 2);
    sink += room[0];
}

static void *takes_the_lock(void *arg)
{
    pthread_mutex_lock(&taken);
    sem_post(arg);
    pause();
    return NULL;
}

static void *ends_it_all(void *arg)
{
    long main_tid = *(long *)arg;
    while (state_of(main_tid) != 'S')
        sched_yield();
    syscall(SYS_exit_group, 0);
    return NULL;
}

static int program(void)
{
    pthread_t t;
    sem_t ready;
    long tid = syscall(SYS_gettid);
    struct sigaction action = {.sa_handler = leave};
    main_thread = pthread_self();
    sem_init(&ready, 0, 0);
    sem_init(&nobody, 0, 0);
    sem_init(&last, 0, 0);
    if (pipe(empty) != 0 || sigaction(SIGUSR1, &action, NULL) != 0 ||
        pthread_create(&t, NULL, takes_the_lock, &ready) != 0)
        return 1;
    sem_wait(&ready);
    if (pthread_create(&t, NULL, sends_signals, &tid) != 0)
        return 1;
    pthread_mutex_lock(&held);
    pthread_mutex_lock(&of_cond);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        wait_and_leave(waits[i]);
        deeper(0);
    }
    printf("%p %p\n", (void *)&last, (void *)&held);
    fflush(stdout);
    if (pthread_create(&t, NULL, ends_it_all, &tid) != 0)
        return 1;
    deeper(1);
    return 1;
}

/* ---- what the record says ---- */

static void *last_at, *held_at;
static int main_seen, held_seen, polls;

static void on_cell(const struct el_record *record)
{
    if (record->info->id == EL_ID_actor && record->any.actor.actor == 1) {
        const struct el_actor *a = &record->any.actor;
        assert_int_equal(a->state, EL_ACTOR_WAITING);
        assert_int_equal(a->wait_kind, EL_WAIT_SEM);
        assert_ptr_equal((void *)(uintptr_t)a->object, last_at);
        main_seen++;
    }
    if (record->info->id == EL_ID_held && record->any.held.actor == 1) {
        assert_int_equal(record->any.held.count, 1);
        assert_ptr_equal((void *)(uintptr_t)record->any.held.lock[0], held_at);
        held_seen++;
    }
}

static void on_event(const struct el_record *record)
{
    const struct el_lock_io *io = &record->any.lock_io;
    if (record->info->id == EL_ID_lock_io && io->actor == 1 && io->io_kind == EL_WAIT_POLL &&
        (void *)(uintptr_t)io->lock == held_at)
        polls++;
}

static void the_next_wait_is_the_one_recorded(void **state)
{
    (void)state;
    char out[200];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p %p", &last_at, &held_at), 2);
    assert_true(record_read(on_cell, on_event) > 0);
    assert_int_equal(main_seen, 1);
    assert_int_equal(held_seen, 1);
    assert_int_equal(polls, 4); /* a wait of their own each, with the lock held */
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_next_wait_is_the_one_recorded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
