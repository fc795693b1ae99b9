/*
 * kill_test.c - a program with several threads is killed at random instants: each record opens
 * undamaged, and holds each thread's events up to the kill.
 *
 * Each thread numbers its events and, after each, stores the number in memory that it shares with
 * this test. The record must hold every number from 1 to at least the stored one, at most one more.
 * Cells obey state last when filled and first when freed, so none is seen half filled.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

enum { KILLS = 200, THREADS = 4, CELLS = 40, CHECK_EACH = 10 };
/* The kill comes at most so long after the fork, or after the first event: every other one may hit
 * the start of a record. */
#define LONGEST_NS 6000000u

struct shared {
    uint32_t opened;
    uint64_t done[THREADS]; /* the last event that was surely written */
};

static struct el_log the_log;
static struct shared *shared;

static void touch_cells(struct el_object **cells, uint64_t *seed)
{
    struct el_object **at = &cells[test_random(seed) % CELLS];
    if (*at != NULL) {
        el_free_object(&the_log, *at);
        *at = NULL;
        return;
    }
    *at = el_alloc_object(&the_log);
    if (*at == NULL)
        return;
    /* All fields follow from one, and that one is not zero. */
    uint64_t base = test_random(seed) | 1;
    (*at)->object = base;
    (*at)->creator = base + 1;
    (*at)->capacity = base + 2;
    el_set_state(&(*at)->state, EL_LIVE);
}

static void *write_numbers(void *arg)
{
    const uint32_t me = (uint32_t)(uintptr_t)arg;
    struct el_slot *slot = el_slot_acquire(&the_log, me);
    struct el_object *cells[CELLS] = {NULL};
    uint64_t frames[64] = {0}, seed = me;
    for (uint64_t n = 1; slot != NULL; n++) {
        uint64_t r = test_random(&seed);
        struct el_population event = {.site_kind = me, .live = n, .total = ~n};
        if (el_write_population(slot, &event))
            __atomic_store_n(&shared->done[me], n, __ATOMIC_RELEASE);
        if (r % 4 == 0)
            el_write_stack(slot, &(struct el_stack){
                                     .stack = me, .frames = frames, .frames_count = r >> 32 & 63});
        if (r % 512 == 1) {
            el_slot_release(slot);
            slot = el_slot_acquire(&the_log, me);
        }
        touch_cells(cells, &seed);
    }
    return NULL;
}

static void run_until_killed(const char *root)
{
    pthread_t thread;
    if (el_log_open(&the_log, &(struct el_options){.root = root, .max_bytes = 1u << 30}) != 0)
        _exit(1);
    __atomic_store_n(&shared->opened, 1, __ATOMIC_RELEASE);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, write_numbers, (void *)i);
    for (;;)
        pause();
}

/* Forks the program, kills it after `ns`; what it shared is as it left it. */
static void kill_after(const char *root, uint64_t ns, bool after_first)
{
    int status;
    memset(shared, 0, sizeof(*shared));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_until_killed(root);
    while (after_first && __atomic_load_n(&shared->done[0], __ATOMIC_ACQUIRE) == 0) {
        if (waitpid(child, &status, WNOHANG) != 0)
            fail_msg("the program ended by itself: status=%d", status);
        sched_yield();
    }
    nanosleep(&(struct timespec){.tv_nsec = (long)ns}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void check_cells(struct el_reader *reader)
{
    struct el_record record;
    while (el_reader_next_cell(reader, &record)) {
        const struct el_object *object = &record.any.object;
        if (record.info->id != EL_ID_object || object->state != EL_LIVE)
            continue;
        assert_int_not_equal(object->object, 0);
        assert_int_equal(object->creator, object->object + 1);
        assert_int_equal(object->capacity, object->object + 2);
    }
}

/* Returns the number of events. */
static uint64_t check_record(const char *dir)
{
    struct el_reader *reader;
    struct el_record record;
    uint64_t last[THREADS] = {0}, all = 0;

    enum el_read_error error = el_reader_open(dir, &reader);
    if (error == EL_READ_NO_METADATA && !shared->opened)
        return 0; /* killed before the record began */
    assert_int_equal(error, EL_READ_OK);
    while (el_reader_next(reader, &record)) {
        const struct el_population *event = &record.any.population;
        all++;
        if (record.info->id != EL_ID_population)
            continue;
        assert_in_range(event->site_kind, 0, THREADS - 1);
        assert_int_equal(event->live, last[event->site_kind] + 1);
        assert_int_equal(event->total, ~event->live);
        last[event->site_kind]++;
    }
    for (int i = 0; i < THREADS; i++)
        assert_in_range(last[i], shared->done[i], shared->done[i] + 1);
    check_cells(reader);
    if (el_reader_damage(reader) != 0)
        fail_msg("damage: %s", el_reader_damage_text(reader, 0));
    el_reader_close(reader);
    return all;
}

static void any_instant_leaves_a_good_record(void **state)
{
    (void)state;
    uint64_t seed = 20, all = 0;
    int with_events = 0;
    for (int i = 0; i < KILLS; i++) {
        char root[64];
        test_dir_make(root);
        kill_after(root, test_random(&seed) % LONGEST_NS, i % 2 == 1);
        struct el_list list;
        assert_int_equal(el_list_processes(root, &list), EL_READ_OK);
        assert_true(list.n == 1 || (list.n == 0 && !shared->opened));
        uint64_t events = list.n == 1 ? check_record(list.items[0]) : 0;
        if (i % CHECK_EACH == 1)
            assert_true(test_babeltrace_agrees(root));
        with_events += events > 0;
        all += events;
        el_list_free(&list);
        test_dir_remove(root);
    }
    print_message("%d records with events, %llu events\n", with_events, (unsigned long long)all);
    assert_true(with_events >= KILLS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_instant_leaves_a_good_record)};
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
