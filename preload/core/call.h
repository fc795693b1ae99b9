/*
 * call.h - where in the program a wrapper was called from.
 *
 * PL_CALL() must be evaluated in the exported function itself. It costs three loads; the stack is
 * only looked at when somebody asks for its id (core/stack.h).
 */
#ifndef PRELOAD_CORE_CALL_H
#define PRELOAD_CORE_CALL_H

#include <stdint.h>

struct pl_call {
    uintptr_t pc; /* return address into the caller */
    uintptr_t sp; /* the caller's stack pointer after the call returns */
    uintptr_t fp; /* the caller's frame pointer */
};

/* The library is built with frame pointers: [frame address] is the caller's. */
#define PL_CALL()                                                                                  \
    ((struct pl_call){(uintptr_t)__builtin_return_address(0), (uintptr_t)__builtin_dwarf_cfa(),    \
                      *(uintptr_t *)__builtin_frame_address(0)})

#endif
