/* thread.c - see thread.h. */
#include "preload/core/thread.h"

#include <errno.h>
#include <loiter.h>
#include <string.h>

#include "preload/core/blocked.h"
#include "preload/core/churn.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/note.h"
#include "preload/core/record.h"
#include "preload/core/spawn.h"
#include "preload/core/spawner.h"
#include "preload/core/sys.h"
#include "preload/core/timer_brief.h"
#include "preload/core/wait.h"
#include "preload/core/young.h"
#include "preload/heap/capture.h"
#include "preload/heap/heap.h"

#define KNOWN_MOST 256

static struct pl_pool threads = {.bytes = sizeof(struct pl_thread)};
static _Atomic(struct pl_thread *) all;
static struct pl_map by_pthread;
static _Atomic uint32_t last_serial;
static _Atomic uint32_t unseen; /* threads whose end nobody will tell */

const void *const volatile pl_nothing_here;
struct loiter_note pl_no_note;
__thread struct pl_self pl_self_block __attribute__((tls_model("initial-exec"))) = {
    .quick = &pl_actor_none, .here = &pl_nothing_here, .note = &pl_no_note};
_Static_assert(sizeof(struct pl_self) <= 1024, "initial-exec TLS is scarce");

__attribute__((noinline)) struct pl_self *pl_self(void)
{
    struct pl_self *self = &pl_self_block;
    __asm__ volatile("" : "+r"(self)::"memory");
    return self;
}

void pl_threads_reset(void)
{
    atomic_store(&threads.head, 0);
    atomic_store(&all, NULL);
    atomic_store(&last_serial, 0);
    atomic_store(&unseen, 0);
    atomic_store(&pl_threads_alive, 0);
    pl_map_init(&by_pthread, 12);
}

void pl_thread_reset(struct pl_self *self)
{
    self->phase = PL_PHASE_NEW;
    self->thread = NULL;
    self->actor = NULL;
    self->near = NULL;
    self->wait_count = 0;
    self->pending = 0;
    self->stamps = 0;
    self->now = 0;
    pl_self_runs(self, NULL, 0);
    pl_self_settle(self);
}

void pl_follow(struct pl_self *self)
{
    struct pl_actor *actor = pl_runs_here(self);
    if (__builtin_expect(actor == NULL, 0))
        actor = pl_young_grow(self, pl_task_here(self));
    self->actor = actor != NULL ? actor : self->thread->actor;
    self->stack_lo = self->actor->stack_lo;
    self->stack_hi = self->actor->stack_hi;
    if (__builtin_expect(pl_noted(self), 0))
        pl_note_take(self);
}

struct pl_actor *pl_thread_actor(void)
{
    const uint32_t serial = atomic_fetch_add(&last_serial, 1) + 1;
    struct pl_actor *actor = pl_actor_create(serial);
    if (actor != NULL) {
        actor->cell->created_at = pl_now();
        pl_raise_simply(&pl_log.summary->threads, serial);
    }
    return actor;
}

static void all_add(struct pl_thread *thread)
{
    struct pl_thread *first = atomic_load(&all);
    do
        atomic_store(&thread->all, first);
    while (!atomic_compare_exchange_weak(&all, &first, thread));
}

void pl_thread_each(void (*on)(struct pl_thread *thread, void *ctx), void *ctx)
{
    for (struct pl_thread *t = atomic_load(&all); t != NULL; t = atomic_load(&t->all))
        on(t, ctx);
}

/* Who looks at the guard from outside, now and then, learns how much time is spent behind it. */
static void guard_show(struct pl_self *self, struct pl_thread *thread, int fresh, uint32_t tid)
{
    if (fresh)
        thread->inside = el_alloc_inside(&pl_log);
    if (thread->inside == NULL)
        return;
    thread->inside->tid = tid;
    thread->inside->address = (uint64_t)(uintptr_t)&self->guard;
    el_set_state(&thread->inside->state, EL_LIVE);
}

int pl_thread_begin(struct pl_self *self, struct pl_actor *actor, uint32_t tid)
{
    int fresh;
    struct pl_thread *thread = pl_pool_get(&threads, &fresh);
    if (thread == NULL)
        return -1;
    if (fresh) {
        thread->ender.at = &thread->ender.own;
        thread->spawner.row = &thread->spawner.own_row;
        pl_row_is_announced(&thread->spawner);
        all_add(thread);
    }
    tid = tid != 0 ? tid : (uint32_t)pl_sys_tid();
    thread->serial = (uint32_t)actor->id;
    thread->actor = actor;
    thread->how = EL_END_RETURN;
    thread->is_worker = 0;
    thread->spin_at = thread->spin_cpu_ns = thread->spin_looked = thread->spin_charged_ns = 0;
    thread->began = pl_now();
    atomic_fetch_add_explicit(&pl_threads_alive, 1, memory_order_relaxed);
    thread->spawn_stack = 0;
    thread->note_span = thread->note_most = 0;
    thread->note_at = 0;
    memset(thread->words, 0, sizeof(thread->words));
    thread->refusals = (struct pl_refusals){0, 0, 0, 0};
    thread->note_random = thread->serial;
    thread->waited = NULL;
    thread->ender.at->adder = NULL;
    thread->until_told = self->until_sample;
    thread->tiny_weight = 1;
    thread->tiny_hurry = 0;
    thread->slot = NULL;
    guard_show(self, thread, fresh, tid);
    actor->stack_lo = self->stack_lo;
    actor->stack_hi = self->stack_hi;
    actor->cell->tid = tid;
    el_set_state(&actor->cell->state, EL_ACTOR_RUNNING);
    self->actor = actor;
    self->thread = thread;
    self->tid = tid;
    self->near = NULL;
    self->wait_count = 0;
    pl_self_settle(self);
    self->phase = PL_PHASE_ON;
    return 0;
}

struct el_slot *pl_thread_slot_take(struct pl_self *self)
{
    struct pl_thread *thread = self->thread;
    const struct el_actor *cell = thread->actor->cell;
    struct el_thread_begin event = {
        .thread = thread->serial,
        .tid = cell->tid,
        .creator = cell->creator,
        .start = cell->start,
        .created_stack = cell->created_stack,
        .flags = cell->flags & ~(uint32_t)EL_ACTOR_TIMED,
        .began = thread->began,
    };
    thread->slot = el_slot_acquire(&pl_log, cell->tid);
    if (thread->slot != NULL)
        el_write_thread_begin_at(thread->slot, thread->began, &event);
    return thread->slot;
}

/* A thread that was made past our wrapper: before the constructor, by clone, by dlsym. */
int pl_thread_attach(struct pl_self *self)
{
    if (self->phase == PL_PHASE_OVER)
        return -1;
    struct pl_actor *actor = pl_thread_actor();
    if (actor == NULL)
        return -1;
    actor->cell->flags = EL_ACTOR_SYSTEM | EL_ACTOR_DETACHED;
    atomic_fetch_add(&unseen, 1);
    if (pl_thread_begin(self, actor, 0) != 0) {
        pl_actor_destroy(actor);
        return -1;
    }
    return 0;
}

/* One that is gone, as the kernel says, gets its end now. */
static void unseen_end(struct pl_actor *actor, void *ctx)
{
    struct pl_self *self = ctx;
    struct el_actor *cell = actor->cell;
    if (actor->id == 0 || actor->epoch != pl_epoch || el_actor_is_task(actor->id) ||
        (cell->flags & EL_ACTOR_SYSTEM) == 0 || cell->state == EL_ACTOR_ENDED ||
        pl_sys6(SYS_tgkill, pl_sys_pid(), cell->tid, 0, 0, 0, 0) != -ESRCH)
        return;
    struct el_thread_end event = {.thread = (uint32_t)actor->id, .how = EL_END_EXIT};
    PL_WRITE(self, thread_end, &event);
    __atomic_store_n(&cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    el_set_state(&cell->state, EL_ACTOR_ENDED);
}

void pl_threads_at_end(struct pl_self *self)
{
    if (self->thread != NULL && atomic_load(&unseen) != 0)
        pl_actor_each(unseen_end, self);
}

static void actor_settle(struct pl_actor *actor, uint32_t bit)
{
    uint32_t before = atomic_fetch_or(&actor->life, bit);
    if ((before | bit) == (PL_LIFE_ENDED | PL_LIFE_RELEASED) && before != (before | bit))
        pl_actor_destroy(actor);
}

/* The C library makes its next thread where one has ended, so the few entries there are stay: of an
 * actor that is free, or is another thread by now, pl_thread_find knows. */
static void forget(struct pl_actor *actor)
{
    if (atomic_load_explicit(&by_pthread.count, memory_order_relaxed) > KNOWN_MOST)
        pl_map_take(&by_pthread, (uint64_t)actor->pthread, actor);
}

void pl_thread_finish(struct pl_self *self, uint32_t how)
{
    struct pl_thread *thread = self->thread;
    struct pl_actor *actor = thread->actor;
    struct el_thread_end event = {.thread = thread->serial, .how = how};
    const uint64_t now = pl_now();
    pl_churn_thread_ends(thread, now);
    pl_heap_flush();
    pl_leave(self);
    pl_wait_flush();
    self->guard++;
    struct el_slot *slot = pl_thread_slot(self);
    if (slot != NULL) {
        el_write_thread_end_at(slot, now, &event);
        thread->slot = NULL;
        el_slot_release(slot);
    } else {
        pl_record_lost();
    }
    pl_spawner_finish(self);
    pl_brief_finish(thread);
    pl_capture_ends(actor);
    pl_spawn_ended(actor);
    pl_blocked_ends(actor, 0);
    atomic_fetch_sub_explicit(&pl_threads_alive, 1, memory_order_relaxed);
    self->phase = PL_PHASE_OVER;
    self->stamps = 0;
    pl_self_runs(self, NULL, 0);
    self->thread = NULL;
    self->actor = NULL;
    pl_self_settle(self);
    thread->actor = NULL;
    if (thread->inside != NULL)
        el_set_state(&thread->inside->state, EL_FREE);
    pl_pool_put(&threads, thread);
    __atomic_store_n(&actor->cell->wait_kind, EL_WAIT_NONE, __ATOMIC_RELEASE);
    el_set_state(&actor->cell->state, EL_ACTOR_ENDED);
    uint32_t unknown = 0;
    if (atomic_load(&actor->known) == unknown)
        atomic_compare_exchange_strong(&actor->known, &unknown, 2);
    if ((atomic_load(&actor->life) & PL_LIFE_RELEASED) != 0)
        forget(actor);
    actor_settle(actor, PL_LIFE_ENDED);
}

void pl_thread_know(struct pl_actor *actor, pthread_t thread)
{
    uint32_t unknown = 0;
    if (atomic_load(&actor->known) != unknown ||
        !atomic_compare_exchange_strong(&actor->known, &unknown, 1))
        return;
    actor->pthread = thread;
    if (pl_map_find(&by_pthread, (uint64_t)thread) != actor)
        pl_map_set(&by_pthread, (uint64_t)thread, actor);
}

struct pl_actor *pl_thread_find(pthread_t thread)
{
    struct pl_actor *actor = pl_map_find(&by_pthread, (uint64_t)thread);
    if (actor == NULL || actor->epoch != pl_epoch || actor->id == 0 || actor->pthread != thread)
        return NULL;
    return actor;
}

void pl_thread_released(struct pl_actor *actor, enum el_actor_flags flag)
{
    actor->cell->flags |= flag;
    if ((atomic_load(&actor->life) & PL_LIFE_ENDED) != 0)
        forget(actor);
    actor_settle(actor, PL_LIFE_RELEASED);
}
