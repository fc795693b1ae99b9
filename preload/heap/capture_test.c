/* capture_test.c - what is counted of the memory behind arguments, in a real record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/heap/capture.h"
#include "preload/heap/starts.h"

#define BYTES         8192
#define NOT_LOOKED_AT SIZE_MAX

static uint64_t last_id;
static uint32_t last_place;

/* The allocator's wrappers are not part of this test: what they note is noted here. */
static void *block_make(size_t bytes)
{
    void *block = calloc(1, bytes);
    assert_non_null(block);
    pl_starts_add((uintptr_t)block);
    return block;
}

static void block_free(void *block)
{
    if (!pl_starts_take((uintptr_t)block))
        pl_capture_freed((uintptr_t)block);
    free(block);
}

static struct pl_site *place(void)
{
    return pl_site_get(EL_SITE_TASK, ++last_place, 0);
}

static struct pl_actor *task(struct pl_site *site, const void *arg, size_t copied)
{
    struct pl_actor *actor = pl_actor_create(EL_ACTOR_TASK | ++last_id);
    pl_spawned(&pl_self_block, NULL, actor, site, 0, pl_now());
    if (copied != NOT_LOOKED_AT)
        pl_capture_look(actor, (uintptr_t)arg, copied, 1);
    return actor;
}

static void end(struct pl_actor *actor)
{
    pl_capture_ends(actor);
    pl_spawn_ended(actor);
    pl_actor_destroy(actor);
}

static const struct el_capture *cell(struct pl_site *site)
{
    return site->captures;
}

static void waiting_tasks_hold_what_they_were_given(void **state)
{
    (void)state;
    struct pl_site *site = place();
    struct pl_actor *tasks[4], *others[4];
    void *blocks[4];
    for (int i = 0; i < 4; i++)
        others[i] = task(site, NULL, NOT_LOOKED_AT);
    for (int i = 0; i < 4; i++)
        tasks[i] = task(site, blocks[i] = block_make(BYTES), 0);
    assert_true(cell(site)->holders == 4 && cell(site)->alive == 4 && cell(site)->waiting == 0);
    for (int i = 0; i < 4; i++)
        pl_capture_waits(tasks[i], 1000);
    assert_true(cell(site)->waiting == 4 && cell(site)->wait_begins == 4000);
    assert_in_range(cell(site)->held, 4 * BYTES, 4 * (BYTES + 16));
    /* An estimate for all eight. */
    assert_true(cell(site)->peak_bytes == 2 * cell(site)->held && cell(site)->peak_live == 8);
    assert_true(cell(site)->peak_waiting == 4 && cell(site)->peak_alive == 4);
    for (int i = 0; i < 3; i++)
        pl_capture_waited(tasks[i], 1500);
    assert_true(cell(site)->waiting == 1 && cell(site)->wait_ticks == 1500);
    /* Freed by itself, freed by another while it waits, kept beyond its end. */
    memset(blocks[0], 1, BYTES);
    block_free(blocks[0]);
    block_free(blocks[3]);
    assert_true(cell(site)->waiting == 0 && cell(site)->held == 0 && cell(site)->wait_begins == 0);
    for (int i = 0; i < 4; i++) {
        end(tasks[i]);
        end(others[i]);
    }
    assert_true(cell(site)->written == 1 && cell(site)->kept == 3 && cell(site)->alive == 0);
    block_free(blocks[1]);
    block_free(blocks[2]);
    assert_true(cell(site)->kept == 3);
}

static void what_was_freed_before_the_wait_is_not_held(void **state)
{
    (void)state;
    struct pl_site *site = place();
    void *block = block_make(BYTES);
    struct pl_actor *actor = task(site, block, 0);
    block_free(block);
    pl_capture_waits(actor, 1000);
    assert_true(cell(site)->waiting == 0 && cell(site)->holders == 1);
    end(actor);
    assert_int_equal(cell(site)->kept, 1);
}

static void what_is_shared_is_nobodys(void **state)
{
    (void)state;
    struct pl_site *site = place();
    void *block = block_make(BYTES);
    struct pl_actor *first = task(site, block, 0);
    pl_capture_waits(first, 1000);
    assert_int_equal(cell(site)->waiting, 1);
    struct pl_actor *second = task(site, block, 0), *third = task(site, block, 0);
    assert_true(cell(site)->waiting == 0 && cell(site)->shared == 2 && cell(site)->holders == 1);
    pl_capture_waits(third, 1000);
    assert_int_equal(cell(site)->waiting, 0);
    end(first);
    end(second);
    end(third);
    block_free(block);
    /* The next one at that address is a block of its own. */
    block = block_make(BYTES);
    first = task(site, block, 0);
    assert_int_equal(cell(site)->holders, 2);
    end(first);
    block_free(block);
}

static void pointers_are_followed(void **state)
{
    (void)state;
    struct pl_site *site = place();
    void *large = block_make(BYTES), **job = block_make(64), *words[4] = {0};
    job[3] = large;
    struct pl_actor *actor = task(site, job, 0);
    assert_true(cell(site)->holders == 1 && cell(site)->nested == 1);
    end(actor);
    /* Behind a copy that the runtime made, and what that wraps. */
    words[2] = job;
    actor = task(site, words, sizeof words);
    assert_true(cell(site)->holders == 2 && cell(site)->nested == 2);
    end(actor);
    /* Small blocks, and words that are no pointers. */
    struct pl_actor *others[] = {task(site, block_make(64), 0), task(site, (void *)7, 0),
                                 task(site, (void *)UINTPTR_MAX, 0), task(site, words + 1, 0)};
    assert_true(cell(site)->holders == 2 && cell(site)->looked == 6);
    for (int i = 0; i < 4; i++)
        end(others[i]);
    block_free(large);
    block_free(job);
}

static char dir[] = "/tmp/loiter-capture-test-XXXXXX";

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL || setenv("LOITER_DIR", dir, 1) != 0)
        return -1;
    pl_resolve_all();  /* whose allocator it is */
    pl_starts.off = 0; /* it rests where nobody records from the start */
    pl_options_read();
    pl_record_start(EL_CAUSE_START);
    return pl_is_ready() ? 0 : -1;
}

static int finish(void **state)
{
    (void)state;
    pl_record_forget();
    char command[128] = "rm -rf ";
    return system(strcat(command, dir));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_tasks_hold_what_they_were_given),
        cmocka_unit_test(what_was_freed_before_the_wait_is_not_held),
        cmocka_unit_test(what_is_shared_is_nobodys),
        cmocka_unit_test(pointers_are_followed),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
