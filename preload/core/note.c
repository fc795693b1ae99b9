/* note.c - see note.h. */
#include "preload/core/note.h"

#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/contention.h"
#include "preload/core/stack.h"

#define SPAN_MOST 8191   /* locks that are noted between two samples, at least, if there are many */
#define APART_NS  100000 /* and so far apart samples shall be */

/* Where a worker notes, and what is shown of it. One for each such place, for good. */
struct noted {
    struct noted *next;
    struct loiter_note *note;
    const void *const volatile *running;
    size_t offset;
    struct el_held *cell;         /* NULL before there was something to show */
    uintptr_t lock[LOITER_NOTES]; /* at the last look */
    const void *pc[LOITER_NOTES];
    uintptr_t shown[LOITER_NOTES]; /* 0: it is not */
};

static _Atomic(struct noted *) first;
static atomic_flag looking = ATOMIC_FLAG_INIT;

void pl_notes_reset(void)
{
    atomic_store(&first, NULL);
    atomic_flag_clear(&looking);
}

/* There is no lock; or it is being given up, after a signal handler took it from here. */
static int is_free(uintptr_t word)
{
    return (intptr_t)word < LOITER_NOTE_FREE;
}

static int is_known(const struct loiter_note *note)
{
    for (struct noted *n = atomic_load(&first); n != NULL; n = n->next)
        if (n->note == note)
            return 1;
    return 0;
}

void pl_note_begin(struct pl_self *self, struct loiter_note *note)
{
    self->note = note != NULL ? note : &pl_no_note;
    if (note == NULL || is_known(note))
        return;
    struct noted *n = pl_arena_alloc(sizeof(*n));
    if (n == NULL) {
        self->note = &pl_no_note; /* each lock is told of */
        for (unsigned i = 0; i < LOITER_NOTES; i++)
            if (is_free(note->at[i].lock))
                note->at[i].lock = 1;
        return;
    }
    *n = (struct noted){.note = note, .running = self->running, .offset = self->running_offset};
    n->next = atomic_load(&first);
    while (!atomic_compare_exchange_weak(&first, &n->next, n))
        ;
}

static const void *lock_of(uintptr_t word)
{
    return (const void *)(word & ~(uintptr_t)3); /* NOLINT: a pointer with a mark */
}

static uint16_t kind_of(uintptr_t word)
{
    return (uint16_t)(LOITER_WAIT_MUTEX + (word & 3));
}

/* False: it has gone from there meanwhile. */
static int clear(struct loiter_noted *at, uintptr_t word)
{
    return __atomic_compare_exchange_n(&at->lock, &word, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

/* In the list before it goes from the note: whoever gives the lock up in its task's stead looks for
 * it there first, and drops it or leaves a mark for the list. */
static void take(struct pl_self *self, struct loiter_noted *at)
{
    uintptr_t word = __atomic_load_n(&at->lock, __ATOMIC_RELAXED);
    if (is_free(word))
        return;
    const void *lock = lock_of(word);
    const struct pl_place place = {at->pc, at->frame, at->caller};
    pl_held_push(self->actor, kind_of(word), lock, pl_stack_of_place(self, &place));
    if (!clear(at, word))
        pl_held_remove(self->actor, lock, NULL);
}

void pl_note_take(struct pl_self *self)
{
    struct loiter_note *note = self->note;
    const int later = note->later == note->left;
    take(self, &note->at[!later]);
    take(self, &note->at[later]);
}

/* The more locks there are in a time the further apart the samples, and never in step with a
 * program that takes some locks in turn. */
static uint32_t next_span(struct pl_thread *thread)
{
    const uint64_t now = pl_now(), apart = now - thread->note_at, least = pl_ticks_of_ns(APART_NS);
    thread->note_at = now;
    if (apart < least && thread->note_span < SPAN_MOST)
        thread->note_span = thread->note_span * 2 + 1;
    else if (apart > 4 * least)
        thread->note_span /= 2;
    thread->note_random = thread->note_random * 1103515245 + 12345;
    return thread->note_span + (thread->note_random >> 16) % (thread->note_span + 1);
}

/* A sample stands for those that were noted since the last. What found no room is counted as if it
 * were noted. */
uint32_t pl_note_uses(struct pl_self *self)
{
    struct loiter_note *note = self->note;
    struct pl_thread *thread = self->thread;
    if (note == &pl_no_note)
        return 0;
    if (note->left > 0) {
        note->left--;
        return 0;
    }
    const uint32_t noted = thread->note_most;
    note->left = (int32_t)(thread->note_most = next_span(thread));
    return noted + 1;
}

int pl_note_drop(const void *lock)
{
    for (struct noted *n = atomic_load(&first); n != NULL; n = n->next) {
        for (unsigned i = 0; i < LOITER_NOTES; i++) {
            struct loiter_noted *at = &n->note->at[i];
            const uintptr_t word = __atomic_load_n(&at->lock, __ATOMIC_RELAXED);
            if (!is_free(word) && lock_of(word) == lock && clear(at, word))
                return 1;
        }
    }
    return 0;
}

/* ---- from outside ---- */

static uint64_t actor_of(const struct noted *n)
{
    uintptr_t record = (uintptr_t)*n->running;
    if (record == 0)
        return 0;
    const struct loiter_task *t = (const struct loiter_task *)(record + n->offset); /* NOLINT */
    return EL_ACTOR_TASK | t->id;
}

static int is_shown(const struct noted *n)
{
    return n->cell != NULL && n->cell->state == EL_LIVE;
}

static void hide(struct noted *n)
{
    if (is_shown(n))
        el_set_state(&n->cell->state, EL_FREE);
}

static void show(struct pl_self *self, struct noted *n)
{
    const uint64_t actor = actor_of(n);
    if (n->cell == NULL)
        n->cell = el_alloc_held(&pl_log);
    if (n->cell == NULL || actor == 0)
        return;
    n->cell->actor = actor;
    n->cell->count = 0;
    for (unsigned i = 0; i < LOITER_NOTES; i++) {
        if (n->shown[i] == 0)
            continue;
        const void *const volatile *caller = &n->note->at[i].caller;
        const uintptr_t pcs[2] = {(uintptr_t)n->pc[i], (uintptr_t)*caller};
        const uint32_t k = n->cell->count++;
        n->cell->lock[k] = (uint64_t)(uintptr_t)lock_of(n->shown[i]);
        n->cell->kind[k] = kind_of(n->shown[i]);
        n->cell->stack[k] = pl_stack_of_frames(self, pcs, 2);
    }
    el_set_state(&n->cell->state, EL_LIVE);
}

/* 1: the lock is shown as it should be. */
static int look_at(struct noted *n, unsigned i, int all)
{
    const struct loiter_noted *at = &n->note->at[i];
    const uintptr_t word = __atomic_load_n(&at->lock, __ATOMIC_ACQUIRE);
    const uintptr_t lock = is_free(word) ? 0 : word;
    const void *pc = *(const void *const volatile *)&at->pc;
    const uintptr_t show = all || (lock == n->lock[i] && pc == n->pc[i]) ? lock : 0;
    const int same = show == n->shown[i] && pc == n->pc[i];
    n->lock[i] = lock;
    n->pc[i] = pc;
    n->shown[i] = show;
    return same;
}

static void look(struct pl_self *self, struct noted *n, int all)
{
    uintptr_t any = 0;
    int same = 1;
    for (unsigned i = 0; i < LOITER_NOTES; i++) {
        same &= look_at(n, i, all);
        any |= n->shown[i];
    }
    if (same && is_shown(n) == (any != 0))
        return;
    hide(n);
    if (any == 0)
        return;
    show(self, n);
    for (unsigned i = 0; i < LOITER_NOTES; i++)
        if (n->shown[i] != 0 &&
            __atomic_load_n(&n->note->at[i].lock, __ATOMIC_ACQUIRE) != n->shown[i])
            hide(n);
}

void pl_notes_show(struct pl_self *self, int all)
{
    if (atomic_load_explicit(&first, memory_order_relaxed) == NULL ||
        atomic_flag_test_and_set(&looking))
        return;
    for (struct noted *n = atomic_load(&first); n != NULL; n = n->next)
        look(self, n, all);
    atomic_flag_clear(&looking);
}

/* ---- without a record ---- */

static int resting;

void pl_notes_rest(void)
{
    resting = 1;
}

void pl_note_refill(void)
{
    struct loiter_note *note = pl_self_block.note;
    if (resting && note != &pl_no_note)
        note->left = INT32_MAX;
}

void pl_note_empty(void)
{
    struct loiter_note *note = pl_self_block.note;
    for (unsigned i = 0; resting && i < LOITER_NOTES; i++)
        if (!is_free(note->at[i].lock))
            note->at[i].lock = 0;
}

void pl_note_unread(struct loiter_note *note)
{
    if (!resting)
        return;
    pl_self_block.note = note != NULL ? note : &pl_no_note;
    pl_note_refill();
}
