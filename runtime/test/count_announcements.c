/*
 * A stand-in for libloiter.so, to be preloaded: it counts the announcements, checks their order for
 * each task, and prints the sums at the end.
 */
#include <loiter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LIST(X)                                                                                    \
    X(run_begin)                                                                                   \
    X(run_end)                                                                                     \
    X(worker_begin)                                                                                \
    X(task_created)                                                                                \
    X(task_stack)                                                                                  \
    X(task_switch)                                                                                 \
    X(task_park)                                                                                   \
    X(task_ready)                                                                                  \
    X(task_exit)                                                                                   \
    X(object_created)                                                                              \
    X(object_closed)                                                                               \
    X(object_destroyed)                                                                            \
    X(lock_acquired)                                                                               \
    X(lock_released)                                                                               \
    X(timer_armed)                                                                                 \
    X(timer_stopped)                                                                               \
    X(timer_fired)                                                                                 \
    X(timer_destroyed)                                                                             \
    X(bad_order)                                                                                   \
    X(no_caller)

static struct {
#define X(name) _Atomic long name;
    LIST(X)
#undef X
} sums;

/* In the `tool` word of a task; 0: never announced as created. */
enum { CREATED = 2, RUNNING = 4, PARKED = 6, READY = 8 };

static __thread struct loiter_task *current;

static void move(struct loiter_task *t, uintptr_t from, uintptr_t or_from, uintptr_t to)
{
    uintptr_t is = (uintptr_t)__atomic_exchange_n(&t->tool, (void *)to, __ATOMIC_ACQ_REL);
    if (is != from && is != or_from)
        sums.bad_order++;
}

static void called_from(const void *caller)
{
    if (!caller)
        sums.no_caller++;
}

void loiter_run_begin(const char *name, unsigned workers)
{
    sums.run_begin += name && workers;
}

void loiter_run_end(void)
{
    sums.run_end++;
}

void loiter_worker_begin(void)
{
    sums.worker_begin++;
}

void loiter_task_created(struct loiter_task *t, void (*start)(void), size_t stack_bytes,
                         size_t capture_bytes, const void *caller, const void *arg)
{
    (void)capture_bytes;
    (void)arg;
    sums.task_created += start && stack_bytes && t->id;
    move(t, 0, 0, CREATED);
    called_from(caller);
}

void loiter_task_stack(struct loiter_task *t, const void *lo, const void *hi)
{
    sums.task_stack += t->id && lo < hi;
}

/* A task that yields is switched to again without an announcement between. */
void loiter_task_switch(struct loiter_task *t)
{
    if (t) {
        uintptr_t is = (uintptr_t)__atomic_load_n(&t->tool, __ATOMIC_ACQUIRE);
        if (is != RUNNING)
            move(t, CREATED, READY, RUNNING);
    }
    current = t;
    sums.task_switch++;
}

void loiter_task_park(struct loiter_task *t, enum loiter_wait why, const void *const *objects,
                      unsigned n, int timed, const void *caller)
{
    (void)why;
    (void)timed;
    if (t != current || (n > 0 && !objects))
        sums.bad_order++;
    move(t, RUNNING, RUNNING, PARKED);
    called_from(caller);
    sums.task_park++;
}

void loiter_task_ready(struct loiter_task *t, const void *object)
{
    (void)object;
    move(t, PARKED, RUNNING, READY); /* running: in a blocking call that is over */
    sums.task_ready++;
}

void loiter_task_exit(struct loiter_task *t)
{
    move(t, RUNNING, RUNNING, 0);
    sums.task_exit++;
}

void loiter_object_created(enum loiter_object kind, const void *object, size_t capacity,
                           const void *caller)
{
    (void)capacity;
    sums.object_created += kind && object;
    called_from(caller);
}

void loiter_object_closed(enum loiter_object kind, const void *object, const void *caller)
{
    sums.object_closed += kind && object;
    called_from(caller);
}

void loiter_object_destroyed(enum loiter_object kind, const void *object, size_t left)
{
    (void)left;
    sums.object_destroyed += kind && object;
}

void loiter_lock_acquired(enum loiter_wait why, const void *lock, const void *caller)
{
    sums.lock_acquired += why && lock;
    called_from(caller);
}

void loiter_lock_released(const void *lock, struct loiter_task *owner)
{
    (void)owner;
    sums.lock_released += lock != NULL;
}

void loiter_timer_armed(enum loiter_object kind, const void *timer, int64_t first_ns,
                        int64_t period_ns, int stoppable, const void *caller)
{
    (void)first_ns;
    (void)period_ns;
    (void)stoppable;
    sums.timer_armed += kind && timer;
    called_from(caller);
}

void loiter_timer_stopped(const void *timer)
{
    sums.timer_stopped += timer != NULL;
}

void loiter_timer_fired(const void *timer, int dropped)
{
    (void)dropped;
    sums.timer_fired += timer != NULL;
}

void loiter_timer_destroyed(const void *timer)
{
    sums.timer_destroyed += timer != NULL;
}

__attribute__((destructor)) static void print(void)
{
#define X(name) fprintf(stderr, #name "=%ld\n", sums.name);
    LIST(X)
#undef X
}
