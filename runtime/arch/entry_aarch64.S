/* Where a fresh stack begins, on AArch64: the outermost frame, at which unwinders stop. */
    .text
    .globl weft__arch_entry
    .hidden weft__arch_entry
    .type weft__arch_entry, %function
    .p2align 4
weft__arch_entry:
    .cfi_startproc
    .cfi_undefined x30
    hint #36 /* bti j */
    mov x29, xzr
    mov x30, xzr
    bl weft__task_main
    brk #1
    .cfi_endproc
    .size weft__arch_entry, . - weft__arch_entry

    .section .note.GNU-stack, "", %progbits
