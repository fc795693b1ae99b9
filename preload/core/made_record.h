/*
 * made_record.h - for unit tests of the core: a real record in a scratch directory, the actors that
 * a test makes by hand, and what the record holds. The wrappers are not there: a test calls the
 * core as they would.
 */
#ifndef PRELOAD_CORE_MADE_RECORD_H
#define PRELOAD_CORE_MADE_RECORD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/reader.h"
#include "preload/core/actor.h"
#include "preload/core/cfi.h"
#include "preload/core/options.h"
#include "preload/core/record.h"

static char made_dir[] = "/tmp/loiter-core-test-XXXXXX";

/* Group set-up and tear-down. */
static inline int made_begin(void **state)
{
    (void)state;
    if (mkdtemp(made_dir) == NULL || setenv("LOITER_DIR", made_dir, 1) != 0)
        return -1;
    pl_options_read();
    pl_cfi_start();
    pl_self()->stack_hi = 0;
    pl_record_start(EL_CAUSE_START);
    return pl_is_on() ? 0 : -1;
}

static inline int made_end(void **state)
{
    (void)state;
    pl_record_forget();
    char command[128] = "rm -rf ";
    return system(strcat(command, made_dir));
}

/* The n-th record with that id that `matches` (NULL: any), cells before events. 0: there is none.
 */
static inline int made_find(uint32_t id, int (*matches)(const union el_any *any), size_t n,
                            struct el_record *out)
{
    struct el_list list;
    struct el_reader *r;
    int found = 0;
    assert_int_equal(el_list_processes(made_dir, &list), EL_READ_OK);
    assert_int_equal(list.n, 1);
    assert_int_equal(el_reader_open(list.items[0], &r), EL_READ_OK);
    while (!found && (el_reader_next_cell(r, out) || el_reader_next(r, out)))
        found = out->info->id == id && (matches == NULL || matches(&out->any)) && n-- == 0;
    el_reader_close(r);
    el_list_free(&list);
    return found;
}

/* Runs as `actor` from now on; gives who ran before. Guard on. */
static inline struct pl_actor *made_become(struct pl_self *self, struct pl_actor *actor)
{
    struct pl_actor *before = self->actor;
    self->actor = actor;
    return before;
}

/* A task that was made at `stack`, which is any number. */
static inline struct pl_actor *made_task(uint64_t number, uint32_t stack)
{
    struct pl_actor *task = pl_actor_create(number | EL_ACTOR_TASK);
    assert_non_null(task);
    task->cell->created_stack = stack;
    return task;
}

#endif
