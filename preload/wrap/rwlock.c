/*
 * rwlock.c - wrappers of pthread_rwlock_* and pthread_spin_*.
 */
#include "preload/wrap/lock.h"

#define READ  EL_WAIT_RWLOCK_READ
#define WRITE EL_WAIT_RWLOCK_WRITE

PL_LOCK_CALL(pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock), 0, READ, lock, 0,
             PL_REAL(pthread_rwlock_tryrdlock)(lock), EBUSY, PL_REAL(pthread_rwlock_rdlock)(lock),
             PL_GOT_PTHREAD)

PL_LOCK_CALL(pthread_rwlock_timedrdlock, (pthread_rwlock_t * lock, const struct timespec *at),
             (lock, at), pl_refuses_time(at), READ, lock, 1,
             PL_REAL(pthread_rwlock_tryrdlock)(lock), EBUSY,
             PL_REAL(pthread_rwlock_timedrdlock)(lock, at), PL_GOT_PTHREAD)

PL_LOCK_CALL(pthread_rwlock_clockrdlock,
             (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *at),
             (lock, clock, at), pl_refuses_clock(clock) || pl_refuses_time(at), READ, lock, 1,
             PL_REAL(pthread_rwlock_tryrdlock)(lock), EBUSY,
             PL_REAL(pthread_rwlock_clockrdlock)(lock, clock, at), PL_GOT_PTHREAD)

PL_EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock){
    PL_TRY_BODY(READ, lock, PL_REAL(pthread_rwlock_tryrdlock)(lock), PL_GOT_PTHREAD)}

PL_LOCK_CALL(pthread_rwlock_wrlock, (pthread_rwlock_t * lock), (lock), 0, WRITE, lock, 0,
             PL_REAL(pthread_rwlock_trywrlock)(lock), EBUSY, PL_REAL(pthread_rwlock_wrlock)(lock),
             PL_GOT_PTHREAD)

    PL_LOCK_CALL(pthread_rwlock_timedwrlock, (pthread_rwlock_t * lock, const struct timespec *at),
                 (lock, at), pl_refuses_time(at), WRITE, lock, 1,
                 PL_REAL(pthread_rwlock_trywrlock)(lock), EBUSY,
                 PL_REAL(pthread_rwlock_timedwrlock)(lock, at), PL_GOT_PTHREAD)

        PL_LOCK_CALL(pthread_rwlock_clockwrlock,
                     (pthread_rwlock_t * lock, clockid_t clock, const struct timespec *at),
                     (lock, clock, at), pl_refuses_clock(clock) || pl_refuses_time(at), WRITE, lock,
                     1, PL_REAL(pthread_rwlock_trywrlock)(lock), EBUSY,
                     PL_REAL(pthread_rwlock_clockwrlock)(lock, clock, at), PL_GOT_PTHREAD)

            PL_EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    PL_TRY_BODY(WRITE, lock, PL_REAL(pthread_rwlock_trywrlock)(lock), PL_GOT_PTHREAD)
}

/* The C library's word of those who have it or want it: bits for a write phase, for a writer that
 * has it or is the next, and for readers that wait; above them the number of readers. */
#define WRITE_LOCKED 3u
#define NOT_READERS  7u

/* It is had, and nobody waits. */
static inline int is_quiet(const pthread_rwlock_t *lock)
{
    unsigned readers = __atomic_load_n(&lock->__data.__readers, __ATOMIC_RELAXED);
    return (readers & NOT_READERS) == 0 ||
           (readers == WRITE_LOCKED &&
            __atomic_load_n(&lock->__data.__writers, __ATOMIC_RELAXED) == 0);
}

PL_UNLOCK_CALL(pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock), lock, is_quiet(lock), 1,
               PL_REAL(pthread_rwlock_unlock)(lock))

PL_EXPORT int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr)
{
    int result = PL_REAL(pthread_rwlock_init)(lock, attr);
    if (result == 0)
        pl_object_over(lock);
    return result;
}

PL_EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *lock)
{
    int result = PL_REAL(pthread_rwlock_destroy)(lock);
    if (result == 0)
        pl_object_over(lock);
    return result;
}

/* ---- spinlocks ---- */

PL_LOCK_CALL(pthread_spin_lock, (pthread_spinlock_t * lock), (lock), 0, EL_WAIT_SPINLOCK,
             (const void *)lock, 0, PL_REAL(pthread_spin_trylock)(lock), EBUSY,
             PL_REAL(pthread_spin_lock)(lock), PL_GOT_PTHREAD)

PL_EXPORT int pthread_spin_trylock(pthread_spinlock_t *lock){
    PL_TRY_BODY(EL_WAIT_SPINLOCK, (const void *)lock, PL_REAL(pthread_spin_trylock)(lock),
                PL_GOT_PTHREAD)}

PL_UNLOCK_CALL(pthread_spin_unlock, (pthread_spinlock_t * lock), (lock), (const void *)lock, 1, 0,
               PL_REAL(pthread_spin_unlock)(lock))

    PL_EXPORT int pthread_spin_init(pthread_spinlock_t *lock, int shared)
{
    int result = PL_REAL(pthread_spin_init)(lock, shared);
    if (result == 0)
        pl_object_over((const void *)lock);
    return result;
}

PL_EXPORT int pthread_spin_destroy(pthread_spinlock_t *lock)
{
    int result = PL_REAL(pthread_spin_destroy)(lock);
    if (result == 0)
        pl_object_over((const void *)lock);
    return result;
}
