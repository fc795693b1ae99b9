/*
 * sites.h - totals of the places that the program's blocks come from: cells `heap_site`, by stack.
 * All are sums of what samples stand for (sample.h), so they are estimates of the whole, and exact
 * where each block is looked at. Guard on.
 */
#ifndef PRELOAD_HEAP_SITES_H
#define PRELOAD_HEAP_SITES_H

#include "eventlog/writer.h"
#include "preload/heap/blocks.h"

#define PL_HEAP_FLUSH_CALLS 65536u

/* At the start of a record. 0, or -1 without memory. */
PL_HIDDEN int pl_heap_sites_init(void);

/* Finds or makes; NULL when there is no room, or no stack. */
PL_HIDDEN struct el_heap_site *pl_heap_site(uint32_t stack);

/* A block of `size` was had there, one was freed. `address` salts what they stand for. */
PL_HIDDEN void pl_heap_site_born(struct el_heap_site *site, uint64_t size, uintptr_t address,
                                 uint64_t now);
/* How its size goes on from the sample before. */
PL_HIDDEN void pl_heap_site_step(struct el_heap_site *site, uint64_t size, uintptr_t address);
PL_HIDDEN void pl_heap_site_died(struct el_heap_site *site, const struct pl_block *block,
                                 uintptr_t address, uint64_t now);

/* What an earlier search found is forgotten. */
PL_HIDDEN void pl_heap_sites_unleak(void);

enum pl_leak { PL_LEAK_DIRECT, PL_LEAK_INDIRECT, PL_LEAK_CYCLE };

/* The scan found the block to be out of reach. */
PL_HIDDEN void pl_heap_site_leaked(struct el_heap_site *site, const struct pl_block *block,
                                   uintptr_t address, enum pl_leak how);

#endif
