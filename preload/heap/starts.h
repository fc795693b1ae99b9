/*
 * starts.h - where the program's blocks begin: one byte for each grain of address space.
 *
 * A grain is the least distance of two blocks: 32 bytes for the C library's allocator, 16 for
 * others (of two 8-byte blocks in one grain the later is known). The bytes lie in leaves of 256 MiB
 * of address space each, reserved when the first block there begins and committed by the page. Only
 * who owns a block writes its byte, so no access is a locked one. The table of the leaves may be
 * written where there are some, and only read elsewhere: so it is no part of what a limit on the
 * data of a program counts.
 *
 *   0              no block begins there
 *   PL_STARTS set  one does; the bits of PL_PLACE_MASK are those of its address
 *   PL_KNOWN set   blocks.h knows more of it
 */
#ifndef PRELOAD_HEAP_STARTS_H
#define PRELOAD_HEAP_STARTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "preload/core/gate.h"

#define PL_LEAF_BITS  28
#define PL_LEAVES     (UINT64_C(1) << (48 - PL_LEAF_BITS))
#define PL_STARTS     0x01u
#define PL_KNOWN      0x02u
#define PL_PLACE_MASK 0xf8u

/* All 0 at first, so that the library's file has no part in it. */
struct pl_starts {
    uint32_t off;             /* blocks are not noted */
    uint32_t shift;           /* of a grain; 0 until the first block */
    uint32_t libc;            /* the allocator is the C library's */
    uint8_t *_Atomic *leaves; /* PL_LEAVES of them; NULL until the first block */
};
extern PL_HIDDEN struct pl_starts pl_starts;

/* Notes a block where its leaf is missing; NULL and what cannot be noted are left alone. */
PL_HIDDEN void pl_starts_add_slowly(uintptr_t block);

/* Calls back with each block noted, lowest first. */
PL_HIDDEN void pl_starts_each(void (*on)(uintptr_t block, int known, void *ctx), void *ctx);

/* The number of the first leaf from `from` on that there is, PL_LEAVES for none. */
PL_HIDDEN uint64_t pl_starts_next(uint64_t from);

/* Bytes reserved, as a range for each leaf. */
PL_HIDDEN void pl_starts_each_leaf(void (*on)(uintptr_t lo, uintptr_t hi, void *ctx), void *ctx);

/* Where the byte is; NULL without a leaf. Of any address. */
static inline uint8_t *pl_starts_byte(uintptr_t block)
{
    uint8_t *_Atomic *leaves = pl_starts.leaves;
    if (__builtin_expect(leaves == NULL, 0))
        return NULL;
    uint8_t *leaf = atomic_load_explicit(&leaves[block >> PL_LEAF_BITS & (PL_LEAVES - 1)],
                                         memory_order_relaxed);
    if (__builtin_expect(leaf == NULL, 0))
        return NULL;
    return &leaf[(block & ((UINT64_C(1) << PL_LEAF_BITS) - 1)) >> pl_starts.shift];
}

static inline uint8_t pl_starts_value(uintptr_t block)
{
    return (uint8_t)(block | PL_STARTS);
}

/* A block that the program just got, or NULL. */
static inline void pl_starts_add(uintptr_t block)
{
    uint8_t *byte = pl_starts_byte(block);
    if (__builtin_expect(byte == NULL, 0))
        pl_starts_add_slowly(block);
    else
        *byte = pl_starts_value(block);
}

/* Takes the note of a block away that nobody knows more of; 0 when there was none or more. */
static inline int pl_starts_take(uintptr_t block)
{
    uint8_t *byte = pl_starts_byte(block);
    if (__builtin_expect(byte == NULL, 0))
        return 0;
    if (__builtin_expect(*byte != pl_starts_value(block), 0))
        return 0;
    *byte = 0;
    return 1;
}

#endif
