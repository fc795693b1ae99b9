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

/* Parts of it, for functions without a frame. */
#define PL_PC() ((uintptr_t)__builtin_return_address(0))
#define PL_SP() ((uintptr_t)__builtin_dwarf_cfa())

/*
 * For the exported functions that programs call most: no frame on their usual way, and the rest,
 * in a function of its own, is reached by a jump with the same arguments (PL_SECOND_WAY), so that
 * PL_CALL() there still tells the program.
 */
#if defined(__GNUC__) && !defined(__clang__)
#define PL_FRAMELESS __attribute__((optimize("O2", "omit-frame-pointer")))
#else
#define PL_FRAMELESS
#endif
#define PL_SECOND_WAY static __attribute__((noinline, cold))
#define PL_NEXT_WAY   static __attribute__((noinline)) /* not so rare */
/* One of several usual ways: the arguments stay where they are. */
#if defined(__GNUC__) && !defined(__clang__)
#define PL_OTHER_WAY static __attribute__((noipa))
#else
#define PL_OTHER_WAY static __attribute__((noinline))
#endif

#endif
