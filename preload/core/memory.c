/*
 * memory.c - the memory functions that the library itself uses.
 *
 * Hidden, so that calls from here bind to them and never to what the program put in the C library's
 * place: a race detector would see our lock-free tables through its own memcmp, and report them.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "preload/core/gate.h"

/* Not to be turned back into calls of themselves. */
#define PLAIN PL_HIDDEN __attribute__((optimize("no-tree-loop-distribute-patterns")))

typedef uint64_t word __attribute__((aligned(1), may_alias));

PLAIN void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    char *t = to;
    const char *f = from;
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word), f += sizeof(word))
        *(word *)t = *(const word *)f;
    for (; n > 0; n--)
        *t++ = *f++;
    return to;
}

PLAIN void *memset(void *to, int byte, size_t n)
{
    char *t = to;
    word all = (unsigned char)byte * UINT64_C(0x0101010101010101);
    for (; n >= sizeof(word); n -= sizeof(word), t += sizeof(word))
        *(word *)t = all;
    for (; n > 0; n--)
        *t++ = (char)byte;
    return to;
}

PLAIN int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    for (; n >= sizeof(word) && *(const word *)x == *(const word *)y; n -= sizeof(word))
        x += sizeof(word), y += sizeof(word);
    for (; n > 0; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

PLAIN size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n] != '\0')
        n++;
    return n;
}
