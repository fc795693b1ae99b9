/* cells_test.c - cells are handed out once, come back, and are seen as their owners left them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/test_help.h"

static struct el_log the_log;
static char root[64];

static int begin(void **state)
{
    (void)state;
    test_dir_make(root);
    return el_log_open(&the_log, &(struct el_options){.root = root});
}

static int end(void **state)
{
    (void)state;
    el_log_forget(&the_log);
    bool agree = test_babeltrace_agrees(root);
    test_dir_remove(root);
    return agree ? 0 : -1;
}

/* Counts the cells of that type that are not free, and checks each against `check`. */
static uint64_t count_live(enum el_id id, bool (*check)(const union el_any *))
{
    struct el_reader *reader;
    struct el_record record;
    uint64_t live = 0;
    assert_int_equal(el_reader_open(the_log.dir, &reader), EL_READ_OK);
    while (el_reader_next_cell(reader, &record)) {
        if (record.info->id != (uint32_t)id || record.any.actor.state == EL_FREE)
            continue;
        live++;
        if (check != NULL)
            assert_true(check(&record.any));
    }
    assert_int_equal(el_reader_damage(reader), 0);
    el_reader_close(reader);
    return live;
}

static void a_freed_cell_is_used_again_and_is_zero(void **state)
{
    (void)state;
    struct el_timer *first = el_alloc_timer(&the_log);
    memset(&first->kind, 0xff, sizeof(*first) - sizeof(first->state));
    el_set_state(&first->state, EL_TIMER_ARMED);
    assert_int_equal(count_live(EL_ID_timer, NULL), 1);
    el_free_timer(&the_log, first);
    assert_int_equal(count_live(EL_ID_timer, NULL), 0);
    struct el_timer *second = el_alloc_timer(&the_log);
    const struct el_timer zero = {0};
    assert_ptr_equal(first, second);
    assert_memory_equal(second, &zero, sizeof(zero));
    el_free_timer(&the_log, NULL);
}

static void few_cells_cost_little(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_non_null(el_alloc_actor(&the_log));
    assert_non_null(el_alloc_held(&the_log));
    assert_non_null(el_slot_acquire(&the_log, 1));
    assert_in_range(the_log.used_bytes, 1, 64 * 1024);
}

static bool has_file(const char *name)
{
    char path[EL_PATH_MOST + 64];
    snprintf(path, sizeof(path), "%s/%s", the_log.dir, name);
    return access(path, F_OK) == 0;
}

/* To make a file takes longer than all else at a program's start. */
static void common_types_share_the_first_file(void **state)
{
    (void)state;
    struct el_actor *actor = el_alloc_actor(&the_log);
    struct el_site *site = el_alloc_site(&the_log);
    assert_true(actor != NULL && site != NULL && el_alloc_timer(&the_log) != NULL);
    el_set_state(&actor->state, EL_ACTOR_NEW);
    el_set_state(&site->state, EL_LIVE);
    assert_true(has_file("cells-summary-0") && has_file("cells-timer-0"));
    assert_false(has_file("cells-actor-0") || has_file("cells-site-0"));
    assert_int_equal(count_live(EL_ID_actor, NULL), 1);
    assert_int_equal(count_live(EL_ID_site, NULL), 1);
    for (int i = 0; i < 1000; i++)
        el_set_state(&el_alloc_site(&the_log)->state, EL_LIVE);
    assert_true(has_file("cells-site-1"));
    assert_int_equal(count_live(EL_ID_site, NULL), 1001);
}

static void a_small_log_has_them_when_they_are_needed(void **state)
{
    (void)state;
    const uint64_t small = 20 * EL_PACKET_BYTES;
    el_log_forget(&the_log);
    assert_int_equal(el_log_open(&the_log, &(struct el_options){.root = root, .max_bytes = small}),
                     0);
    assert_in_range(the_log.used_bytes, EL_PACKET_BYTES, 4 * EL_PACKET_BYTES);
    struct el_actor *actor = el_alloc_actor(&the_log);
    assert_non_null(actor);
    el_set_state(&actor->state, EL_ACTOR_NEW);
    assert_true(has_file("cells-actor-0"));
    assert_int_equal(count_live(EL_ID_actor, NULL), 1);
}

static bool has_its_number(const union el_any *any)
{
    return any->actor.actor == any->actor.creator + 1 && any->actor.actor == any->actor.object;
}

static void a_hundred_thousand_cells(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    struct el_actor **cells = calloc(MANY, sizeof(struct el_actor *));
    assert_non_null(cells);
    for (uint64_t i = 0; i < MANY; i++) {
        cells[i] = el_alloc_actor(&the_log);
        assert_non_null(cells[i]);
        cells[i]->creator = i;
        cells[i]->actor = cells[i]->object = i + 1;
        el_set_state(&cells[i]->state, EL_ACTOR_NEW);
    }
    assert_int_equal(count_live(EL_ID_actor, has_its_number), MANY);
    uint32_t chunks = the_log.pools[EL_ID_actor - 64].claimed;
    for (uint64_t i = 0; i < MANY; i += 2)
        el_free_actor(&the_log, cells[i]);
    assert_int_equal(count_live(EL_ID_actor, has_its_number), MANY / 2);
    for (uint64_t i = 0; i < MANY / 2; i++)
        assert_non_null(el_alloc_actor(&the_log));
    assert_int_equal(the_log.pools[EL_ID_actor - 64].claimed, chunks);
    free(cells);
}

/* Threads take and give cells at once, hand some to each other, and own what they hold: an owner's
 * mark in a cell that was given twice would be overwritten. */
enum { THREADS = 6, HELD = 50, TURNS = 20000 };
static struct el_object *swapped[16];

static void *churn(void *arg)
{
    uint64_t seed = (uint64_t)(uintptr_t)arg, wrong = 0;
    struct el_object *mine[HELD] = {NULL};
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        uint64_t r = test_random(&seed);
        struct el_object **at = &mine[r % HELD];
        if (*at == NULL) {
            *at = el_alloc_object(&the_log);
            if (*at == NULL || (*at)->state != EL_FREE || (*at)->object != 0)
                return (void *)1;
            (*at)->object = (uint64_t)(uintptr_t)arg << 32 | turn;
            (*at)->creator = (*at)->object;
            el_set_state(&(*at)->state, EL_LIVE);
        } else {
            wrong += (*at)->object != (*at)->creator || (*at)->state != EL_LIVE;
            if (r >> 32 & 1)
                *at = __atomic_exchange_n(&swapped[r >> 40 & 15], *at, __ATOMIC_ACQ_REL);
            if (*at != NULL)
                el_free_object(&the_log, *at);
            *at = NULL;
        }
    }
    for (int i = 0; i < HELD; i++)
        el_free_object(&the_log, mine[i]);
    return (void *)(uintptr_t)wrong;
}

static void threads_never_share_a_cell(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    for (int i = 0; i < 16; i++) {
        el_free_object(&the_log, swapped[i]);
        swapped[i] = NULL;
    }
    assert_int_equal(count_live(EL_ID_object, NULL), 0);
    /* What is handed out is bounded by what was held at once. */
    struct test_counts counts = test_count(the_log.dir);
    assert_in_range(counts.by_id[EL_ID_object], 1, THREADS * HELD + 16 + THREADS);
    assert_int_equal(counts.summary.lost_cells, 0);
}

static void *open_and_close_slots(void *arg)
{
    for (int i = 0; i < 3000; i++) {
        struct el_slot *slot = el_slot_acquire(&the_log, (uint32_t)(uintptr_t)arg);
        if (slot == NULL || slot->tid != (uint32_t)(uintptr_t)arg)
            return (void *)1;
        el_write_fork(slot, &(struct el_fork){.child = (uint32_t)i});
        if (slot->tid != (uint32_t)(uintptr_t)arg)
            return (void *)2;
        el_slot_release(slot);
    }
    return NULL;
}

static void threads_never_share_a_slot(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_close_slots, (void *)(i + 1)),
                         0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    assert_in_range(the_log.made_slots, 1, THREADS);
    struct test_counts counts = test_count(the_log.dir);
    assert_int_equal(counts.by_id[EL_ID_fork], THREADS * 3000);
    assert_int_equal(counts.damage, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_freed_cell_is_used_again_and_is_zero),
        TEST(few_cells_cost_little),
        TEST(common_types_share_the_first_file),
        TEST(a_small_log_has_them_when_they_are_needed),
        TEST(a_hundred_thousand_cells),
        TEST(threads_never_share_a_cell),
        TEST(threads_never_share_a_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
