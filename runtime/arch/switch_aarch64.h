/*
 * The stack switch for AArch64, AAPCS64. Included by context.h. See switch_x86_64.h for why it is
 * inlined. FPCR is the thread's, not the task's.
 */
#ifndef WEFT_ARCH_SWITCH_AARCH64_H
#define WEFT_ARCH_SWITCH_AARCH64_H

#include "runtime/arch/frame.h"

#ifdef __aarch64__

/* Keeps where it stands in *here, that place in *from, and goes on at *to; returns when somebody
 * goes on at *here. */
static inline __attribute__((always_inline)) void
weft__arch_switch(struct weft__frame **from, struct weft__frame *here, const struct weft__frame *to)
{
    register struct weft__frame *h __asm__("x0") = here;
    register const struct weft__frame *t __asm__("x1") = to;
    register struct weft__frame **f __asm__("x2") = from;
    __asm__ volatile("adr x16, 1f\n\t"
                     "str x0, [x2]\n\t"
                     "mov x17, sp\n\t"
                     "stp x17, x29, [x0]\n\t"
                     "str x16, [x0, #16]\n\t"
                     "ldp x17, x29, [x1]\n\t"
                     "ldr x16, [x1, #16]\n\t"
                     "mov sp, x17\n\t"
                     "br x16\n"
                     "1:\thint #36" /* bti j */
                     : "+r"(h), "+r"(t), "+r"(f)
                     :
                     : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                       "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
                       "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
                       "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",
                       "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29",
                       "v30", "v31",
#ifdef __ARM_FEATURE_SVE
                       "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11",
                       "p12", "p13", "p14", "p15",
#endif
                       "cc", "memory");
}

/* Makes *frame begin at weft__arch_entry, with `sp`, a multiple of 16, as the end of its stack. */
static inline void weft__arch_prepare(struct weft__frame *frame, uint64_t *sp)
{
    *frame = (struct weft__frame){sp, NULL, (void *)weft__arch_entry};
}

/* What thread-local variables lie behind. */
#define WEFT_ARCH_THREAD_POINTER()                                                                 \
    ({                                                                                             \
        void *pointer_;                                                                            \
        __asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer_));                                    \
        pointer_;                                                                                  \
    })

/* A thread-local pointer of this library, read anew each time: the compiler must not keep a
 * thread's value over a switch. */
#define WEFT_ARCH_THREAD_LOCAL(name)                                                               \
    ({                                                                                             \
        void *value_, *place_;                                                                     \
        __asm__ volatile("mrs %1, tpidr_el0\n\t"                                                   \
                         "adrp %0, :gottprel:" #name "\n\t"                                        \
                         "ldr %0, [%0, #:gottprel_lo12:" #name "]\n\t"                             \
                         "ldr %0, [%1, %0]"                                                        \
                         : "=&r"(value_), "=&r"(place_));                                          \
        value_;                                                                                    \
    })
#define WEFT_ARCH_CLEAR_THREAD_LOCAL(name)                                                         \
    ({                                                                                             \
        void *offset_, *place_;                                                                    \
        __asm__ volatile("mrs %1, tpidr_el0\n\t"                                                   \
                         "adrp %0, :gottprel:" #name "\n\t"                                        \
                         "ldr %0, [%0, #:gottprel_lo12:" #name "]\n\t"                             \
                         "str xzr, [%1, %0]"                                                       \
                         : "=&r"(offset_), "=&r"(place_)                                           \
                         :                                                                         \
                         : "memory");                                                              \
    })

#endif
#endif
