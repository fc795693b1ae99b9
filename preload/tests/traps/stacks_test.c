/*
 * stacks_test.c - what the record says of stacks that look alike: two callers with frames of one
 * size, whose calls come from the same place at the same depth; and two libraries, one after the
 * other at one address, with the same instructions and frames of different sizes.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"
#include "preload/tests/say.h"

enum { ROUNDS = 20, STACKS_MOST = 4096 };

/* ---- the program ---- */

#define APART(name)  __attribute__((noinline, section("text_" #name)))
#define BOUNDS(name) extern const char __start_text_##name[], __stop_text_##name[]
BOUNDS(first);
BOUNDS(second);
BOUNDS(loads);

static volatile int sink;

__attribute__((noinline)) static void sleeps(int value)
{
    usleep(1);
    sink = value;
}

APART(first) static void first(void)
{
    sleeps(1);
    sink = 11;
}

APART(second) static void second(void)
{
    sleeps(2);
    sink = 22;
}

APART(loads) static void loads(const char *name)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char path[512];
    int (*work)(pthread_mutex_t * lock, int value);
    MUST((size_t)snprintf(path, sizeof path, "%s/%s", getenv("TRAP_LIBRARIES"), name) <
         sizeof path);
    void *library = dlopen(path, RTLD_NOW);
    MUST(library != NULL);
    *(void **)&work = dlsym(library, "trap_work");
    MUST(work != NULL && work(&lock, 8) != -1); /* which sleeps */
    MUST(dlclose(library) == 0);
}

static void (*const callers[])(void) = {first, second};

static int program(void)
{
    for (int i = 0; i < 2 * ROUNDS; i++)
        callers[i % 2]();
    for (int i = 0; i < 2 * ROUNDS; i++)
        loads(i % 2 ? "libtrap_a.so" : "libtrap_b.so");
    printf("%p %p %p %p %p %p\n", (const void *)__start_text_first, (const void *)__stop_text_first,
           (const void *)__start_text_second, (const void *)__stop_text_second,
           (const void *)__start_text_loads, (const void *)__stop_text_loads);
    return 0;
}

/* ---- what the record says ---- */

enum place { FIRST, SECOND, LOADS, PLACES };

static void *bounds[PLACES][2];
static unsigned char within[STACKS_MOST][PLACES]; /* by stack */
static int sleeps_of[PLACES], elsewhere;

static void on_stack(uint32_t id, const uint64_t *frames, uint64_t n)
{
    for (uint64_t i = 0; id < STACKS_MOST && i < n; i++) {
        for (int place = 0; place < PLACES; place++) {
            within[id][place] |=
                frames[i] > (uintptr_t)bounds[place][0] && frames[i] <= (uintptr_t)bounds[place][1];
        }
    }
}

static void on_event(const struct el_record *record)
{
    if (record->info->id == EL_ID_stack)
        on_stack(record->any.stack.stack, record->any.stack.frames, record->any.stack.frames_count);
    if (record->info->id != EL_ID_wait || record->any.wait.kind != EL_WAIT_SLEEP)
        return;
    int places = 0;
    for (int place = 0; place < PLACES; place++) {
        int yes = within[record->any.wait.stack % STACKS_MOST][place];
        sleeps_of[place] += yes;
        places += yes;
    }
    elsewhere += places != 1;
}

static void each_stack_is_its_own(void **state)
{
    (void)state;
    char out[400];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%p %p %p %p %p %p", &bounds[0][0], &bounds[0][1], &bounds[1][0],
                            &bounds[1][1], &bounds[2][0], &bounds[2][1]),
                     6);
    assert_true(record_read(NULL, on_event) > 0);
    assert_int_equal(sleeps_of[FIRST], ROUNDS);
    assert_int_equal(sleeps_of[SECOND], ROUNDS);
    assert_int_equal(sleeps_of[LOADS], 2 * ROUNDS);
    assert_int_equal(elsewhere, 0);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_stack_is_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
