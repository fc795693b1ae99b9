/*
 * memory.h - allocation that ends the program when memory is out.
 *
 * The analyzer has nothing to save at that point, so its callers need no second path. Not for
 * sizes that a log dictates: those are checked before they come here.
 */
#ifndef ANALYZER_MEMORY_H
#define ANALYZER_MEMORY_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Noreturn static inline void memory_out(void)
{
    fputs("loiter: out of memory\n", stderr);
    _exit(2);
}

static inline void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        memory_out();
    return p;
}

static inline void *xreallocarray(void *old, size_t n, size_t size)
{
    void *p = reallocarray(old, n ? n : 1, size ? size : 1);
    if (!p)
        memory_out();
    return p;
}

/* NULL gives NULL. */
static inline char *xstrdup(const char *s)
{
    if (!s)
        return NULL;
    char *copy = strdup(s);
    if (!copy)
        memory_out();
    return copy;
}

static inline char *xstrndup(const char *s, size_t n)
{
    char *copy = strndup(s, n);
    if (!copy)
        memory_out();
    return copy;
}

__attribute__((format(printf, 1, 0))) static inline char *xvasprintf(const char *fmt, va_list ap)
{
    char *s = NULL;
    if (vasprintf(&s, fmt, ap) < 0)
        memory_out();
    return s;
}

__attribute__((format(printf, 1, 2))) static inline char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *s = xvasprintf(fmt, ap);
    va_end(ap);
    return s;
}

/* Room for one more element in an array that grows by doubling: `array` is its pointer, `n` the
 * elements in it. Full exactly when n is a power of two (or 0), so no capacity is kept. */
#define XGROW(array, n)                                                                            \
    do {                                                                                           \
        if (((n) & ((n)-1)) == 0)                                                                  \
            (array) = xreallocarray((array), (n) ? 2 * (n) : 1, sizeof(*(array)));                 \
    } while (0)

#endif
