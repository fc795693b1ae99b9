/*
 * mutex.c - wrappers of pthread_mutex_* and of C11's mtx_*.
 *
 * A mutex gets a cell when somebody has to wait for it, not when it is made: programs make
 * millions.
 */
#include "preload/wrap/lock.h"
#include "preload/wrap/plain_mutex.h"

/* The C library's own mark of a mutex that somebody waits for. Mutexes that keep their owner's id
 * there always look waited for, which costs a look-up and says nothing wrong. */
static inline int is_waited(const pthread_mutex_t *mutex)
{
    return (unsigned)__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) > 1;
}

/* Locked by the calling thread, and nobody waits. Kinds that keep their owner's id in __lock never
 * are. In a fork's child the owner is the parent, and some kinds refuse. */
static inline int is_mine(const pthread_mutex_t *mutex)
{
    return __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) == 1 &&
           (uint32_t)mutex->__data.__owner == pl_self_block.tid;
}

/* Robust mutexes and those with a priority protocol must not be tried where the program locks: the
 * C library's trylock leaves a robust one that is beyond recovery locked, and its unlock then
 * faults. */
#define KINDS_NOT_TRIED 0x70 /* in __kind: robust 16, inherit 32, protect 64 */

static inline int is_tried(const pthread_mutex_t *mutex)
{
    return (__atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & KINDS_NOT_TRIED) == 0;
}

/* Of those kinds: somebody who lives has it. */
static inline int is_taken(const pthread_mutex_t *mutex)
{
    return (__atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) & 0x3fffffff) != 0;
}

/* As long as the process has one thread, the C library's lock takes no atomic instruction, but its
 * trylock does. What is free then stays free until the call. */

static inline int is_free_for_sure(const pthread_mutex_t *mutex)
{
    return pl_is_single_threaded() && __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED) == 0;
}

/* And of a kind that then cannot fail. */
static inline int is_had_for_sure(const pthread_mutex_t *mutex)
{
    int kind = __atomic_load_n(&mutex->__data.__kind, __ATOMIC_RELAXED) & KINDS_NOT_TRIED;
    return pl_is_single_threaded() &&
           (kind | __atomic_load_n(&mutex->__data.__lock, __ATOMIC_RELAXED)) == 0;
}

#define TRY(mutex, REAL)                                                                           \
    (!is_tried(mutex)          ? is_taken(mutex) ? EBUSY : (REAL)                                  \
              : is_free_for_sure(mutex) ? (REAL)                                                   \
                               : PL_REAL(pthread_mutex_trylock)(mutex))

PL_LOCK_SLOWLY(pthread_mutex_lock, (pthread_mutex_t * mutex), 0, EL_WAIT_MUTEX, mutex, 0,
               TRY(mutex, PL_REAL(pthread_mutex_lock)(mutex)), EBUSY,
               PL_REAL(pthread_mutex_lock)(mutex), PL_GOT_PTHREAD)

/* It was noted, and somebody has it. */
PL_NEXT_WAY PL_FRAMELESS int lock_contended(pthread_mutex_t *mutex)
{
    uint32_t place = pl_lock_unnoted(mutex);
    return pthread_mutex_lock_slowly(mutex, place);
}

/* It was noted, and is to be taken by a real call. */
PL_NEXT_WAY PL_FRAMELESS int lock_by_call(pthread_mutex_t *mutex)
{
    int result = TRY(mutex, PL_LOAD(pthread_mutex_lock)(mutex));
    if (__builtin_expect(PL_GOT_PTHREAD(result), 1))
        return result;
    if (result == EBUSY)
        return lock_contended(mutex);
    pl_lock_unnoted(mutex);
    return result;
}

PL_NEXT_WAY PL_FRAMELESS int lock_hindered(pthread_mutex_t *mutex)
{
    if (!pl_mutex_is_unusual(mutex))
        return lock_contended(mutex);
    return is_had_for_sure(mutex) ? PL_LOAD(pthread_mutex_lock)(mutex) : lock_by_call(mutex);
}

PL_INLINE int lock_noted(pthread_mutex_t *mutex)
{
    if (__builtin_expect(pl_mutex_is_hindered(mutex), 0))
        return lock_hindered(mutex);
    return pl_mutex_take(mutex, pl_self_block.tid) ? 0 : lock_contended(mutex);
}

/* The place is reached on several ways. */
PL_USUAL PL_NEXT_WAY PL_FRAMELESS int lock_otherwise(pthread_mutex_t *mutex)
{
    if (!pl_lock_noted_by(PL_NEAR_OTHER, EL_WAIT_MUTEX, mutex, PL_PC(), PL_SP()))
        return pthread_mutex_lock_slowly(mutex, 0);
    return lock_noted(mutex);
}

PL_USUAL PL_NEXT_WAY PL_FRAMELESS int lock_elsewhere(pthread_mutex_t *mutex)
{
    if (__builtin_expect(!pl_lock_noted(EL_WAIT_MUTEX, mutex, PL_PC(), PL_SP()), 0))
        return lock_otherwise(mutex);
    return lock_noted(mutex);
}

PL_USUAL PL_EXPORT PL_FRAMELESS int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (__builtin_expect(!pl_lock_noted_again(mutex, PL_PC(), PL_SP()), 0))
        return lock_elsewhere(mutex);
    return lock_noted(mutex);
}

PL_LOCK_CALL(pthread_mutex_timedlock, (pthread_mutex_t * mutex, const struct timespec *at),
             (mutex, at), 0, EL_WAIT_MUTEX, mutex, 1,
             TRY(mutex, PL_REAL(pthread_mutex_timedlock)(mutex, at)), EBUSY,
             PL_REAL(pthread_mutex_timedlock)(mutex, at), PL_GOT_PTHREAD)

PL_LOCK_CALL(pthread_mutex_clocklock,
             (pthread_mutex_t * mutex, clockid_t clock, const struct timespec *at),
             (mutex, clock, at), pl_refuses_clock(clock), EL_WAIT_MUTEX, mutex, 1,
             TRY(mutex, PL_REAL(pthread_mutex_clocklock)(mutex, clock, at)), EBUSY,
             PL_REAL(pthread_mutex_clocklock)(mutex, clock, at), PL_GOT_PTHREAD)

PL_NEXT_WAY int trylock_by_call(pthread_mutex_t *mutex){
    PL_TRY_BODY(EL_WAIT_MUTEX, mutex, PL_REAL(pthread_mutex_trylock)(mutex), PL_GOT_PTHREAD)}

/* It was taken, and its place is not the one that is likely. */
PL_NEXT_WAY int tried_elsewhere(pthread_mutex_t *mutex)
{
    if (!pl_lock_noted(EL_WAIT_MUTEX, mutex, PL_PC(), PL_SP()) &&
        !pl_lock_noted_by(PL_NEAR_OTHER, EL_WAIT_MUTEX, mutex, PL_PC(), PL_SP()))
        pl_lock_acquired(EL_WAIT_MUTEX, mutex, PL_CALL());
    return 0;
}

PL_USUAL PL_EXPORT PL_FRAMELESS int pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    const struct pl_self *self = &pl_self_block;
    if (!pl_is_on() || self->quick == &pl_actor_none || pl_mutex_is_hindered(mutex) ||
        !pl_mutex_take(mutex, self->tid))
        return trylock_by_call(mutex);
    return pl_lock_noted_again(mutex, PL_PC(), PL_SP()) ? 0 : tried_elsewhere(mutex);
}

PL_UNLOCK_SLOWLY(pthread_mutex_unlock, (pthread_mutex_t * mutex), mutex, is_waited(mutex),
                 PL_REAL(pthread_mutex_unlock)(mutex))

PL_NEXT_WAY PL_FRAMELESS int unlock_by_call(pthread_mutex_t *mutex)
{
    if (__builtin_expect(is_mine(mutex) && pl_lock_dropped(mutex), 1))
        return PL_LOAD(pthread_mutex_unlock)(mutex);
    return pthread_mutex_unlock_slowly(mutex);
}

/* It was dropped, but somebody waits for it. */
PL_SECOND_WAY int unlock_waited(pthread_mutex_t *mutex)
{
    pl_object_wakes(mutex, PL_CALL());
    return PL_REAL(pthread_mutex_unlock)(mutex);
}

/* It is not the last that was locked. */
PL_NEXT_WAY PL_FRAMELESS int unlock_among(pthread_mutex_t *mutex)
{
    if (!pl_lock_dropped_among(mutex))
        return pthread_mutex_unlock_slowly(mutex);
    return __builtin_expect(pl_mutex_give(mutex, pl_self_block.tid), 1) ? 0 : unlock_waited(mutex);
}

PL_USUAL PL_EXPORT PL_FRAMELESS int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (__builtin_expect(pl_mutex_is_unusual(mutex), 0))
        return unlock_by_call(mutex);
    if (__builtin_expect(!pl_lock_dropped(mutex), 0))
        return unlock_among(mutex);
    return __builtin_expect(pl_mutex_give(mutex, pl_self_block.tid), 1) ? 0 : unlock_waited(mutex);
}

PL_EXPORT int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
    int result = PL_REAL(pthread_mutex_init)(mutex, attr);
    if (result == 0)
        pl_object_over(mutex);
    return result;
}

PL_EXPORT int pthread_mutex_destroy(pthread_mutex_t *mutex)
{
    int result = PL_REAL(pthread_mutex_destroy)(mutex);
    if (result == 0)
        pl_object_over(mutex);
    return result;
}

PL_LOCK_CALL(mtx_lock, (mtx_t * mutex), (mutex), 0, EL_WAIT_MUTEX, mutex, 0,
             PL_REAL(mtx_trylock)(mutex), thrd_busy, PL_REAL(mtx_lock)(mutex), PL_GOT_C11)

PL_LOCK_CALL(mtx_timedlock, (mtx_t *restrict mutex, const struct timespec *restrict at),
             (mutex, at), 0, EL_WAIT_MUTEX, mutex, 1, PL_REAL(mtx_trylock)(mutex), thrd_busy,
             PL_REAL(mtx_timedlock)(mutex, at), PL_GOT_C11)

PL_EXPORT int mtx_trylock(mtx_t *mutex){
    PL_TRY_BODY(EL_WAIT_MUTEX, mutex, PL_REAL(mtx_trylock)(mutex), PL_GOT_C11)}

PL_UNLOCK_CALL(mtx_unlock, (mtx_t * mutex), (mutex), mutex, is_mine((const pthread_mutex_t *)mutex),
               is_waited((const pthread_mutex_t *)mutex), PL_REAL(mtx_unlock)(mutex))

    PL_EXPORT int mtx_init(mtx_t *mutex, int type)
{
    int result = PL_REAL(mtx_init)(mutex, type);
    if (result == thrd_success)
        pl_object_over(mutex);
    return result;
}

PL_EXPORT void mtx_destroy(mtx_t *mutex)
{
    PL_REAL(mtx_destroy)(mutex);
    pl_object_over(mutex);
}
