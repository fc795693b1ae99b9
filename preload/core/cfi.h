/*
 * cfi.h - how to step from a return address to its caller, read from the program's own unwind
 * tables (.eh_frame by way of .eh_frame_hdr).
 *
 * Of what DWARF can express, that which compilers emit for ordinary frames is understood; where
 * something else is met the stack ends there. No lock is taken, nothing is allocated: modules are
 * found by the C library's lock-free _dl_find_object.
 */
#ifndef PRELOAD_CORE_CFI_H
#define PRELOAD_CORE_CFI_H

#include <stdint.h>

#include "preload/core/gate.h"

enum pl_rule_kind {
    PL_RULE_UNKNOWN = 0, /* nothing known, the stack cannot be followed */
    PL_RULE_END,         /* outermost frame */
    PL_RULE_SP,          /* CFA = sp + cfa */
    PL_RULE_FP,          /* CFA = fp + cfa */
    PL_RULE_FP_AT,       /* CFA = the word at fp + cfa */
    PL_RULE_SIGNAL       /* sp points to what the kernel saved for a handler */
};

struct pl_rule {
    uint32_t kind;
    int32_t cfa;
    int32_t fp; /* caller's frame pointer is saved at CFA + fp, 0: unchanged; FP_AT: at fp + fp */
    int32_t ra; /* return address is saved at CFA + ra */
};

/* The rule at code address `pc`. To be asked with return address - 1. */
PL_HIDDEN struct pl_rule pl_cfi_rule(uintptr_t pc);

/* Where the module begins that the address lies in; 0: in none that is known. */
PL_HIDDEN uintptr_t pl_cfi_module(uintptr_t address);

/* Finds the C library's lookup; without it every rule is unknown. In the constructor. */
PL_HIDDEN void pl_cfi_start(void);

#endif
