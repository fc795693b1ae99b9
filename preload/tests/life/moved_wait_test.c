/*
 * moved_wait_test.c - coroutines of the program's own that are preempted: a handler leaves a wait
 * by swapcontext, and the wait comes to its end in another thread. What the first thread waits for
 * by then is what the record says of it.
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
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/life/thread_state.h"
#include "preload/tests/record_help.h"
#include "preload/tests/say.h"

/* ---- the program ---- */

static ucontext_t of_main, coroutine;
static pthread_t main_thread;
static long main_tid;
static sem_t nobody;
static volatile sig_atomic_t within;

static void preempt(int signal)
{
    (void)signal;
    if (within) {
        within = 0;
        swapcontext(&coroutine, &of_main);
    }
}

/* The second half of it runs in the other thread. */
static void body(void)
{
    within = 1;
    MUST(poll(NULL, 0, -1) == -1);
    syscall(SYS_exit_group, 0);
}

static volatile int main_is_back;

static void *goes_on(void *arg)
{
    while (!main_is_back) {
        if (within && state_of(main_tid) == 'S')
            pthread_kill(main_thread, SIGUSR1);
        sched_yield();
    }
    while (state_of(main_tid) != 'S') /* in sem_wait: it does nothing else any more */
        sched_yield();
    setcontext(&coroutine);
    return arg;
}

static int program(void)
{
    static char stack[64 * 1024];
    struct sigaction action = {.sa_handler = preempt};
    pthread_t t;
    main_thread = pthread_self();
    main_tid = syscall(SYS_gettid);
    sem_init(&nobody, 0, 0);
    printf("%p\n", (void *)&nobody);
    fflush(stdout);
    MUST(sigaction(SIGUSR1, &action, NULL) == 0 && getcontext(&coroutine) == 0);
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = sizeof stack;
    makecontext(&coroutine, body, 0);
    MUST(pthread_create(&t, NULL, goes_on, NULL) == 0);
    MUST(swapcontext(&of_main, &coroutine) == 0);
    main_is_back = 1;
    sem_wait(&nobody);
    return 1;
}

/* ---- what the record says ---- */

static void *nobody_at;
static int main_seen, other_seen;

static void on_cell(const struct el_record *record)
{
    const struct el_actor *a = &record->any.actor;
    if (record->info->id != EL_ID_actor)
        return;
    if (a->actor == 1) {
        main_seen++;
        assert_int_equal(a->state, EL_ACTOR_WAITING);
        assert_int_equal(a->wait_kind, EL_WAIT_SEM);
        assert_ptr_equal((void *)(uintptr_t)a->object, nobody_at);
    } else if (a->actor == 2) {
        other_seen++;
        assert_int_equal(a->state, EL_ACTOR_RUNNING);
    }
}

static void a_wait_ends_for_none_but_who_began_it(void **state)
{
    (void)state;
    char out[200];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p", &nobody_at), 1);
    assert_true(record_read(on_cell, NULL) > 0);
    assert_int_equal(main_seen, 1);
    assert_int_equal(other_seen, 1);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_wait_ends_for_none_but_who_began_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
