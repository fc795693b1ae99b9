/* passing.c - see passing.h. */
#include "preload/core/passing.h"

#include <linux/membarrier.h>

#include "preload/core/group.h"
#include "preload/core/spawn.h"
#include "preload/core/sys.h"
#include "preload/core/young.h"

/* So often somebody rests who finds that another thread is telling of the wait. */
#define RESTS_MOST 1000

/* Of one task; of all of them, at the end. */
enum { LOOKED = LOITER_AGAIN_LOOKED, LOOKED_AT_END = LOITER_AGAIN_LOOKED | 2 };

/* The tasks whose waits may pass. Whose last tick is over has no right to its place any more,
 * unless it waits. */
#define PLACES_BITS 8
static _Atomic(struct pl_actor *) places[1 << PLACES_BITS];

/* All threads can be made to pass a barrier, and the runtime asks. */
static int enabled;

static int barrier(int command)
{
    return pl_sys6(SYS_membarrier, command, 0, 0, 0, 0, 0) == 0;
}

void pl_passings_begin(void)
{
    enabled = barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
}

void pl_passings_reset(void)
{
    enabled = 0;
    for (uint32_t i = 0; i < 1 << PLACES_BITS; i++)
        atomic_store_explicit(&places[i], NULL, memory_order_relaxed);
}

/* Of one with items in it, and of a group, there is more to tell when another one waits. */
static void watch(struct pl_actor *task, unsigned i, struct pl_object *o)
{
    struct loiter_again *a = &task->again;
    const int is_shared = o->count == NULL && task->wait.kind != EL_WAIT_GROUP;
    task->passing.among[i] = o;
    a->object[i] = (const void *)(uintptr_t)o->address; /* NOLINT: a name */
    a->watched[i] = is_shared ? &o->lives : &o->waiter;
    a->seen[i] = *a->watched[i];
}

void pl_passing_selects(const struct pl_self *self, struct pl_actor *task,
                        const void *const *objects, unsigned n)
{
    task->passing.selected = 0;
    if (n > LOITER_AGAIN_MOST)
        return;
    for (unsigned i = 0; i < n; i++)
        watch(task, i, self->thread->objects[pl_recent_slot((uintptr_t)objects[i])]);
    task->passing.selected = n;
}

static int take_place(struct pl_actor *task, uint64_t tick)
{
    _Atomic(struct pl_actor *) *place =
        &places[(uintptr_t)task / sizeof(*task) * UINT64_C(0x9e3779b97f4a7c15) >>
                (64 - PLACES_BITS)];
    struct pl_actor *other = atomic_load_explicit(place, memory_order_relaxed);
    if (other == task)
        return 1;
    if (other != NULL &&
        (other->again.waits != 0 || (other->again.left != 0 && other->again.tick == tick)))
        return 0;
    return atomic_compare_exchange_strong(place, &other, task);
}

/* What learns that a child woke it. */
static void learn_pressed(struct loiter_again *a, struct pl_actor *task, const struct pl_object *o)
{
    struct pl_spawn_run *run = o->waker_creator == task->id ? task->spawns : NULL;
    for (uint32_t i = 0; run != NULL && i < PL_SPAWN_RUNS; i++)
        if (run[i].site != NULL && run[i].site == o->waker_site) {
            a->pressed = &run[i].pressed;
            a->pressed_as = pl_spawn_pressing(run[i].site);
            return;
        }
    a->pressed = &task->passing.nothing;
}

/* It makes others, which are counted together, and then each of its waits is one to be told. */
static int counts_together(const struct pl_self *self, const struct pl_actor *task)
{
    const struct pl_spawner *s = &self->thread->spawner;
    return s->actor == task && s->parent == task->id && s->left != 0;
}

static int may_pass(const struct pl_self *self, const struct pl_actor *task,
                    const struct pl_object *o)
{
    const struct pl_wait *w = &task->wait;
    if (!enabled || !el_actor_is_task(task->id) || w->token == 0 || task->again.frame == NULL ||
        task->again.waking_frame == NULL || pl_held_any(task) ||
        (task->captured & PL_CAPTURE_HOLDS) != 0 || counts_together(self, task))
        return 0;
    return w->kind == EL_WAIT_SELECT ? task->passing.selected != 0 : w->record == o;
}

/* It is a number that changes when it is another one's. */
static void learn_waker(struct loiter_again *a, const struct loiter_task *me)
{
    const uintptr_t word = (uintptr_t)me->tool;
    a->waker = me->tool;
    a->waker_watched = (word & PL_YOUNG) != 0 ? &pl_brood_at(word)->token
                                              : &((const struct pl_actor *)me->tool)->id;
    a->waker_seen = *a->waker_watched;
}

void pl_passing_learn(const struct pl_self *self, struct pl_actor *task, struct pl_object *o,
                      const struct loiter_task *me)
{
    struct loiter_again *a = &task->again;
    const struct pl_wait *w = &task->wait;
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    pl_passing_count(task);
    if (!may_pass(self, task, o) || !take_place(task, tick)) {
        a->left = 0;
        task->passing.wary = PL_PASSING_WARY;
        return;
    }
    if (w->kind != EL_WAIT_SELECT)
        watch(task, 0, o);
    a->n = w->kind == EL_WAIT_SELECT ? task->passing.selected : 1;
    a->caller = (const void *)w->caller; /* NOLINT: of the program */
    a->at = w->at;
    if (w->kind == EL_WAIT_GROUP) {
        a->rounds[0] = &task->rounds;
        a->rounds[1] = &w->waited->round;
    }
    learn_waker(a, me);
    task->passing.woken = o;
    a->woken = (const void *)(uintptr_t)o->address; /* NOLINT: a name */
    learn_pressed(a, task, o);
    a->clock = (const uint64_t *)(const void *)&pl_coarse;
    a->tick = tick;
    a->left = PL_PASSING_MOST;
}

void pl_passing_count(struct pl_actor *task)
{
    struct loiter_again *a = &task->again;
    const struct pl_object *o = task->passing.woken;
    const uint32_t n = a->passed;
    if (n == 0)
        return;
    a->passed = 0;
    task->wait.turns = 0; /* all frames are looked at the next time */
    task->cell->waits_here += n;
    if (!pl_object_is(o, (uintptr_t)a->woken))
        return;
    if (task->wait.record != NULL)
        __atomic_fetch_add(&o->cell->waits, n, __ATOMIC_RELAXED);
    __atomic_fetch_add(&o->cell->wakes, n, __ATOMIC_RELAXED);
    o->cell->last_waker = EL_ACTOR_TASK | a->last_waker;
}

/* What its objects learn of a wait; see announce_waits.c. */
static void objects_learn(struct pl_actor *task)
{
    const struct loiter_again *a = &task->again;
    const struct pl_wait *w = &task->wait;
    for (unsigned i = 0; i < a->n; i++) {
        struct pl_object *o = task->passing.among[i];
        if (!pl_object_is(o, (uintptr_t)a->object[i]))
            continue;
        o->waiter = w->token;
        o->cell->last_waiter = task->id;
        o->cell->last_waiter_stack = w->stack;
        if (w->kind == EL_WAIT_SELECT)
            continue;
        o->task_waiter = task;
        pl_object_count(&o->cell->waits);
    }
}

static void tell(struct pl_actor *task)
{
    struct pl_wait *w = &task->wait;
    struct el_actor *cell = task->cell;
    const uint32_t had = PL_PASSING_MOST - task->again.left;
    pl_passing_count(task);
    pl_actor_tells(task);
    task->passing.wary = had > PL_PASSING_FEW ? 1 : PL_PASSING_WARY;
    objects_learn(task);
    if (task->spawns != NULL)
        pl_spawn_waits_settled(task);
    w->began = pl_now();
    cell->waits_here = cell->wait_stack == w->stack ? cell->waits_here + 1 : 1;
    cell->wait_stack = w->stack;
    cell->object = w->object;
    cell->since = w->began;
    cell->waker = 0;
    __atomic_store_n(&cell->wait_kind, w->kind, __ATOMIC_RELEASE);
    el_set_state(&cell->state, EL_ACTOR_WAITING);
}

/* Looks at the task alone: whoever else wants to waits, and who makes it ready. That is not for
 * long, unless it is this thread itself that a signal came to, whose handler ends the process. */
static int look(struct pl_actor *task, uint32_t how)
{
    uint32_t looks = __atomic_load_n(&task->again.looks, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < RESTS_MOST; i++) {
        if ((looks & LOITER_AGAIN_LOOKED) == 0 &&
            __atomic_compare_exchange_n(&task->again.looks, &looks, looks | how, 0,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return 1;
        pl_sys_rest(i);
        looks = __atomic_load_n(&task->again.looks, __ATOMIC_RELAXED);
    }
    return 0;
}

/* Another number than before. */
static void look_ends(struct pl_actor *task)
{
    const uint32_t looks = task->again.looks;
    __atomic_store_n(&task->again.looks, (looks | LOOKED_AT_END) + 1, __ATOMIC_RELEASE);
}

/* After all threads have passed a barrier since, or by who makes the task ready. That it is parked
 * comes last: who finds it so goes on. */
static void look_over(struct pl_actor *task)
{
    if (__atomic_load_n(&task->again.waits, __ATOMIC_ACQUIRE) != 0) {
        const int selects = task->wait.kind == EL_WAIT_SELECT;
        tell(task);
        __atomic_store_n(&task->again.waits, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&task->parked, selects ? PL_PARKED_SELECTING : PL_PARKED_PLAINLY,
                         __ATOMIC_RELEASE);
    }
    look_ends(task);
}

void pl_passing_tell(struct pl_actor *task)
{
    if (look(task, LOOKED))
        look_over(task);
}

void pl_passing_interrupt(struct pl_actor *task)
{
    if (__atomic_load_n(&task->again.waits, __ATOMIC_RELAXED) == 0 || !look(task, LOOKED))
        return;
    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    look_over(task);
}

void pl_passings_tick(uint64_t last)
{
    struct pl_actor *late[16];
    uint32_t n = 0;
    for (uint32_t i = 0; i < 1 << PLACES_BITS && n < 16; i++) {
        struct pl_actor *task = atomic_load_explicit(&places[i], memory_order_acquire);
        if (task != NULL && __atomic_load_n(&task->again.waits, __ATOMIC_RELAXED) != 0 &&
            __atomic_load_n(&task->again.tick, __ATOMIC_RELAXED) < last && look(task, LOOKED))
            late[n++] = task;
    }
    if (n != 0)
        enabled = barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    for (uint32_t i = 0; i < n; i++)
        look_over(late[i]);
}

static void look_at(struct pl_actor *actor, void *ctx)
{
    (void)ctx;
    if (actor->id != 0 && actor->epoch == pl_epoch && actor->again.clock != NULL)
        look(actor, LOOKED_AT_END);
}

static void end(struct pl_actor *actor, void *ctx)
{
    (void)ctx;
    if ((actor->again.looks & LOOKED_AT_END) != LOOKED_AT_END)
        return;
    pl_passing_count(actor);
    look_over(actor);
}

void pl_passings_end(void)
{
    if (!enabled)
        return;
    pl_actor_each(look_at, NULL);
    barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    pl_actor_each(end, NULL);
}
