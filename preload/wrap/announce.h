/* announce.h - what the announcements of tasks and of objects share. Guard on. */
#ifndef PRELOAD_WRAP_ANNOUNCE_H
#define PRELOAD_WRAP_ANNOUNCE_H

#include <loiter.h>

#include "preload/core/actor.h"

/* The record of a task, if it was made in this process and while recording. */
static inline struct pl_actor *pl_task_of(const struct loiter_task *t)
{
    struct pl_actor *task = t->tool;
    return __builtin_expect(task != NULL && task->epoch == pl_epoch, 1) ? task : NULL;
}

/* The number by which the record knows a program's object. */
static inline uint64_t pl_id_of(const void *object)
{
    return (uint64_t)(uintptr_t)object;
}

#endif
