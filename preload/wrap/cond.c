/*
 * cond.c - wrappers of pthread_cond_* and of C11's cnd_*.
 *
 * While it waits, the actor does not hold the mutex that it gave: it is taken out of its held locks
 * and put back with the place where it was taken. A cancelled wait has the mutex again when its
 * cleanup handlers run, so the way back is a cleanup of the frame, which unwinding passes too.
 */
#include "preload/wrap/timed_out.h"

struct cond_wait {
    struct pl_wait wait;
    struct pl_held_lock was;
    int known;
    int begun;
};

static inline void begin(struct cond_wait *c, const void *cond, const void *mutex, int timed,
                         struct pl_call call)
{
    c->begun = pl_is_ready();
    if (!c->begun)
        return;
    c->known = pl_lock_releasing(mutex, &c->was);
    pl_wait_begin(&c->wait, EL_WAIT_COND, (uintptr_t)cond, timed, call);
    pl_wait_shares(&c->wait, cond);
}

/* Runs when the wait returns and when it is unwound. */
static void end(struct cond_wait *c)
{
    if (!c->begun)
        return;
    c->begun = 0;
    pl_wait_end(&c->wait, 0);
    if (c->known)
        pl_lock_kept(&c->was);
}

#define COND_WAIT(cond, mutex, REAL)                                                               \
    __attribute__((cleanup(end))) struct cond_wait c;                                              \
    begin(&c, cond, mutex, 0, PL_CALL());                                                          \
    return REAL;

/* `clock`: that of the limit. `over`: what is returned after it. */
#define COND_WAIT_UNTIL(cond, mutex, clock, at, over, REAL)                                        \
    const uint64_t before = pl_spin_waited();                                                      \
    __attribute__((cleanup(end))) struct cond_wait c;                                              \
    begin(&c, cond, mutex, 1, PL_CALL());                                                          \
    const int recorded = c.begun, result = REAL;                                                   \
    end(&c);                                                                                       \
    if (recorded && result == (over))                                                              \
        pl_timed_out(&c.wait, before, clock, at, PL_CALL());                                       \
    return result;

/* The clock of a condition is no part of its interface once it is made. By the wrong one the limit
 * is years away. */
static inline clockid_t clock_of_limit(const struct timespec *at)
{
    return pl_limit_past(CLOCK_REALTIME, at) >= 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

#define COND_WAKE(cond, REAL)                                                                      \
    pl_object_wakes(cond, PL_CALL());                                                              \
    return REAL;

PL_EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex){
    COND_WAIT(cond, mutex, PL_REAL(pthread_cond_wait)(cond, mutex))}

PL_EXPORT int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                     const struct timespec *at){
    COND_WAIT_UNTIL(cond, mutex, clock_of_limit(at), at, ETIMEDOUT,
                    PL_REAL(pthread_cond_timedwait)(cond, mutex, at))}

PL_EXPORT int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
                                     const struct timespec *at){
    COND_WAIT_UNTIL(cond, mutex, clock, at, ETIMEDOUT,
                    PL_REAL(pthread_cond_clockwait)(cond, mutex, clock, at))}

PL_EXPORT int pthread_cond_signal(pthread_cond_t *cond){
    COND_WAKE(cond, PL_REAL(pthread_cond_signal)(cond))}

PL_EXPORT int pthread_cond_broadcast(pthread_cond_t *cond){
    COND_WAKE(cond, PL_REAL(pthread_cond_broadcast)(cond))}

PL_EXPORT int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
    int result = PL_REAL(pthread_cond_init)(cond, attr);
    if (result == 0)
        pl_object_made(EL_OBJ_COND, cond, 0, PL_CALL());
    return result;
}

PL_EXPORT int pthread_cond_destroy(pthread_cond_t *cond)
{
    int result = PL_REAL(pthread_cond_destroy)(cond);
    if (result == 0)
        pl_object_over(cond);
    return result;
}

PL_EXPORT int cnd_wait(cnd_t *cond,
                       mtx_t *mutex){COND_WAIT(cond, mutex, PL_REAL(cnd_wait)(cond, mutex))}

PL_EXPORT int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                            const struct timespec *restrict at){
    COND_WAIT_UNTIL(cond, mutex, CLOCK_REALTIME, at, thrd_timedout,
                    PL_REAL(cnd_timedwait)(cond, mutex, at))}

PL_EXPORT int cnd_signal(cnd_t *cond){COND_WAKE(cond, PL_REAL(cnd_signal)(cond))}

PL_EXPORT int cnd_broadcast(cnd_t *cond){COND_WAKE(cond, PL_REAL(cnd_broadcast)(cond))}

PL_EXPORT int cnd_init(cnd_t *cond)
{
    int result = PL_REAL(cnd_init)(cond);
    if (result == thrd_success)
        pl_object_made(EL_OBJ_COND, cond, 0, PL_CALL());
    return result;
}

PL_EXPORT void cnd_destroy(cnd_t *cond)
{
    PL_REAL(cnd_destroy)(cond);
    pl_object_over(cond);
}
