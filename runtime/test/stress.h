/* What the parts of the stress share. A part is a task's function; its argument is a uint32_t, the
 * seed of all that it does by chance. It returns when its own tasks have ended. */
#ifndef WEFT_TEST_STRESS_H
#define WEFT_TEST_STRESS_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <weft.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            stress_fail(__FILE__, __LINE__, #condition);                                           \
    } while (0)

_Noreturn void stress_fail(const char *file, int line, const char *text);

static inline uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* stress_chan.c */
void stress_flow(void *arg);
void stress_ring(void *arg);
void stress_exchange(void *arg);
void stress_closing(void *arg);

/* stress_sync.c */
void stress_locks(void *arg);
void stress_sem(void *arg);
void stress_contexts(void *arg);
void stress_flights(void *arg);

/* stress_shared.c */
void stress_counts(void *arg);
void stress_versions(void *arg);
void stress_pools(void *arg);

/* stress_time.c */
void stress_timers(void *arg);
void stress_timer_channels(void *arg);
void stress_shared_timers(void *arg);

/* stress_io.c */
void stress_sockets(void *arg);
void stress_pipes(void *arg);
void stress_closed_descriptors(void *arg);
void stress_blocking(void *arg);
void stress_threads(void *arg);
void stress_locked_threads(void *arg);
void stress_left_behind(void *arg); /* once in a run; not all of its tasks end */

#endif
