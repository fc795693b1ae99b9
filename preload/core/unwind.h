/*
 * unwind.h - walks a call stack.
 *
 * Memory is read only between the given stack pointer and the stack's end; where the end is not
 * known, each page is tried before it is read. A walk never faults, whatever the tables say.
 */
#ifndef PRELOAD_CORE_UNWIND_H
#define PRELOAD_CORE_UNWIND_H

#include <stdint.h>

#include "preload/core/call.h"
#include "preload/core/gate.h"

struct pl_walk {
    uintptr_t hi; /* end of the stack, 0 when unknown */
    unsigned max; /* frames wanted */
    /* out */
    unsigned n;
    int truncated;
    uintptr_t *pcs;   /* return addresses, innermost first */
    uintptr_t *slots; /* where each lies on the stack; slots[0] is 0 */
};

PL_HIDDEN void pl_unwind(struct pl_walk *walk, struct pl_call from);

/* A return address without what the processor adds to sign it. */
static inline uintptr_t pl_plain_address(uintptr_t address)
{
#if defined(__aarch64__)
    return address & ((UINT64_C(1) << 48) - 1);
#else
    return address;
#endif
}

/* After a module was unmapped: forgets the rules that were learnt. */
PL_HIDDEN void pl_unwind_forget(void);

#endif
