/*
 * fork_locks_test.c - a fork's child holds the locks that the forking thread held. Of a kind whose
 * owner is checked it cannot give them back: it is told so, and the record says that it holds them.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "preload/tests/record_help.h"

enum { OFTEN = 5000, HELD_MOST = 8 };

static pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t twice = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* Ends with the number of the line that is not so. */
#define NEEDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            _exit(__LINE__ & 0x7f);                                                                \
    } while (0)

static void lock_often(pthread_mutex_t *mutex)
{
    for (int i = 0; i < OFTEN; i++)
        NEEDS(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
}

static int program(void)
{
    int status;
    lock_often(&plain);
    lock_often(&checked);
    lock_often(&twice);
    NEEDS(pthread_mutex_lock(&plain) == 0);
    NEEDS(pthread_mutex_lock(&twice) == 0 && pthread_mutex_lock(&checked) == 0);
    pid_t child = fork();
    if (child == 0) {
        NEEDS(pthread_mutex_unlock(&checked) == EPERM && pthread_mutex_unlock(&twice) == EPERM);
        NEEDS(pthread_mutex_unlock(&plain) == 0);
        lock_often(&plain);
        _exit(0);
    }
    NEEDS(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    NEEDS(pthread_mutex_unlock(&checked) == 0 && pthread_mutex_unlock(&twice) == 0);
    NEEDS(pthread_mutex_unlock(&plain) == 0 && pthread_mutex_unlock(&checked) == EPERM);
    printf("%p %p\n", (void *)&twice, (void *)&checked);
    fflush(stdout);
    _exit(0);
}

static uint64_t held[HELD_MOST];
static unsigned count;

static void on_cell(const struct el_record *record)
{
    const struct el_held *h = &record->any.held;
    if (record->info->id != EL_ID_held)
        return;
    for (unsigned i = 0; i < h->count && count < HELD_MOST; i++)
        held[count++] = h->lock[i];
}

static void the_child_holds_what_it_cannot_give_back(void **state)
{
    char out[200];
    void *expected[2];
    (void)state;
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p %p", &expected[0], &expected[1]), 2);
    assert_true(record_read(on_cell, NULL) > 0);
    assert_int_equal(count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(held[i] == (uintptr_t)expected[0] || held[i] == (uintptr_t)expected[1]);
    }
    assert_true(held[0] != held[1]);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_child_holds_what_it_cannot_give_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
