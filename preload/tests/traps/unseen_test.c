/*
 * unseen_test.c - threads that were made past pthread_create's wrapper: those that are gone when
 * the process ends have ended in the record too, the one that lives on has not.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"

enum { GONE = 5 };

/* ---- the program ---- */

typedef int create_fn(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                      void *arg);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *passes(void *arg)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return arg;
}

static void *stays(void *arg)
{
    passes(NULL);
    pthread_barrier_wait(&both);
    for (;;)
        pause();
    return arg;
}

/* A thread is joined a moment before the kernel lets go of it. */
static int threads_there(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    if (d != NULL)
        closedir(d);
    return n;
}

static int program(void)
{
    pthread_t t;
    create_fn *create;
    void *libc = dlopen("libc.so.6", RTLD_NOW);
    *(void **)&create = libc == NULL ? NULL : dlsym(libc, "pthread_create");
    if (create == NULL || pthread_barrier_init(&both, NULL, 2) != 0)
        return 1;
    int bad = 0;
    for (int i = 0; i < GONE; i++)
        bad |= create(&t, NULL, passes, NULL) || pthread_join(t, NULL);
    bad |= create(&t, NULL, stays, NULL);
    pthread_barrier_wait(&both);
    while (threads_there() > 2)
        sched_yield();
    return bad;
}

/* ---- its record ---- */

static int alive, ended, ends;

static void on_cell(const struct el_record *record)
{
    if (record->info->id != EL_ID_actor)
        return;
    const struct el_actor *cell = &record->any.actor;
    if ((cell->flags & EL_ACTOR_SYSTEM) == 0)
        return;
    if (cell->state == EL_ACTOR_ENDED)
        ended++;
    else if (cell->state != EL_ACTOR_FREE)
        alive++;
}

static void on_event(const struct el_record *record)
{
    ends += record->info->id == EL_ID_thread_end;
}

static void who_is_gone_has_ended(void **state)
{
    char out[64];
    (void)state;
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_true(record_read(on_cell, on_event) > 0);
    assert_int_equal(ended, GONE);
    assert_int_equal(ends, GONE);
    assert_int_equal(alive, 1);
}

static int begin(void **state)
{
    (void)state;
    return record_prepare();
}

static int end(void **state)
{
    (void)state;
    return record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_is_gone_has_ended)};
    return cmocka_run_group_tests(tests, begin, end);
}
