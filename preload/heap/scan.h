/*
 * scan.h - finds the blocks that nothing in the process points to any more.
 *
 * It runs in the process, at its end, after the last function that exit() calls, and at the marks
 * that the program sets: conservative, as Boehm's collector and LeakSanitizer are. Each aligned
 * word of memory that is no block counts as a pointer if it lies in a block: the data of all
 * modules, all stacks (of threads down to their stack pointers; of tasks whole), thread-local
 * memory, and all other private memory that the program has mapped. Then each word of the blocks so
 * reached, and so on.
 *
 * Other threads run on. While they move pointers about, one can be missed; so when blocks seem lost
 * and there are other threads, all is looked at twice, and lost is what was lost both times. A
 * pointer that a thread has in a register only, all that time, is not seen.
 *
 * Blocks whose stack is known are judged (all, or the samples); the others count as ways to them.
 */
#ifndef PRELOAD_HEAP_SCAN_H
#define PRELOAD_HEAP_SCAN_H

#include <stdint.h>

#include "preload/core/gate.h"

/* The process may end without another search, so the last one that came to an end counts. */
enum pl_scan_when { PL_SCAN_AT_MARK, PL_SCAN_AT_END };

/* Looks, and writes what is lost into the sites' cells. `sp`: the calling thread has nothing below
 * it. Guard on. Keeps errno. */
PL_HIDDEN void pl_heap_scan(struct pl_self *self, uintptr_t sp, enum pl_scan_when when);

#endif
