/*
 * The stack switch for AArch64, AAPCS64: callee-saved registers only (x19-x30, d8-d15). FPCR is the
 * thread's, not the task's.
 */
    .text

/* void weft__arch_switch(void **save, void *to): keeps this context's stack pointer in *save and
 * goes on where `to` was kept. */
    .globl weft__arch_switch
    .hidden weft__arch_switch
    .type weft__arch_switch, %function
    .p2align 4
weft__arch_switch:
    .cfi_startproc
    sub sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp x29, x30, [sp, #0]
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    stp x19, x20, [sp, #16]
    .cfi_rel_offset x19, 16
    .cfi_rel_offset x20, 24
    stp x21, x22, [sp, #32]
    .cfi_rel_offset x21, 32
    .cfi_rel_offset x22, 40
    stp x23, x24, [sp, #48]
    .cfi_rel_offset x23, 48
    .cfi_rel_offset x24, 56
    stp x25, x26, [sp, #64]
    .cfi_rel_offset x25, 64
    .cfi_rel_offset x26, 72
    stp x27, x28, [sp, #80]
    .cfi_rel_offset x27, 80
    .cfi_rel_offset x28, 88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x29, x30, [sp, #0]
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    .cfi_adjust_cfa_offset -160
    .cfi_restore x29
    .cfi_restore x30
    .cfi_restore x19
    .cfi_restore x20
    .cfi_restore x21
    .cfi_restore x22
    .cfi_restore x23
    .cfi_restore x24
    .cfi_restore x25
    .cfi_restore x26
    .cfi_restore x27
    .cfi_restore x28
    ret
    .cfi_endproc
    .size weft__arch_switch, . - weft__arch_switch

/* Where a fresh stack begins: the outermost frame, at which unwinders stop. */
    .globl weft__arch_entry
    .hidden weft__arch_entry
    .type weft__arch_entry, %function
    .p2align 4
weft__arch_entry:
    .cfi_startproc
    .cfi_undefined x30
    mov x29, xzr
    mov x30, xzr
    bl weft__task_main
    brk #1
    .cfi_endproc
    .size weft__arch_entry, . - weft__arch_entry

    .section .note.GNU-stack, "", %progbits
