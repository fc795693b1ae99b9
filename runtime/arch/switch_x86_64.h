/*
 * The stack switch for x86-64, System V ABI. Included by context.h.
 *
 * It is inlined: a function that leaves by a jump would put the processor's prediction of returns
 * off by one for all frames above it. So instead of saving the callee-saved registers it says that
 * all are lost, and the compiler keeps what it still needs. The control words of the x87 and of SSE
 * (rounding, exceptions) are the thread's, not the task's.
 */
#ifndef WEFT_ARCH_SWITCH_X86_64_H
#define WEFT_ARCH_SWITCH_X86_64_H

#include "runtime/arch/frame.h"

#ifdef __x86_64__

#ifdef __AVX512F__
#define WEFT_ARCH_LOST_WIDE                                                                        \
    , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25",    \
        "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6",  \
        "k7"
#else
#define WEFT_ARCH_LOST_WIDE
#endif

/* Keeps where it stands in *here, that place in *from, and goes on at *to; returns when somebody
 * goes on at *here. */
static inline __attribute__((always_inline)) void
weft__arch_switch(struct weft__frame **from, struct weft__frame *here, const struct weft__frame *to)
{
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %[here], (%[from])\n\t"
                     "movq %%rsp, (%[here])\n\t"
                     "movq %%rbp, 8(%[here])\n\t"
                     "movq %%rax, 16(%[here])\n\t"
                     "movq (%[to]), %%rsp\n\t"
                     "movq 8(%[to]), %%rbp\n\t"
                     "jmpq *16(%[to])\n"
                     "1:\tendbr64"
                     : [from] "+d"(from), [here] "+S"(here), [to] "+D"(to)
                     :
                     : "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
                       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15" WEFT_ARCH_LOST_WIDE, "cc", "memory");
}

/* Makes *frame begin at weft__arch_entry, with `sp`, a multiple of 16, as the end of its stack. */
static inline void weft__arch_prepare(struct weft__frame *frame, uint64_t *sp)
{
    *frame = (struct weft__frame){sp - 1, NULL, (void *)weft__arch_entry};
}

/* What thread-local variables lie before. */
#define WEFT_ARCH_THREAD_POINTER()                                                                 \
    ({                                                                                             \
        void *pointer_;                                                                            \
        __asm__ volatile("movq %%fs:0, %0" : "=r"(pointer_));                                      \
        pointer_;                                                                                  \
    })

/* A thread-local pointer of this library, read anew each time: the compiler must not keep a
 * thread's value over a switch. */
#define WEFT_ARCH_THREAD_LOCAL(name)                                                               \
    ({                                                                                             \
        void *value_;                                                                              \
        __asm__ volatile("movq " #name "@gottpoff(%%rip), %0\n\t"                                  \
                         "movq %%fs:(%0), %0"                                                      \
                         : "=r"(value_));                                                          \
        value_;                                                                                    \
    })
#define WEFT_ARCH_CLEAR_THREAD_LOCAL(name)                                                         \
    ({                                                                                             \
        void *place_;                                                                              \
        __asm__ volatile("movq " #name "@gottpoff(%%rip), %0\n\t"                                  \
                         "movq $0, %%fs:(%0)"                                                      \
                         : "=r"(place_)                                                            \
                         :                                                                         \
                         : "memory");                                                              \
    })

#endif
#endif
