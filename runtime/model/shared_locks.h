/* In place of solo.h, which has a model of its own: locks that all threads take by a swap. */
#ifndef WEFT_MODEL_SHARED_LOCKS_H
#define WEFT_MODEL_SHARED_LOCKS_H
#define WEFT_SCHED_SOLO_H

#include "runtime/sched/sched.h"

#define weft__solo_try_quickly weft__try_lock
#define weft__solo_try_lock    weft__try_lock
#define weft__solo_lock        weft__lock

#endif
