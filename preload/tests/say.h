/*
 * say.h - for programs that run with and without the library: each step prints what a call answered
 * and errno, so that any difference shows.
 */
#ifndef PRELOAD_TESTS_SAY_H
#define PRELOAD_TESTS_SAY_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sets errno to a mark first: a wrapper that changes errno on success shows too. */
#define SAY(call)                                                                                  \
    do {                                                                                           \
        errno = 4242;                                                                              \
        long long answer_ = (long long)(call);                                                     \
        int error_ = errno;                                                                        \
        printf("%s:%d: %s = %lld errno %d\n", __FILE_NAME__, __LINE__, #call, answer_, error_);    \
    } while (0)

/* What must hold in either run. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s: %s\n", __FILE_NAME__, __LINE__, #condition,        \
                    strerror(errno));                                                              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline const char *scratch_path(char *out, size_t size, const char *leaf)
{
    const char *dir = getenv("TEST_DIR");
    MUST(dir != NULL && (size_t)snprintf(out, size, "%s/%s", dir, leaf) < size);
    return out;
}

#endif
