/*
 * spawner.h - one more task like the thread's last one: by the same actor, from the same place.
 *
 * Each thread knows who makes tasks there, and where: that is its spawner. A task like the last is
 * told by a few words: who makes it, the call, what it is to do, and the return addresses of the
 * nearest frames. As with locks, frames further out are compared now and then, in at least one of
 * 16 tasks since the place became the thread's, one of PL_SPAWN_BATCH, and after each tick.
 *
 * Such tasks are counted together, and so are those that end: PL_SPAWN_BATCH at once, and not more
 * than one 16th of the most that lived at the place, shared by the workers. So the counts of a
 * place where few live are exact, and those of one where many do are right to so much; before the
 * spawner waits, and at the end, all are counted.
 *
 * A row is what a task makes one by one, and waits for each: how many live is right but for the one
 * that ended last, as long as no other thread makes some there, and how many were made to one 16th,
 * until the spawner does something else. While the end of its task is not announced, the next one
 * is not either: the runtime compares what pl_spawner_in_row does (loiter_worker_makes).
 *
 * The end of a task is not announced as long as it is counted with others: the runtime takes it off
 * a number (loiter_worker_spared), which is looked at when anything else is. Guard on.
 */
#ifndef PRELOAD_CORE_SPAWNER_H
#define PRELOAD_CORE_SPAWNER_H

#include <loiter.h>
#include <stdint.h>

#include "preload/core/actor.h"
#include "preload/core/call.h"
#include "preload/core/clock.h"
#include "preload/core/lineage.h"
#include "preload/core/site.h"
#include "preload/core/spawn.h"
#include "preload/core/unwind.h"
#include "preload/core/young.h"

#define PL_SPAWN_BATCH     64
#define PL_SPAWN_SURE      16
#define PL_SPAWN_ROW_SHIFT 4

/* What a runtime tells of a task that it made. */
struct pl_birth {
    struct loiter_task *task;
    void (*start)(void);
    size_t stack_bytes, capture_bytes;
    const void *caller, *arg;
    uint32_t run;
    struct pl_call call;
};

/* ---- counting ---- */

/* `n` more of the spawner. `parent`: its actor, NULL if that has ended since; the run is its own,
 * NULL if that is another place's by now. */
PL_INLINE void pl_spawner_count(struct pl_self *self, struct pl_spawner *s, uint32_t n,
                                struct pl_actor *parent, struct pl_spawn_run *run)
{
    const uint64_t live = pl_site_born(self, s->site, n, s->stack_bytes, s->now);
    if (run != NULL)
        pl_spawn_count(run, s->site, n, live);
    if (__builtin_expect(s->brood->kin.generation != 0, 0))
        pl_lineage_count(parent, s->site, s->brood->kin.generation, n);
    s->brood->own += (int32_t)n;
    if (__builtin_expect(s->deep != 0, 0)) {
        s->streak += n;
        s->unseen += n;
    }
}

/* So many of the place may be counted together, beside one that is counted at once. */
extern PL_HIDDEN uint32_t pl_spawner_shift;
PL_INLINE uint32_t pl_spawner_grant_of(const struct pl_site *site)
{
    const uint64_t most = __atomic_load_n(&site->cell->peak, __ATOMIC_RELAXED) >>
                          __atomic_load_n(&pl_spawner_shift, __ATOMIC_RELAXED);
    if (__builtin_expect(most == 0, 0))
        return 0;
    return most < PL_SPAWN_BATCH ? (uint32_t)most - 1 : PL_SPAWN_BATCH - 1;
}

/* Tasks of the present row that are not counted yet. */
PL_INLINE uint32_t pl_spawner_row(const struct pl_spawner *s)
{
    return s->row_granted - s->row->left;
}

/* All frames are compared when so many were made since they were. */
PL_INLINE uint32_t pl_spawner_sure_for(const struct pl_spawner *s)
{
    const uint32_t n = s->streak / PL_SPAWN_SURE;
    return n < PL_SPAWN_BATCH ? n : PL_SPAWN_BATCH;
}

PL_INLINE uint32_t pl_spawner_grant_at_most(const struct pl_self *self, const struct pl_spawner *s,
                                            uint32_t n)
{
    if (s->deep != 0) {
        const uint32_t sure = pl_spawner_sure_for(s);
        const uint32_t room = sure > s->unseen ? sure - s->unseen : 0;
        n = n < room ? n : room;
    }
    return n < self->until_sample ? n : self->until_sample;
}

PL_INLINE void pl_spawner_grant(const struct pl_self *self, struct pl_spawner *s)
{
    s->left = s->granted = pl_spawner_grant_at_most(self, s, pl_spawner_grant_of(s->site));
}

/* A row begins after one of which `live` live, itself included: few do, and none is counted
 * together with others. 0: another thread counted meanwhile. */
PL_INLINE void pl_spawner_grant_row(const struct pl_self *self, struct pl_spawner *s, uint64_t live)
{
    const uint64_t most = live == 0 ? 0 : s->site->cell->count >> PL_SPAWN_ROW_SHIFT;
    s->row_others = live - 1;
    s->row->left = s->row_granted = pl_spawner_grant_at_most(
        self, s, most < PL_SPAWN_BATCH ? (uint32_t)most : PL_SPAWN_BATCH - 1);
}

/* The end of a row's task is announced, and the next one is. */
PL_INLINE void pl_row_is_announced(struct pl_spawner *s)
{
    s->row_ends = &pl_row_announced;
    s->row->tick = LOITER_NO_TICK;
}

/* So many may end unannounced; none, while one is shown that its end has to hide. */
PL_INLINE void pl_ender_grants(struct pl_thread *thread, uint64_t n)
{
    struct pl_ender *e = &thread->ender;
    e->at->young = pl_young_any_shown() ? PL_NO_YOUNG : (void *)e->word; /* NOLINT: with a mark */
    e->at->ends = e->granted = n;
    pl_row_is_announced(&thread->spawner);
}
PL_INLINE void pl_ender_forgets(struct pl_thread *thread)
{
    thread->ender.word = 0;
    pl_ender_grants(thread, 0);
}

/* ---- is it like the last one? ---- */

PL_INLINE int pl_spawner_fits(const struct pl_spawner *s, const struct loiter_task *parent,
                              void (*start)(void), size_t stack_bytes, size_t capture_bytes,
                              const void *caller, uintptr_t sp)
{
    if (parent == NULL || parent->id != s->task || s->sp != sp || s->caller != (uintptr_t)caller ||
        s->start != start || s->stack_bytes != stack_bytes || s->capture_bytes != capture_bytes)
        return 0;
#pragma GCC unroll 3
    for (int i = 0; i < PL_SPAWNER_NEAR; i++)
        if (pl_plain_address(*s->near[i].at) != s->near[i].word)
            return 0;
    return 1;
}

/* One more of those that are counted together, where there was no tick. 0: all else is not as it
 * was then, and nothing was written. */
PL_INLINE int pl_spawner_goes_on(const struct pl_self *self, struct pl_spawner *s,
                                 struct loiter_task *t)
{
    if (s->left == 0 || self->now != s->now)
        return 0;
    s->left--;
    t->tool = (void *)s->word; /* NOLINT: a pointer with a mark */
    return 1;
}

PL_HIDDEN int pl_spawner_is_deep_place(struct pl_self *self, uintptr_t pc);
PL_HIDDEN int pl_spawner_renew(struct pl_self *self, uint64_t tick);

/* One that fits, while the thread's time has moved or there is something to be counted. 0: it
 * cannot be young. */
PL_INLINE int pl_spawner_again(struct pl_self *self, struct loiter_task *t)
{
    struct pl_spawner *s = &self->thread->spawner;
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    if (tick == 0 || self->until_sample <= s->granted - s->left + pl_spawner_row(s) ||
        s->run->site != s->site)
        return 0;
    if (s->granted != s->left || pl_spawner_row(s) != 0)
        pl_spawner_settle(self);
    if (__builtin_expect(s->deep != 0, 0) &&
        (s->unseen >= pl_spawner_sure_for(s) || s->tick != tick) &&
        !pl_spawner_is_deep_place(self, s->pc))
        return 0;
    if (s->now != self->now || s->tick != tick) {
        struct pl_brood *b = s->brood;
        if (b->own != 0 || !pl_brood_is_over(b)) {
            if (!pl_spawner_renew(self, tick))
                return 0;
        } else {
            s->tick = tick;
            s->now = b->created_at = pl_stamp_from(self, tick);
            b->kin.made_in = s->actor->rounds;
        }
    }
    self->until_sample--;
    const uint32_t pressed = s->run->pressed;
    pl_spawner_count(self, s, 1, s->actor, s->run);
    t->tool = (void *)s->word; /* NOLINT: a pointer with a mark */
    pl_spawner_grant(self, s);
    const struct el_site *cell = s->site->cell;
    if (pressed && s->granted == 0 && s->brood->own == 1 && s->brood->kin.generation == 0 &&
        __atomic_load_n(&cell->peak, __ATOMIC_RELAXED) < PL_SITE_FEW)
        pl_spawner_grant_row(self, s, __atomic_load_n(&cell->live, __ATOMIC_RELAXED));
    return 1;
}

/* The task of a row lives: it may end here without more ado. */
PL_INLINE void pl_spawner_row_lives(struct pl_thread *thread)
{
    struct pl_spawner *s = &thread->spawner;
    const struct pl_ender *e = &thread->ender;
    s->brood->own = 1;
    __atomic_store_n(s->live, s->row_others + 1, __ATOMIC_RELAXED);
    if (e->word == s->word && e->granted == 0) {
        pl_ender_grants(thread, 1);
        s->row_ends = s->row->ends = &e->at->ends;
        s->row->tick = s->tick;
    }
}

/* The task of a row ended, or grew up. */
PL_INLINE void pl_spawner_row_ends(struct pl_thread *thread)
{
    struct pl_spawner *s = &thread->spawner;
    s->brood->own = 0;
    __atomic_store_n(s->live, s->row_others, __ATOMIC_RELAXED);
    if (thread->ender.word == s->word)
        pl_ender_grants(thread, 0);
}

/* One more of a row, where there was no tick. 0: it is another case, and nothing was written. */
PL_INLINE int pl_spawner_in_row(struct pl_self *self, struct pl_thread *thread,
                                struct loiter_task *t)
{
    struct pl_spawner *s = &thread->spawner;
    const struct pl_spawn_run *run = s->run;
    if (s->row->left == 0 || !run->pressed || run->site != s->site)
        return 0;
    if (*s->row_ends == 0) {
        *s->row_ends = 1;
    } else {
        if (s->brood->own != 0)
            return 0;
        pl_spawner_row_lives(thread);
    }
    atomic_signal_fence(memory_order_seq_cst); /* what was looked at takes no register any more */
    s->row->left--;
    s->run->pressed = 0;
    struct pl_brood *b = s->brood;
    b->created_at = ++self->now;
    b->kin.made_in = s->actor->rounds;
    t->tool = (void *)s->word; /* NOLINT: a pointer with a mark */
    return 1;
}

/* One where there is least to do: nothing is counted together, none of the brood lives, and
 * the place's counters are this thread's. Calls nothing. 0: it is another case, and nothing was
 * written. */
PL_INLINE int pl_spawner_one(struct pl_self *self, struct loiter_task *t)
{
    struct pl_spawner *s = &self->thread->spawner;
    struct pl_spawn_run *run = s->run;
    struct pl_site *site = s->site;
    struct pl_brood *b = s->brood;
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    if (s->granted != 0 || pl_spawner_row(s) != 0 || self->until_sample == 0 || self->stamps == 0 ||
        tick == 0 || run->site != site || b->own != 0 || b->kin.generation != 0 ||
        !pl_brood_is_over(b) || !pl_site_is_simple(site, self->thread, s->stack_bytes))
        return 0;
    if (s->deep != 0) {
        if (s->unseen >= pl_spawner_sure_for(s) || s->tick != tick)
            return 0;
        s->streak++;
        s->unseen++;
    }
    self->until_sample--;
    s->tick = tick;
    s->now = b->created_at = pl_stamp_from(self, tick);
    b->kin.made_in = s->actor->rounds;
    b->own = 1;
    const uint32_t pressed = run->pressed;
    const uint64_t live = pl_site_born_simply(site, s->stack_bytes, s->now);
    pl_spawn_count(run, site, 1, live);
    if (pressed)
        pl_spawner_grant_row(self, s, live);
    t->tool = (void *)s->word; /* NOLINT: a pointer with a mark */
    return 1;
}

/* The place, with its site, is the spawner's from now on, and the task the first there. 0: it
 * cannot be young. */
PL_HIDDEN int pl_spawner_begin(struct pl_self *self, const struct pl_birth *b, struct pl_site *site,
                               uint32_t stack);

/* ---- the end of a young task ---- */

/* One that is counted at once, while none is left to be counted. */
PL_INLINE void pl_ender_one(struct pl_thread *thread, struct loiter_task *t, struct pl_brood *b)
{
    t->tool = NULL;
    pl_site_died(b->site, thread, 1);
    pl_ender_grants(thread, pl_spawner_grant_of(b->site));
    if (pl_brood_leave(thread, b, 1))
        pl_ender_forgets(thread);
}

/* Of the same brood as the last one that ended here. 0: it is not, and nothing was written. The
 * second calls nothing: the task was made on this thread, and the place's counters are its own. */
PL_INLINE int pl_ender_is_of_last(const struct pl_thread *thread, const struct loiter_task *t)
{
    const struct pl_ender *e = &thread->ender;
    return (uintptr_t)t->tool == e->word && t->tool != NULL && !pl_young_any_shown();
}
PL_INLINE int pl_ender_is_of_row(const struct pl_thread *thread, uintptr_t word)
{
    return pl_spawner_row(&thread->spawner) != 0 && thread->spawner.word == word;
}
PL_INLINE int pl_ender_more(struct pl_thread *thread, struct loiter_task *t)
{
    const struct pl_ender *e = &thread->ender;
    if (!pl_ender_is_of_last(thread, t) || e->granted != 0 || pl_ender_is_of_row(thread, e->word))
        return 0;
    pl_ender_one(thread, t, pl_brood_at(e->word));
    return 1;
}
PL_INLINE int pl_ender_more_quickly(struct pl_thread *thread, struct loiter_task *t)
{
    const struct pl_ender *e = &thread->ender;
    if (!pl_ender_is_of_last(thread, t))
        return 0;
    if (pl_ender_is_of_row(thread, e->word)) {
        pl_spawner_row_ends(thread);
        t->tool = NULL;
        return 1;
    }
    if (e->at->ends != 0) {
        t->tool = NULL;
        e->at->ends--;
        e->at->young = (void *)e->word; /* NOLINT: a pointer with a mark */
        return 1;
    }
    struct pl_brood *b = pl_brood_at(e->word);
    if (e->granted != 0 || b->maker != thread || b->closed ||
        !pl_tally_is_of(&b->site->ended, thread) ||
        __atomic_load_n(&b->site->cell->peak, __ATOMIC_RELAXED) >= PL_SITE_FEW)
        return 0;
    t->tool = NULL;
    b->own--;
    pl_site_loses(b->site, pl_tally_own(&b->site->ended, 1));
    return 1;
}

/* Of any brood. */
PL_HIDDEN void pl_ender_ends(struct pl_self *self, struct loiter_task *t, struct pl_brood *b);

/* ---- threads ---- */

/* The thread ends. */
PL_HIDDEN void pl_spawner_finish(struct pl_self *self);

/* pl_sites_settle, with what the threads have not counted yet. */
PL_HIDDEN void pl_spawners_settle(void);

/* The runtime has such words for the thread; NULL: no more. */
PL_HIDDEN void pl_spared_begin(struct pl_thread *thread, struct loiter_spared *spared);
PL_HIDDEN void pl_making_begin(struct pl_thread *thread, struct loiter_making *making);

/* The next that ends, on whatever thread, is announced. */
PL_HIDDEN void pl_enders_withdraw(void);

/* How many workers share a run. */
PL_HIDDEN void pl_spawner_workers(unsigned workers);

#endif
