/*
 * made_tasks.h - a runtime for tests: a task that runs, others that it makes at one place, and how
 * often they were counted there. One source of each test includes it, after cmocka.h.
 */
#ifndef PRELOAD_WRAP_MADE_TASKS_H
#define PRELOAD_WRAP_MADE_TASKS_H

#include <loiter.h>

#include "preload/core/made_record.h"
#include "preload/core/young.h"

#define TASKS 8
#define MANY  640

/* A runtime's record of a task. */
struct task {
    struct loiter_task loiter;
    char *stack;
};

static volatile int sink;
static char chan;
static uint64_t last_id;
static char place_one; /* stands for a return address into the program */
static char stack[65536];
static struct task parent, tasks[TASKS], many[MANY];
static const void *volatile running;
static struct pl_actor *parent_actor;

static void task_main(void) {}

__attribute__((noinline)) static void create(struct task *t)
{
    *t = (struct task){{++last_id, NULL}, NULL};
    pl_self()->until_sample = 1000;
    loiter_task_created(&t->loiter, task_main, sizeof(stack), 24, &place_one, NULL);
    sink++;
}

static void list(void (*on)(const struct loiter_task *t, void *ctx), void *ctx)
{
    on(&parent.loiter, ctx);
    for (int i = 0; i < TASKS; i++)
        on(&tasks[i].loiter, ctx);
    for (int i = 0; i < MANY; i++)
        on(&many[i].loiter, ctx);
}

static void run(struct task *t)
{
    running = t;
}

/* A run with a parent. */
static int begin(void **state)
{
    (void)state;
    loiter_run_begin("test", 1);
    loiter_task_stacks(offsetof(struct task, stack));
    loiter_task_list(list);
    loiter_worker_task(&running, offsetof(struct task, loiter));
    loiter_tick();
    parent = (struct task){{++last_id, NULL}, NULL};
    loiter_task_created(&parent.loiter, task_main, sizeof(stack), 0, &place_one, NULL);
    run(&parent);
    loiter_object_created(LOITER_OBJ_CHAN, &chan, 0, &place_one); /* now it has an actor */
    loiter_object_destroyed(LOITER_OBJ_CHAN, &chan, 0);
    parent_actor = parent.loiter.tool;
    return 0;
}

static int end(void **state)
{
    (void)state;
    run(&parent);
    loiter_task_exit(&parent.loiter);
    run(NULL);
    loiter_run_end();
    return 0;
}

static struct el_site *site(void)
{
    return pl_self()->thread->spawn_site->cell;
}

__attribute__((noinline)) static void create_many(int from, int to)
{
    for (volatile int i = from; i < to; i++)
        create(&many[i]);
}

static void exit_many(int from, int to)
{
    for (int i = from; i < to; i++)
        loiter_task_exit(&many[i].loiter);
}

static int made_end_here(void **state)
{
    loiter_worker_task(NULL, 0);
    return made_end(state);
}

#endif
