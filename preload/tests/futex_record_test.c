/*
 * futex_record_test.c - what the record says of waits by the futex call: where a thread waits and
 * who woke it, and nothing of a child that has its maker's thread-local memory.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/life/thread_state.h"
#include "preload/tests/record_help.h"

/* ---- the program ---- */

#define NOT_YET 7u

static uint32_t never, turn = NOT_YET;
static volatile long waiter_tid;

static void futex(uint32_t *word, int op, uint32_t value)
{
    syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

static int child_main(void *arg)
{
    for (;;)
        futex(arg, FUTEX_WAIT, 0);
    return 0;
}

static void wait_until_asleep(long tid)
{
    while (state_of(tid) != 'S')
        sched_yield();
}

/* Comes back once, and then waits for what does not come. */
static void *waits(void *arg)
{
    waiter_tid = syscall(SYS_gettid);
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == NOT_YET)
        futex(&turn, FUTEX_WAIT_BITSET, NOT_YET);
    for (;;)
        futex(&never, FUTEX_WAIT, 0);
    return arg;
}

static void wake(void)
{
    wait_until_asleep(waiter_tid);
    __atomic_store_n(&turn, 1, __ATOMIC_RELEASE);
    futex(&turn, FUTEX_WAKE, 1);
}

static int program(void)
{
    static _Alignas(16) char stack[65536];
    static uint32_t childs;
    pthread_t thread;
    if (pthread_create(&thread, NULL, waits, NULL) != 0)
        return 1;
    while (waiter_tid == 0)
        sched_yield();
    wake();
    pid_t child = clone(child_main, stack + sizeof stack, CLONE_VM | SIGCHLD, &childs);
    if (child < 0)
        return 1;
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    while (state != 'S') {
        FILE *f = fopen(path, "r");
        if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
            return 1;
        fclose(f);
    }
    wait_until_asleep(waiter_tid);
    printf("%p %p\n", (void *)&never, (void *)&turn);
    fflush(stdout);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    syscall(SYS_exit_group, 0);
    return 1;
}

/* ---- what the record says ---- */

static void *never_at, *turn_at;
static int main_seen, waiter_seen, objects_seen;

static void on_cell(const struct el_record *record)
{
    const struct el_actor *a = &record->any.actor;
    const struct el_object *o = &record->any.object;
    if (record->info->id == EL_ID_actor && a->state != EL_FREE && a->actor == 1) {
        assert_int_equal(a->state, EL_ACTOR_RUNNING);
        assert_int_equal(a->wait_kind, EL_WAIT_NONE);
        main_seen++;
    }
    if (record->info->id == EL_ID_actor && a->state != EL_FREE && a->actor == 2) {
        assert_int_equal(a->state, EL_ACTOR_WAITING);
        assert_int_equal(a->wait_kind, EL_WAIT_FUTEX);
        assert_ptr_equal((void *)(uintptr_t)a->object, never_at);
        assert_int_equal(a->flags & EL_ACTOR_TIMED, 0);
        assert_int_equal(a->waker, 1);
        waiter_seen++;
    }
    if (record->info->id == EL_ID_object && o->state == EL_LIVE && o->kind == EL_OBJ_FUTEX) {
        const int is_turn = (void *)(uintptr_t)o->object == turn_at;
        assert_true(is_turn || (void *)(uintptr_t)o->object == never_at);
        assert_int_equal(o->last_waker, is_turn ? 1 : 0);
        assert_int_equal(o->last_waiter, 2);
        assert_int_equal(o->capacity, is_turn ? NOT_YET + 1 : 0);
        assert_int_equal(o->storage, EL_STORAGE_STATIC);
        objects_seen++;
    }
}

static void who_waits_and_who_woke(void **state)
{
    (void)state;
    char out[200];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p %p", &never_at, &turn_at), 2);
    assert_true(record_read(on_cell, NULL) > 0);
    assert_int_equal(main_seen, 1);
    assert_int_equal(waiter_seen, 1);
    assert_int_equal(objects_seen, 2);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_waits_and_who_woke)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
