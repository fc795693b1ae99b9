/*
 * requests.h - a thousand requests, four at once, answered by a library that keeps a table in each
 * thread and fills it at its first use there.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define REQUESTS 1000
#define AT_ONCE  4

static __thread unsigned char table[64 << 10];
static atomic_int answered;

static void answer(int request)
{
    if (table[0] == 0)
        memset(table, 1, sizeof table);
    atomic_fetch_add(&answered, table[request % (int)sizeof table]);
}

static void requests_done(long began_ms)
{
    MUST(answered == REQUESTS);
    fprintf(stderr, "%ld us a request\n", (now_ms() - began_ms) * 1000 / REQUESTS);
    printf("%d requests\n", REQUESTS);
}
