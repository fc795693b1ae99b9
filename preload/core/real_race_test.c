/*
 * real_race_test.c - many threads at once look up the real functions and call them, under a race
 * detector: what one stores while others read is never a plain variable.
 */
#include <errno.h>

#include "preload/core/real.h"

enum { THREADS = 8 };

static pthread_barrier_t together;

static void *calls(void *arg)
{
    char c;
    pthread_barrier_wait(&together);
    for (int i = 0; i < 100; i++) {
        if (PL_REAL(close)(-1) != -1 || PL_REAL(read)(-1, &c, 1) != -1 || !PL_HAVE(write) ||
            PL_REAL(dup)(-1) != -1 || errno != EBADF)
            return NULL;
    }
    return arg;
}

int main(void)
{
    pthread_t t[THREADS];
    void *good;
    int bad = 0;
    pthread_barrier_init(&together, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        bad |= pthread_create(&t[i], NULL, calls, &together) != 0;
    for (int i = 0; i < THREADS && !bad; i++)
        bad |= pthread_join(t[i], &good) != 0 || good == NULL;
    return bad;
}
