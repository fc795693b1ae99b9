/*
 * map.h - a table from 64-bit keys to records, for objects, timers, sites and threads.
 *
 * Fixed number of buckets, chained nodes from a pool. Reading takes no lock: when a node was taken
 * out of the bucket meanwhile, a find that missed looks again. Writing takes the bucket's lock for
 * a few dozen instructions. Who cannot get it spins, then lets others run, then sleeps a little,
 * some milliseconds in all: a holder that was preempted is over by then. It gives up at once when
 * it holds the lock itself (a handler interrupted it); the caller counts a lost cell.
 */
#ifndef PRELOAD_CORE_MAP_H
#define PRELOAD_CORE_MAP_H

#include <stdatomic.h>
#include <stdint.h>

#include "preload/core/arena.h"

struct pl_map_node {
    struct pl_pool_link link;
    _Atomic uint64_t key;
    _Atomic(void *) value;
    _Atomic(struct pl_map_node *) next;
};

struct pl_map_bucket {
    _Atomic uint32_t lock;  /* who holds it, 0: nobody */
    _Atomic uint32_t taken; /* nodes that were taken out, counted before they are recycled */
    _Atomic(struct pl_map_node *) first;
};

/*
 * What was only read of fresh memory is a page of zeros that all share, and to write there later
 * means to interrupt all processors that the program runs on: a page of buckets is read from the
 * first writing on.
 */
#define PL_MAP_BITS_MOST 16
#define PL_MAP_PAGES     (((sizeof(struct pl_map_bucket) << PL_MAP_BITS_MOST) >> 12) + 1)

struct pl_map {
    struct pl_map_bucket *buckets;
    _Atomic uint64_t written[PL_MAP_PAGES / 64 + 1]; /* a bit for each page of them */
    uint32_t bits;
    uint32_t near; /* keys are addresses: what lies side by side has buckets side by side */
    _Atomic uint32_t count;
    struct pl_pool nodes;
};

/* 0, or -1 without memory: then every find misses and every insert fails. */
PL_HIDDEN int pl_map_init(struct pl_map *map, uint32_t bits);

PL_HIDDEN void *pl_map_find(struct pl_map *map, uint64_t key);

/* The value of the key: the present one, else the one that make(ctx) gives, which runs under the
 * bucket's lock and must be short. NULL when there is no room or make gave NULL. */
PL_HIDDEN void *pl_map_get(struct pl_map *map, uint64_t key, void *(*make)(void *ctx), void *ctx);

/* Sets the key's value, whatever it was. -1 when there is no room. */
PL_HIDDEN int pl_map_set(struct pl_map *map, uint64_t key, void *value);

/* Sets the key's value to what change() makes of it, which runs under the bucket's lock and must be
 * short. NULL stands for a key that is not there, before and after. -1 when there is no room. */
PL_HIDDEN int pl_map_change(struct pl_map *map, uint64_t key, void *(*change)(void *value));

/* Takes the key out and gives its value; NULL when it was not there. When `only` is given, the key
 * is taken out only if it has that value. */
PL_HIDDEN void *pl_map_take(struct pl_map *map, uint64_t key, const void *only);

/* Calls back with each value there is; keys that on() answers with 1 are taken out after it. */
PL_HIDDEN void pl_map_each(struct pl_map *map, int (*on)(void *value, void *ctx), void *ctx);

#endif
