/*
 * unwind_test.c - the walk of .eh_frame gives what libunwind gives, on frames of many kinds.
 *
 * The program is compiled without frame pointers, but for probe(), which stands for a wrapper.
 */
#define UNW_LOCAL_ONLY
#include <alloca.h>
#include <libunwind.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/core/cfi.h"
#include "preload/core/unwind.h"

#define DEPTH 64

static uintptr_t mine[DEPTH], slots[DEPTH], theirs[DEPTH];
static unsigned mine_n, theirs_n, probes;
static unsigned slots_wrong; /* return addresses that do not lie where the walk says */

__attribute__((noinline, optimize("no-omit-frame-pointer"))) static void probe(void)
{
    struct pl_call call = PL_CALL();
    struct pl_walk walk = {.max = DEPTH, .pcs = mine, .slots = slots};
    pl_unwind(&walk, call);
    mine_n = walk.n;
    slots_wrong = 0;
    for (unsigned i = 1; i < mine_n; i++)
        slots_wrong += pl_plain_address(*(uintptr_t *)slots[i]) != mine[i];

    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    theirs_n = 0;
    while (theirs_n < DEPTH && unw_step(&cursor) > 0) {
        unw_word_t ip;
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        if (ip == 0)
            break;
        theirs[theirs_n++] = (uintptr_t)ip;
    }
    probes++;
}

static void compare(unsigned least)
{
    assert_true(mine_n >= least);
    assert_int_equal(mine_n, theirs_n);
    for (unsigned i = 0; i < mine_n; i++)
        assert_int_equal(mine[i], theirs[i]);
    assert_int_equal(slots_wrong, 0);
}

static volatile int sink;

static void deep(int n)
{
    if (n == 0)
        probe();
    else
        deep(n - 1);
    sink++;
}

static void plain_frames(void **state)
{
    (void)state;
    deep(20);
    compare(20);
}

static void moving_frame(size_t n)
{
    char *room = alloca(n);
    memset(room, 1, n);
    deep(2);
    sink += room[n - 1];
}

static void frames_of_changing_size(void **state)
{
    (void)state;
    for (size_t n = 16; n < 4096; n *= 3) {
        moving_frame(n);
        compare(4);
    }
}

static void aligned_frame(size_t n)
{
    volatile char room[64] __attribute__((aligned(256)));
    char *more = alloca(n);
    room[0] = 1;
    more[0] = room[0];
    deep(1);
    sink += room[0] + more[0];
}

static void frames_that_realign_the_stack(void **state)
{
    (void)state;
    aligned_frame(100);
    compare(3);
}

static int order(const void *a, const void *b)
{
    if (probes == 0)
        probe();
    return *(const int *)a - *(const int *)b;
}

static void frames_of_the_c_library(void **state)
{
    (void)state;
    int numbers[8] = {3, 1, 2, 9, 4, 7, 5, 0};
    probes = 0;
    qsort(numbers, 8, sizeof(int), order);
    compare(3);
}

static void on_signal(int number)
{
    (void)number;
    deep(3);
}

static void what_a_handler_interrupted(void **state)
{
    (void)state;
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
    compare(6);
}

static void *in_thread(void *arg)
{
    deep(5);
    return arg;
}

static void a_thread_s_stack_has_an_end(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, in_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    compare(6);
}

/* Whatever lies on the stack: no walk may fault or run on. */
static void garbage_does_no_harm(void **state)
{
    (void)state;
    static uintptr_t stack[512];
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        for (int i = 0; i < 32; i++) {
            seed = seed * 1664525 + 1013904223;
            uintptr_t code = (uintptr_t)(void *)deep + seed % 4096;
            stack[seed / 7 % 512] = seed % 3 == 0 ? code : (uintptr_t)&stack[seed % 600];
        }
        struct pl_call call = {(uintptr_t)(void *)deep + seed % 512, (uintptr_t)&stack[seed % 64],
                               (uintptr_t)&stack[seed % 700]};
        struct pl_walk walk = {
            .hi = (uintptr_t)&stack[512], .max = DEPTH, .pcs = mine, .slots = slots};
        pl_unwind(&walk, call);
        assert_in_range(walk.n, 1, DEPTH);
        walk.hi = 0;
        pl_unwind(&walk, call);
        assert_in_range(walk.n, 1, DEPTH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_frames),
        cmocka_unit_test(frames_of_changing_size),
        cmocka_unit_test(frames_that_realign_the_stack),
        cmocka_unit_test(frames_of_the_c_library),
        cmocka_unit_test(what_a_handler_interrupted),
        cmocka_unit_test(a_thread_s_stack_has_an_end),
        cmocka_unit_test(garbage_does_no_harm),
    };
    pl_cfi_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
