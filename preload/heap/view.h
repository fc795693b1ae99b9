/*
 * view.h - the process as the search for unreachable blocks sees it: what is mapped, which stacks
 * are in use, and a way to read memory that another thread may unmap meanwhile.
 *
 * No thread is stopped. The view is made of system calls and our own memory alone: nothing here
 * allocates from the host's allocator, and unreadable memory is skipped.
 */
#ifndef PRELOAD_HEAP_VIEW_H
#define PRELOAD_HEAP_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

struct pl_range {
    uintptr_t lo, hi;
};

#define PL_OWN_MAX   1024
#define PL_STACK_MAX 4096

struct pl_region {
    uintptr_t lo, hi;
    uint8_t readable; /* and writable, and private: it can hold pointers of the program's */
    uint8_t brk;      /* the C library's heap */
};

struct pl_view {
    struct pl_region *regions; /* lowest first */
    size_t nregions;
    /* Parts of regions that hold no live pointer: our own memory, stacks of threads that ended,
     * what lies below the stack pointer of those that live. Lowest first. */
    struct pl_range *skipped;
    size_t nskipped;
    size_t threads;
    uintptr_t sp; /* set by the caller: of the calling thread */
    size_t bytes; /* that the view itself takes */
};

/* 0, or a negative errno. The view must be closed in either case. */
PL_HIDDEN int pl_view_open(struct pl_view *view);
PL_HIDDEN void pl_view_close(struct pl_view *view);

/* Memory of ours that must be skipped. */
PL_HIDDEN void pl_view_skip(struct pl_view *view, uintptr_t lo, uintptr_t hi);
/* When all are in. */
PL_HIDDEN void pl_view_settle(struct pl_view *view);

/* The first range from `at` on, below `hi`, whose pages were ever touched. No more than a GiB is
 * looked through at once: lo == hi, the end of what was looked through, when there is none in it.
 * Where the system does not tell, all were. */
PL_HIDDEN struct pl_range pl_view_touched(uintptr_t at, uintptr_t hi);
/* What pl_view_touched was told is asked again from now on: at the begin of each look. */
PL_HIDDEN void pl_view_look_anew(void);

/* A thread runs on the stack [lo, top) from now on: once it has ended, what is on it is stale. */
PL_HIDDEN void pl_view_stack_seen(uintptr_t lo, uintptr_t top);

#endif
