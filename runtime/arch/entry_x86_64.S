/*
 * Where a fresh stack begins, on x86-64: the outermost frame, at which unwinders stop. It is jumped
 * to with the stack pointer 8 off 16, as after a call. It goes on by a jump too: no call that the
 * task never returns from, or the processor's prediction would be off by one for the returns of
 * whoever runs next.
 */
    .text
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
    leaq 1f(%rip), %rax
    pushq %rax
    jmp weft__task_main
1:  ud2
    .cfi_endproc
    .size weft__arch_entry, . - weft__arch_entry

    .section .note.GNU-stack, "", @progbits
