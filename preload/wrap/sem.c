/*
 * sem.c - wrappers of sem_*, pthread_barrier_*, pthread_once and call_once.
 *
 * A semaphore has no holder: who waits is what counts, and who posted last.
 */
#include "preload/wrap/timed_out.h"

/* Takes the semaphore if that needs no wait. It acts on a pending cancellation first, as the real
 * calls do. errno is as before. */
static int take_now(sem_t *sem)
{
    if (!pl_is_ready())
        return 0;
    pthread_testcancel();
    int saved = errno;
    int taken = PL_REAL(sem_trywait)(sem) == 0;
    errno = saved;
    return taken;
}

#define SEM_WAIT(sem, timed, REAL)                                                                 \
    if (take_now(sem)) {                                                                           \
        pl_spin_not();                                                                             \
        return 0;                                                                                  \
    }                                                                                              \
    struct pl_wait w;                                                                              \
    pl_wait_begin(&w, EL_WAIT_SEM, (uintptr_t)(sem), timed, PL_CALL());                            \
    pl_wait_shares(&w, sem);                                                                       \
    int result = REAL;                                                                             \
    pl_wait_end(&w, result != 0 ? errno : 0);

#define SEM_WAIT_UNTIL(sem, clock, at, REAL)                                                       \
    const uint64_t before = pl_spin_waited();                                                      \
    SEM_WAIT(sem, 1, REAL)                                                                         \
    if (result != 0 && errno == ETIMEDOUT)                                                         \
        pl_timed_out(&w, before, clock, at, PL_CALL());                                            \
    return result;

PL_EXPORT int sem_wait(sem_t *sem)
{
    SEM_WAIT(sem, 0, PL_REAL(sem_wait)(sem))
    return result;
}

PL_EXPORT int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict at)
{
    if (pl_refuses_time(at))
        return PL_REAL(sem_timedwait)(sem, at);
    SEM_WAIT_UNTIL(sem, CLOCK_REALTIME, at, PL_REAL(sem_timedwait)(sem, at))
}

PL_EXPORT int sem_clockwait(sem_t *restrict sem, clockid_t clock,
                            const struct timespec *restrict at)
{
    if (pl_refuses_clock(clock) || pl_refuses_time(at))
        return PL_REAL(sem_clockwait)(sem, clock, at);
    SEM_WAIT_UNTIL(sem, clock, at, PL_REAL(sem_clockwait)(sem, clock, at))
}

PL_SECOND_WAY int sem_in_vain(sem_t *sem)
{
    (void)sem;
    pl_spin_slowly(EL_SPIN_TRY, PL_CALL());
    return -1;
}

PL_EXPORT PL_FRAMELESS int sem_trywait(sem_t *sem)
{
    int result = PL_REAL(sem_trywait)(sem);
    if (result == 0)
        pl_spin_not();
    else if (__builtin_expect(pl_spin_counts(), 0))
        return sem_in_vain(sem);
    return result;
}

PL_NEXT_WAY int sem_post_slowly(sem_t *sem)
{
    pl_object_wakes(sem, PL_CALL());
    return PL_REAL(sem_post)(sem);
}

PL_EXPORT PL_FRAMELESS int sem_post(sem_t *sem)
{
    if (__builtin_expect(pl_object_woken_simply((uintptr_t)sem, PL_PC(), PL_SP()), 1))
        return PL_LOAD(sem_post)(sem);
    return sem_post_slowly(sem);
}

PL_EXPORT int sem_init(sem_t *sem, int shared, unsigned value)
{
    int result = PL_REAL(sem_init)(sem, shared, value);
    if (result == 0)
        pl_object_made(EL_OBJ_SEM, sem, value, PL_CALL());
    return result;
}

PL_EXPORT int sem_destroy(sem_t *sem)
{
    int result = PL_REAL(sem_destroy)(sem);
    if (result == 0)
        pl_object_over(sem);
    return result;
}

/* A named semaphore stays at its address until the last close, which the count inside libc knows:
 * what was known of it is kept, its next life at the address begins with a wait. */
PL_EXPORT int sem_close(sem_t *sem)
{
    return PL_REAL(sem_close)(sem);
}

/* ---- barriers ---- */

PL_EXPORT int pthread_barrier_wait(pthread_barrier_t *barrier)
{
    struct pl_wait w;
    struct pl_call call = PL_CALL();
    pl_object_wakes(barrier, call);
    pl_wait_begin(&w, EL_WAIT_BARRIER, (uintptr_t)barrier, 0, call);
    int result = PL_REAL(pthread_barrier_wait)(barrier);
    pl_wait_end(&w, result == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : result);
    return result;
}

PL_EXPORT int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr,
                                   unsigned count)
{
    int result = PL_REAL(pthread_barrier_init)(barrier, attr, count);
    if (result == 0)
        pl_object_made(EL_OBJ_BARRIER, barrier, count, PL_CALL());
    return result;
}

PL_EXPORT int pthread_barrier_destroy(pthread_barrier_t *barrier)
{
    int result = PL_REAL(pthread_barrier_destroy)(barrier);
    if (result == 0)
        pl_object_over(barrier);
    return result;
}

/* ---- once ---- */

/* Somebody runs the routine now: in the C library's word the lower bits say 1. The first caller,
 * who runs it, and all later ones, who find it done, do not wait. */
static inline int is_under_way(const void *once)
{
    return (__atomic_load_n((const unsigned *)once, __ATOMIC_ACQUIRE) & 3) == 1;
}

PL_EXPORT int pthread_once(pthread_once_t *once, void (*routine)(void))
{
    if (!pl_is_on() || !is_under_way(once))
        return PL_REAL(pthread_once)(once, routine);
    struct pl_wait w;
    pl_wait_begin(&w, EL_WAIT_ONCE, (uintptr_t)once, 0, PL_CALL());
    int result = PL_REAL(pthread_once)(once, routine);
    pl_wait_end(&w, result);
    return result;
}

PL_EXPORT void call_once(once_flag *flag, void (*routine)(void))
{
    if (!pl_is_on() || !is_under_way(flag)) {
        PL_REAL(call_once)(flag, routine);
        return;
    }
    struct pl_wait w;
    pl_wait_begin(&w, EL_WAIT_ONCE, (uintptr_t)flag, 0, PL_CALL());
    PL_REAL(call_once)(flag, routine);
    pl_wait_end(&w, 0);
}
