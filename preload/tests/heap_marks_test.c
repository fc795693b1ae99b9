/*
 * heap_marks_test.c - at a mark the program's blocks are looked through as at its end, with what it
 * has in registers only; the last look counts. The program ends without one at its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <loiter.h>

#include "preload/tests/record_help.h"

#define LOST_SIZE 4000u
#define KEPT_SIZE 5000u
#define HELD_SIZE 6000u
#define LATE_SIZE 7000u

/* ---- the program ---- */

static void *volatile kept;

static __attribute__((noinline)) void scrub(void)
{
    volatile char bytes[16384];
    memset((char *)(uintptr_t)bytes, 0, sizeof bytes);
}

static __attribute__((noinline)) void lose(size_t size)
{
    void *volatile block = malloc(size);
    memset(block, 0, size);
    block = NULL;
}

/* The only pointers to the blocks lie in registers that a called function must keep. */
static __attribute__((noinline)) void mark_with_registers(void)
{
#if defined(__x86_64__)
    register uintptr_t a __asm__("rbx") = (uintptr_t)malloc(HELD_SIZE);
    register uintptr_t b __asm__("r12") = (uintptr_t)malloc(HELD_SIZE);
    register uintptr_t c __asm__("r15") = (uintptr_t)malloc(HELD_SIZE);
#else
    register uintptr_t a __asm__("x19") = (uintptr_t)malloc(HELD_SIZE);
    register uintptr_t b __asm__("x22") = (uintptr_t)malloc(HELD_SIZE);
    register uintptr_t c __asm__("x28") = (uintptr_t)malloc(HELD_SIZE);
#endif
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
    scrub();
    loiter_mark("two");
    __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c));
    free((void *)a);
    free((void *)b);
    free((void *)c);
}

static int program(void)
{
    void *volatile late = malloc(LATE_SIZE);
    kept = malloc(KEPT_SIZE);
    lose(LOST_SIZE);
    scrub();
    loiter_mark("one");
    late = NULL;
    mark_with_registers();
    lose(LOST_SIZE);
    _exit(late != NULL);
}

/* ---- what the record says ---- */

static uint64_t lost[16];
static int scans, marks;

static void on_cell(const struct el_record *record)
{
    const struct el_heap_site *cell = &record->any.heap_site;
    if (record->info->id == EL_ID_heap_site && cell->state != EL_FREE && cell->size_max < 16000)
        lost[cell->size_max / 1000] += cell->leaked_blocks[0];
}

static void on_event(const struct el_record *record)
{
    marks += record->info->id == EL_ID_mark;
    if (record->info->id == EL_ID_heap_scan) {
        assert_int_equal(record->any.heap_scan.result, EL_SCAN_DONE);
        scans++;
    }
}

static void the_last_mark_counts(void **state)
{
    (void)state;
    char out[16];
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_true(record_read(on_cell, on_event) > 0);
    assert_int_equal(marks, 2);
    assert_int_equal(scans, 2);
    assert_int_equal(lost[LOST_SIZE / 1000],
                     1); /* as of the mark: neither doubled nor the late one */
    assert_int_equal(lost[KEPT_SIZE / 1000], 0);
    assert_int_equal(lost[HELD_SIZE / 1000], 0);
    assert_int_equal(lost[LATE_SIZE / 1000], 1);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_last_mark_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
