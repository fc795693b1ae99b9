/*
 * real_race_test.c - many threads at once look up the real functions and call them, under a race
 * detector: what one stores while others read is never a plain variable.
 */
#include <errno.h>
#include <string.h>

#include "preload/core/real.h"

enum { THREADS = 4, ROUNDS = 150, CALLS = 5 };

static pthread_barrier_t together;

static void *calls(void *arg)
{
    char c;
    pthread_barrier_wait(&together);
    for (int i = 0; i < CALLS; i++) {
        if (PL_REAL(close)(-1) != -1 || PL_REAL(read)(-1, &c, 1) != -1 || !PL_HAVE(write) ||
            PL_REAL(dup)(-1) != -1 || errno != EBADF)
            return NULL;
    }
    return arg;
}

/* Nothing is known yet, as in a process that begins. */
static int round_once(void)
{
    pthread_t t[THREADS];
    void *good;
    int bad = 0;
    memset(&pl_real, 0, sizeof pl_real);
    atomic_store(&pl_resolve_state, PL_UNRESOLVED);
    for (int i = 0; i < THREADS; i++)
        bad |= pthread_create(&t[i], NULL, calls, &together) != 0;
    for (int i = 0; i < THREADS && !bad; i++)
        bad |= pthread_join(t[i], &good) != 0 || good == NULL;
    return bad;
}

int main(void)
{
    int bad = 0;
    pthread_barrier_init(&together, NULL, THREADS);
    for (int round = 0; round < ROUNDS && !bad; round++)
        bad = round_once();
    return bad;
}
