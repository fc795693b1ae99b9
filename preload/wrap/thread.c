/*
 * thread.c - threads are made, joined, detached and ended.
 *
 * A thread begins in our trampoline, which knows who made it and where. pthread_exit, cancellation
 * and forced unwinding pass through it: a cleanup handler tells its end.
 */
#include "preload/core/thread.h"

#include <errno.h>
#include <string.h>

#include "preload/core/churn.h"
#include "preload/core/clock.h"
#include "preload/core/lineage.h"
#include "preload/core/object.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/stack.h"
#include "preload/core/sys.h"
#include "preload/core/wait.h"
#include "preload/heap/capture.h"
#include "preload/heap/view.h"

#define PRESET_ANEW 32 /* threads, until it is asked for again */

static size_t preset_size(void)
{
    size_t bytes = 0;
    pthread_attr_t preset;
    if (pthread_attr_init(&preset) == 0) {
        pthread_attr_getstacksize(&preset, &bytes);
        pthread_attr_destroy(&preset);
    }
    return bytes;
}

static size_t stack_size(const pthread_attr_t *attr)
{
    static _Atomic size_t preset;
    static _Atomic uint32_t uses;
    size_t bytes = 0;
    if (attr != NULL) {
        pthread_attr_getstacksize(attr, &bytes);
        return bytes;
    }
    /* The C library takes a lock to tell; hardly a program sets it. */
    uint32_t n = atomic_load_explicit(&uses, memory_order_relaxed);
    atomic_store_explicit(&uses, n + 1, memory_order_relaxed);
    if (n % PRESET_ANEW == 0)
        atomic_store_explicit(&preset, preset_size(), memory_order_relaxed);
    return atomic_load_explicit(&preset, memory_order_relaxed);
}

static int is_detached(const pthread_attr_t *attr)
{
    int state = PTHREAD_CREATE_JOINABLE;
    if (attr != NULL)
        pthread_attr_getdetachstate(attr, &state);
    return state == PTHREAD_CREATE_DETACHED;
}

/* Whoever makes many makes most of them at one place. */
static struct pl_site *place_of(struct pl_self *self, uint32_t stack)
{
    struct pl_site *site = self->thread->made_threads;
    if (site == NULL || site->cell->stack != stack)
        site = self->thread->made_threads = pl_site_get(EL_SITE_THREAD, stack, 0);
    return site;
}

/* Guard on. NULL: the thread is made without us. */
static struct pl_actor *launch_make(struct pl_self *self, const pthread_attr_t *attr,
                                    void (*start)(void), void *arg, struct pl_call call)
{
    struct pl_actor *actor = pl_thread_actor();
    if (actor == NULL)
        return NULL;
    struct el_actor *cell = actor->cell;
    cell->creator = self->actor->id;
    cell->created_stack = pl_stack(self, call);
    cell->start = (uint64_t)(uintptr_t)start;
    cell->stack_bytes = stack_size(attr);
    actor->creator = cell->creator;
    actor->start = start;
    actor->arg = arg;
    if (is_detached(attr)) {
        cell->flags = EL_ACTOR_DETACHED;
        atomic_store_explicit(&actor->life, PL_LIFE_RELEASED, memory_order_relaxed);
    }
    pl_spawned(self, self->actor, actor, place_of(self, cell->created_stack), cell->stack_bytes,
               cell->created_at);
    pl_capture_look(actor, (uintptr_t)arg, 0, 1);
    el_set_state(&cell->state, EL_ACTOR_NEW);
    return actor;
}

static void launch_cancel(struct pl_actor *actor)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    pl_capture_ends(actor);
    pl_spawn_ended(actor);
    pl_actor_destroy(actor);
    pl_leave(self);
}

static void thread_over(void *arg)
{
    (void)arg;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    uint32_t how = self->thread->how;
    pl_thread_finish(self, how);
    pl_leave(self);
}

/* The C library puts the thread's descriptor, which pthread_self points to, at the stack's top. */
static void stack_bounds(struct pl_self *self, size_t bytes, uintptr_t here)
{
    uintptr_t top = ((uintptr_t)pthread_self() + 4095) & ~(uintptr_t)4095;
    if (bytes == 0 || here >= top || here < top - bytes)
        return; /* not as expected: unknown bounds are safe */
    self->stack_lo = top - bytes;
    self->stack_hi = here;
    /* What lies from the descriptor up is kept for the next thread. */
    pl_view_stack_seen(self->stack_lo, (uintptr_t)pthread_self());
}

/* Of a thread that the C library made: its mutexes keep the owner's id, so that the kernel need not
 * be asked. 0 where they do not (elided locks). */
static uint32_t tid_by_mutex(void)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    PL_REAL(pthread_mutex_lock)(&mutex);
    uint32_t tid = (uint32_t)mutex.__data.__owner;
    PL_REAL(pthread_mutex_unlock)(&mutex);
    return tid;
}

/*
 * The same id is a word of the thread's descriptor. Where in it, is learned from the first threads:
 * the word that was right each time.
 */
#define TID_WORDS   256u /* of the descriptor that are looked at */
#define TID_THREADS 4u   /* to learn from */

static uint32_t own_tid(void)
{
    static _Atomic uint32_t place; /* threads learned from << 16 | word + 1 */
    const uint32_t *words = (const uint32_t *)pthread_self(); /* NOLINT: where it points to */
    uint32_t known = atomic_load_explicit(&place, memory_order_relaxed);
    if (known >> 16 == TID_THREADS)
        return (known & 0xffff) != 0 ? words[(known & 0xffff) - 1] : tid_by_mutex();
    const uint32_t tid = tid_by_mutex();
    uint32_t word = known & 0xffff;
    if (tid == 0)
        return 0;
    for (uint32_t i = known == 0 ? 0 : TID_WORDS; i < TID_WORDS && word == 0; i++)
        word = words[i] == tid ? i + 1 : 0;
    if (word != 0 && words[word - 1] != tid)
        word = 0;
    atomic_store_explicit(&place, ((known >> 16) + 1) << 16 | word, memory_order_relaxed);
    return tid;
}

/* Takes over what pthread_create left for this thread. */
static void thread_enter(struct pl_actor *actor, uintptr_t here)
{
    struct pl_self *self = pl_self();
    self->guard++;
    atomic_signal_fence(memory_order_seq_cst);
    if (pl_is_on() && actor->epoch == pl_epoch) {
        stack_bounds(self, actor->cell->stack_bytes, here);
        if (pl_thread_begin(self, actor, own_tid()) == 0) {
            self->thread->how = EL_END_CANCEL; /* unless something else is seen */
            pl_thread_know(actor, pthread_self());
        }
    }
    pl_leave(self);
}

static void thread_leaves(uint32_t how)
{
    struct pl_self *self = pl_self();
    if (self->thread != NULL)
        self->thread->how = how;
}

static void *thread_main(void *arg)
{
    struct pl_actor *actor = arg;
    void *(*start)(void *) = (void *(*)(void *))actor->start;
    void *start_arg = actor->arg;
    void *result;
    thread_enter(actor, (uintptr_t)__builtin_frame_address(0));
    pthread_cleanup_push(thread_over, NULL);
    result = start(start_arg);
    thread_leaves(EL_END_RETURN);
    pthread_cleanup_pop(1);
    return result;
}

static int thread_main_c11(void *arg)
{
    struct pl_actor *actor = arg;
    thrd_start_t start = (thrd_start_t)actor->start;
    void *start_arg = actor->arg;
    int result;
    thread_enter(actor, (uintptr_t)__builtin_frame_address(0));
    pthread_cleanup_push(thread_over, NULL);
    result = start(start_arg);
    thread_leaves(EL_END_RETURN);
    pthread_cleanup_pop(1);
    return result;
}

/* An actor that may have been recycled meanwhile. */
struct launch_ref {
    struct pl_actor *actor;
    uint64_t id;
};

/* In a frame of the caller, who is still there. */
static int is_on_stack(const struct pl_self *self, uintptr_t at)
{
    return at > (uintptr_t)__builtin_frame_address(0) && at < self->stack_hi;
}

/*
 * The thread may be joined before it ran its first instruction: then its creator makes it known.
 * The word that pthread_create filled in may be gone already, with a thread that ran and ended.
 */
static void creator_knows(struct launch_ref ref, const pthread_t *word)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    if (ref.actor->id == ref.id && atomic_load(&ref.actor->known) == 0 &&
        (is_on_stack(self, (uintptr_t)word) || pl_sys_readable((uintptr_t)word)))
        pl_thread_know(ref.actor, *word);
    pl_leave(self);
}

PL_EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
                             void *arg)
{
    struct pl_call call = PL_CALL();
    struct pl_self *self = pl_enter();
    struct pl_actor *launch = NULL;
    if (self != NULL) {
        launch = launch_make(self, attr, (void (*)(void))start, arg, call);
        pl_leave(self);
    }
    if (launch == NULL)
        return PL_REAL(pthread_create)(thread, attr, start, arg);
    struct launch_ref ref = {launch, launch->id};
    int detached = (atomic_load(&launch->life) & PL_LIFE_RELEASED) != 0;
    struct pl_churn churn = pl_churn_begin(launch);
    int result = PL_REAL(pthread_create)(thread, attr, thread_main, launch);
    pl_churn_end(&churn);
    if (result != 0)
        launch_cancel(launch);
    else if (!detached)
        creator_knows(ref, thread);
    return result;
}

PL_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
    struct pl_call call = PL_CALL();
    struct pl_self *self = pl_enter();
    struct pl_actor *launch = NULL;
    if (self != NULL) {
        launch = launch_make(self, NULL, (void (*)(void))start, arg, call);
        pl_leave(self);
    }
    if (launch == NULL)
        return PL_REAL(thrd_create)(thread, start, arg);
    struct launch_ref ref = {launch, launch->id};
    struct pl_churn churn = pl_churn_begin(launch);
    int result = PL_REAL(thrd_create)(thread, thread_main_c11, launch);
    pl_churn_end(&churn);
    if (result != thrd_success)
        launch_cancel(launch);
    else
        creator_knows(ref, thread);
    return result;
}

/* ---- the end of threads ---- */

static void ends_by_exit(void)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    self->thread->how = EL_END_EXIT;
    /* The first thread has no trampoline below it that would tell. */
    if ((self->thread->actor->cell->flags & EL_ACTOR_MAIN) != 0)
        pl_thread_finish(self, EL_END_EXIT);
    pl_leave(self);
}

PL_EXPORT void pthread_exit(void *result)
{
    ends_by_exit();
    PL_REAL(pthread_exit)(result);
    __builtin_unreachable();
}

PL_EXPORT void thrd_exit(int result)
{
    ends_by_exit();
    PL_REAL(thrd_exit)(result);
    __builtin_unreachable();
}

/* A thread whose record is over comes in, too: some detach themselves, or join those that they
 * made, only as their thread-local data is torn down. It has no actor then. */
static struct pl_self *enter_even_late(void)
{
    struct pl_self *self = pl_self();
    if (!pl_is_on() || self->guard != 0)
        return NULL;
    self->guard++;
    atomic_signal_fence(memory_order_seq_cst);
    return self;
}

/* ---- joining ---- */

struct join {
    struct pl_wait wait;
    struct pl_actor *actor; /* who is joined, NULL when unknown */
};

static struct pl_actor *find_even_late(pthread_t thread)
{
    struct pl_self *self = enter_even_late();
    if (self == NULL)
        return NULL;
    struct pl_actor *actor = pl_thread_find(thread);
    pl_leave(self);
    return actor;
}

static void join_find(struct join *join, pthread_t thread)
{
    join->wait.actor = NULL;
    join->actor = find_even_late(thread);
}

static void join_begin(struct join *join, int timed, struct pl_call call)
{
    uint64_t object = join->actor == NULL ? 0 : join->actor->id;
    if (pl_wait_begin(&join->wait, EL_WAIT_JOIN, object, timed, call) && join->actor != NULL) {
        join->wait.waker_creator = join->actor->creator;
        join->wait.waker_site = join->actor->origin;
    }
}

static void join_end(struct join *join, int result)
{
    if (result == 0 && join->actor != NULL)
        join->wait.waker = join->actor->id;
    pl_wait_end(&join->wait, result);
    if (result != 0 || join->actor == NULL)
        return;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        self = enter_even_late();
    if (self == NULL)
        return;
    if (self->actor != NULL && join->actor->creator == self->actor->id)
        pl_lineage_waited(self->actor);
    if (join->actor->epoch == pl_epoch)
        pl_thread_released(join->actor, EL_ACTOR_JOINED);
    pl_leave(self);
}

/* Joins that do not wait leave no trace. 1 when that settled it. */
static int join_at_once(struct join *join, pthread_t thread, void **value, int *result)
{
    join_find(join, thread);
    if (join->actor == NULL)
        return 0;
    *result = PL_REAL(pthread_tryjoin_np)(thread, value);
    if (*result == EBUSY)
        return 0;
    join_end(join, *result);
    return 1;
}

PL_EXPORT int pthread_join(pthread_t thread, void **value)
{
    struct pl_call call = PL_CALL();
    struct join join;
    int result;
    if (join_at_once(&join, thread, value, &result))
        return result;
    join_begin(&join, 0, call);
    result = PL_REAL(pthread_join)(thread, value);
    join_end(&join, result);
    return result;
}

PL_EXPORT int pthread_tryjoin_np(pthread_t thread, void **value)
{
    struct join join;
    join_find(&join, thread);
    int result = PL_REAL(pthread_tryjoin_np)(thread, value);
    join_end(&join, result);
    return result;
}

PL_EXPORT int pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *at)
{
    struct pl_call call = PL_CALL();
    struct join join;
    int result;
    if (join_at_once(&join, thread, value, &result))
        return result;
    join_begin(&join, at != NULL, call);
    result = PL_REAL(pthread_timedjoin_np)(thread, value, at);
    join_end(&join, result);
    return result;
}

PL_EXPORT int pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
                                   const struct timespec *at)
{
    struct pl_call call = PL_CALL();
    struct join join;
    int result;
    if (join_at_once(&join, thread, value, &result))
        return result;
    join_begin(&join, at != NULL, call);
    result = PL_REAL(pthread_clockjoin_np)(thread, value, clock, at);
    join_end(&join, result);
    return result;
}

PL_EXPORT int thrd_join(thrd_t thread, int *value)
{
    struct pl_call call = PL_CALL();
    struct join join;
    void *word;
    int result;
    if (join_at_once(&join, thread, &word, &result)) {
        if (result == 0 && value != NULL)
            *value = (int)(intptr_t)word;
        return result == 0 ? thrd_success : thrd_error;
    }
    join_begin(&join, 0, call);
    result = PL_REAL(thrd_join)(thread, value);
    join_end(&join, result == thrd_success ? 0 : EINVAL);
    return result;
}

/* ---- detaching ---- */

static void detached(struct pl_actor *actor)
{
    struct pl_self *self = actor != NULL ? enter_even_late() : NULL;
    if (self == NULL)
        return;
    pl_thread_released(actor, EL_ACTOR_DETACHED);
    pl_leave(self);
}

PL_EXPORT int pthread_detach(pthread_t thread)
{
    struct pl_actor *actor = find_even_late(thread);
    int result = PL_REAL(pthread_detach)(thread);
    if (result == 0)
        detached(actor);
    return result;
}

PL_EXPORT int thrd_detach(thrd_t thread)
{
    struct pl_actor *actor = find_even_late(thread);
    int result = PL_REAL(thrd_detach)(thread);
    if (result == thrd_success)
        detached(actor);
    return result;
}
