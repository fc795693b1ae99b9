/*
 * The stack switch for x86-64, System V ABI: callee-saved registers only. The control words of the
 * x87 and of SSE (rounding, exceptions) are the thread's, not the task's.
 */
    .text

/* void weft__arch_switch(void **save, void *to): keeps this context's stack pointer in *save and
 * goes on where `to` was kept. Ends in a jump: a return would be mispredicted every time. */
    .globl weft__arch_switch
    .hidden weft__arch_switch
    .type weft__arch_switch, @function
    .p2align 4
weft__arch_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    jmpq *%rcx
    .cfi_endproc
    .size weft__arch_switch, . - weft__arch_switch

/* Where a fresh stack begins: the outermost frame, at which unwinders stop. */
    .globl weft__arch_entry
    .hidden weft__arch_entry
    .type weft__arch_entry, @function
    .p2align 4
weft__arch_entry:
    .cfi_startproc
    .cfi_undefined rip
    endbr64
    xorl %ebp, %ebp
    pushq $0
    .cfi_adjust_cfa_offset 8
    call weft__task_main
    ud2
    .cfi_endproc
    .size weft__arch_entry, . - weft__arch_entry

    .section .note.GNU-stack, "", @progbits
