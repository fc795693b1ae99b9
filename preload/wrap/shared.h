/*
 * shared.h - is what is waited for shared with other processes? They may end the wait then, and
 * nothing of what they do is seen here.
 *
 * The C library keeps what the program asked for (sem_open, sem_init, PTHREAD_PROCESS_SHARED) in
 * the object itself, and does not hand it out. What is read is there: the wait has been asked for.
 */
#ifndef PRELOAD_WRAP_SHARED_H
#define PRELOAD_WRAP_SHARED_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "eventlog/kinds.h"
#include "preload/core/object.h"
#include "preload/core/wait.h"

#define PL_MUTEX_SHARED 128u /* in __kind */

/* As the C library lays it out: the number, and then whether it is shared. */
static inline int pl_sem_is_shared(const void *sem)
{
    _Static_assert(sizeof(sem_t) >= sizeof(uint64_t) + sizeof(uint32_t), "it has that word");
    return *(const uint32_t *)((const char *)sem + sizeof(uint64_t)) != 0;
}

/* What is waited for in that way, by the C library's own functions. */
static inline int pl_is_shared(uint32_t kind, const void *at)
{
    switch (kind) {
    case EL_WAIT_MUTEX:
        return ((uint32_t)((const pthread_mutex_t *)at)->__data.__kind & PL_MUTEX_SHARED) != 0;
    case EL_WAIT_RWLOCK_READ:
    case EL_WAIT_RWLOCK_WRITE:
        return ((const pthread_rwlock_t *)at)->__data.__shared != 0;
    case EL_WAIT_COND:
        return (((const pthread_cond_t *)at)->__data.__wrefs & 1) != 0;
    case EL_WAIT_SEM:
        return pl_sem_is_shared(at);
    default:
        return 0;
    }
}

/* The wait of that kind for it has begun. */
static inline void pl_wait_shares(const struct pl_wait *w, const void *at)
{
    if (w->actor != NULL && w->record != NULL && pl_is_shared(w->kind, at))
        pl_object_shared(w->record);
}

#endif
