/*
 * stack_table.h - all stacks of the process: frames to ids. Lock-free; only grows. Two threads that
 * add one stack at the moment at which the table becomes larger may get two ids for it.
 */
#ifndef PRELOAD_CORE_STACK_TABLE_H
#define PRELOAD_CORE_STACK_TABLE_H

#include <stdint.h>

#include "preload/core/gate.h"

/* Ids are below this. */
#define PL_STACKS_MAX (1u << 20)

/* 0, or -1 without memory. */
PL_HIDDEN int pl_stack_table_init(void);

/* The id of these frames, 0 when there is no room. *created tells whether it is a fresh one. */
PL_HIDDEN uint32_t pl_stack_table_get(const uintptr_t *pcs, unsigned n, int *created);

/* The highest id that was given; 0: none yet. */
PL_HIDDEN uint32_t pl_stack_table_last(void);

#endif
