/*
 * kinds.h - the enumerations of kinds.def as C enums, and their words.
 *
 * A value NAME of kinds.def is the constant EL_NAME. Includes nothing of the rest of eventlog/.
 */
#ifndef EVENTLOG_KINDS_H
#define EVENTLOG_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#define EL_ENUM_BEGIN(e)     enum e {
#define EL_VALUE(e, n, v, w) EL_##n = (v),
#define EL_ENUM_END(e)                                                                             \
    }                                                                                              \
    ;
#include "eventlog/kinds.def"

/* el_wait_kind_word(EL_WAIT_MUTEX) is "mutex"; "unknown" for a number that kinds.def has not. For
 * flags the argument is one bit. */
#define EL_ENUM_BEGIN(e)                                                                           \
    static inline const char *e##_word(uint32_t value)                                             \
    {                                                                                              \
        switch (value) {
#define EL_VALUE(e, n, v, w)                                                                       \
    case (v):                                                                                      \
        return w;
#define EL_ENUM_END(e)                                                                             \
    default:                                                                                       \
        return "unknown";                                                                          \
        }                                                                                          \
        }
#include "eventlog/kinds.def"

/* An actor id with this bit is a task's; the other bits are its number. */
#define EL_ACTOR_TASK (UINT64_C(1) << 63)

static inline bool el_actor_is_task(uint64_t actor)
{
    return (actor & EL_ACTOR_TASK) != 0;
}

/* A mutex, rwlock, spinlock: something with a holder. */
static inline bool el_wait_is_lock(uint32_t kind)
{
    return kind > EL_WAIT_NONE && kind < 16;
}

static inline bool el_object_is_lock(uint32_t kind)
{
    return kind == EL_OBJ_MUTEX || kind == EL_OBJ_RWLOCK || kind == EL_OBJ_SPINLOCK;
}

/* A wait that something inside the program ends: a lock, condition, channel, join, ... */
static inline bool el_wait_is_inside(uint32_t kind)
{
    return kind > EL_WAIT_NONE && kind < 32;
}

/* A wait for the world outside: IO, sleep, a child process. */
static inline bool el_wait_is_outside(uint32_t kind)
{
    return kind >= 32;
}

/* `object` of such a wait is a descriptor. */
static inline bool el_wait_is_descriptor(uint32_t kind)
{
    return (kind >= EL_WAIT_READ && kind <= EL_WAIT_CONNECT) || kind == EL_WAIT_FSYNC ||
           kind == EL_WAIT_FLOCK;
}

/* A timer of any sort, those of the coroutine runtime and those of the system. */
static inline bool el_object_is_timer(uint32_t kind)
{
    return kind >= EL_OBJ_TIMER && kind <= EL_OBJ_ALARM;
}

#endif
