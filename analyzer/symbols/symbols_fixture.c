/*
 * symbols_fixture.c - a program that prints addresses in itself, for symbols_test.c to look up.
 *
 * Prints its load bias and, for each call of `capture`, a label and the return address there, with
 * the line on which the innermost call stands.
 */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

static int first_bias(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(unsigned long *)bias = info->dlpi_addr;
    return 1;
}

__attribute__((noinline)) static void capture(const char *label, int line)
{
    printf("%s %lx %d\n", label, (unsigned long)__builtin_return_address(0), line);
}

/* As a header's wrapper of a library call: no frame of its own. */
static inline __attribute__((always_inline, artificial)) void thin(int line)
{
    capture("inlined", line);
}

static inline __attribute__((always_inline)) void leaf(void)
{
    thin(__LINE__);
}

static inline __attribute__((always_inline)) void middle(void)
{
    leaf();
    puts("middle 0 0");
}

__attribute__((noinline)) void outer(void);
void outer(void)
{
    middle();
    puts("outer 0 0");
}

__attribute__((noinline, noreturn)) static void never_returns(void)
{
    capture("tail", __LINE__);
    fflush(stdout);
    _Exit(0);
}

int main(void)
{
    unsigned long bias = 0;
    dl_iterate_phdr(first_bias, &bias);
    printf("bias %lx 0\n", bias);
    outer();
    never_returns();
}
