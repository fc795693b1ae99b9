/* spawner.c - see spawner.h. */
#include "preload/core/spawner.h"

#include "preload/core/record.h"
#include "preload/core/stack.h"
#include "preload/core/thread.h"

#define EXACT_SHIFT 4 /* one 16th */
_Static_assert(PL_SITE_FEW == 1 << EXACT_SHIFT, "they are counted at once");

uint32_t pl_spawner_shift = EXACT_SHIFT;
uint64_t pl_row_announced = 1;

void pl_spawner_workers(unsigned workers)
{
    uint32_t bits = EXACT_SHIFT;
    for (unsigned n = 1; n < workers && bits < 31; n *= 2)
        bits++;
    __atomic_store_n(&pl_spawner_shift, bits, __ATOMIC_RELAXED);
}

/* ---- counting ---- */

static void ender_settle(struct pl_thread *thread)
{
    struct pl_ender *e = &thread->ender;
    const uint64_t n = e->granted - e->at->ends;
    if (n == 0)
        return;
    if (pl_ender_is_of_row(thread, e->word)) {
        pl_spawner_row_ends(thread);
        return;
    }
    struct pl_brood *b = pl_brood_at(e->word);
    e->granted = e->at->ends;
    pl_site_died(b->site, thread, n);
    if (pl_brood_leave(thread, b, (int32_t)n))
        pl_ender_forgets(thread);
}

/* Each was made after the one before had ended that wait. */
static void row_settle(struct pl_self *self)
{
    struct pl_spawner *s = &self->thread->spawner;
    const uint32_t n = pl_spawner_row(s);
    if (n == 0) {
        s->row->left = s->row_granted = 0;
        return;
    }
    ender_settle(self->thread);
    if (self->thread->ender.word == s->word)
        pl_ender_grants(self->thread, 0); /* it was that row's */
    s->row->left = s->row_granted = 0;
    self->until_sample -= n < self->until_sample ? n : self->until_sample;
    s->now = s->brood->created_at;
    pl_tally(&s->site->ended, self->thread, n - (uint32_t)s->brood->own);
    pl_site_born(self, s->site, n, s->stack_bytes, s->now);
    el_count(&s->site->cell->backpressure, n);
    if (s->deep != 0) {
        s->streak += n;
        s->unseen += n;
    }
}

void pl_ender_ends(struct pl_self *self, struct loiter_task *t, struct pl_brood *b)
{
    struct pl_thread *thread = self->thread;
    ender_settle(thread);
    if (b == thread->spawner.brood)
        row_settle(self);
    thread->ender.word = (uintptr_t)b | PL_YOUNG;
    pl_ender_one(thread, t, b);
    pl_young_hide(EL_ACTOR_TASK | t->id);
}

static void made_settle(struct pl_self *self)
{
    struct pl_spawner *s = &self->thread->spawner;
    const uint32_t n = s->granted - s->left;
    row_settle(self);
    s->granted = s->left;
    if (n == 0)
        return;
    /* Its actor may have ended since they were made, on another thread. */
    struct pl_actor *parent = s->actor->id == s->parent ? s->actor : NULL;
    self->until_sample -= n < self->until_sample ? n : self->until_sample;
    pl_spawner_count(self, s, n, parent, parent != NULL && s->run->site == s->site ? s->run : NULL);
}

void pl_spawner_settle(struct pl_self *self)
{
    ender_settle(self->thread);
    made_settle(self);
}

/* ---- the spawner's place and brood ---- */

int pl_spawner_is_deep_place(struct pl_self *self, uintptr_t pc)
{
    struct pl_spawner *s = &self->thread->spawner;
    const uintptr_t place = pl_stack_place(s->actor->stack_lo, s->actor->stack_hi, s->sp);
    s->unseen = 0;
    return pl_stack_known_in(self, s->slot, place, (struct pl_call){pc, s->sp, 0}, s->caller) ==
           s->stack;
}

/* NULL: no memory. */
static struct pl_brood *brood_begin(struct pl_self *self, const struct pl_kin *kin, uint64_t token,
                                    uint64_t tick)
{
    struct pl_spawner *s = &self->thread->spawner;
    struct pl_brood *b = pl_brood_take(self->thread);
    s->brood = b;
    if (b == NULL)
        return NULL;
    s->word = (uintptr_t)b | PL_YOUNG;
    s->row->young = (void *)s->word; /* NOLINT: a pointer with a mark */
    s->row->made_at = &b->created_at;
    s->row->made_in = &b->kin.made_in;
    s->tick = tick;
    s->now = pl_stamp_from(self, tick);
    b->site = s->site;
    b->creator = s->parent;
    b->created_at = s->now;
    b->kin = *kin;
    b->kin.made_in = s->actor->rounds;
    b->token = token;
    return b;
}

static void spawner_end(struct pl_self *self)
{
    struct pl_spawner *s = &self->thread->spawner;
    made_settle(self);
    if (s->brood != NULL)
        pl_brood_close(self->thread, s->brood);
    s->brood = NULL;
    s->task = s->parent = 0;
    s->sp = 0; /* no call is from there */
    s->left = s->granted = 0;
}

/* The thread's time has moved, and some of the brood live: one of this time. 0: no memory. */
int pl_spawner_renew(struct pl_self *self, uint64_t tick)
{
    struct pl_spawner *s = &self->thread->spawner;
    const struct pl_kin kin = s->brood->kin;
    const uint64_t token = s->brood->token;
    pl_brood_close(self->thread, s->brood);
    if (brood_begin(self, &kin, token, tick) != NULL)
        return 1;
    spawner_end(self);
    return 0;
}

/* The frames by which the place is told. */
static void frames_learn(struct pl_spawner *s, const struct pl_stack_entry *e)
{
    const uint32_t first = pl_stack_beyond(e, s->caller);
    for (uint32_t i = 0; i < PL_SPAWNER_NEAR; i++) {
        const uint32_t from = first + i < e->n ? first + i : first;
        s->near[i].word = e->n != 0 ? e->words[from].word : 0;
        s->near[i].at =
            e->n != 0 ? (const uintptr_t *)s->sp + e->words[from].offset : &s->near[i].word;
    }
    s->deep = e->n > first + PL_SPAWNER_NEAR ? e->n - first - PL_SPAWNER_NEAR : 0;
}

/* What the runtime compares. */
static void row_learn(struct pl_self *self, struct pl_spawner *s, const struct pl_birth *b)
{
    struct loiter_making *m = s->row;
    m->caller = b->caller;
    m->start = b->start;
    m->stack_bytes = b->stack_bytes;
    m->capture_bytes = b->capture_bytes;
    m->maker = s->task;
    m->clock = (const uint64_t *)(const void *)&pl_coarse;
    m->pressed = &s->run->pressed;
    m->pressed_as = pl_spawn_pressing(s->site);
    m->rounds = &s->actor->rounds;
    m->now = &self->now;
    for (uint32_t i = 0; i < PL_SPAWNER_NEAR; i++) {
        m->at[i] = s->near[i].at;
        m->word[i] = *m->at[i];
    }
}

static void place_learn(struct pl_spawner *s, const struct pl_birth *b)
{
    s->pc = b->call.pc;
    s->sp = b->call.sp;
    s->caller = (uintptr_t)b->caller;
    s->start = b->start;
    s->stack_bytes = b->stack_bytes;
    s->capture_bytes = b->capture_bytes;
    s->streak = s->unseen = 0;
}

/* The thread's entry for the place, if the place is one whose tasks are alike. */
static const struct pl_stack_entry *entry_of(const struct pl_self *self, const struct pl_birth *b,
                                             const struct pl_site *site, uint32_t stack)
{
    if (self->thread->stacks == NULL || site->start != (uint64_t)(uintptr_t)b->start ||
        site->capture_bytes != b->capture_bytes || b->stack_bytes > UINT32_MAX)
        return NULL;
    const uint32_t slot = pl_stack_slot_of(self, b->call, (uintptr_t)b->caller, stack);
    const struct pl_stack_entry *e = &self->thread->stacks->entries[slot];
    const uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, b->call.sp);
    return pl_stack_match(e, b->call, place, (uintptr_t)b->caller) == stack ? e : NULL;
}

int pl_spawner_begin(struct pl_self *self, const struct pl_birth *b, struct pl_site *site,
                     uint32_t stack)
{
    struct pl_spawner *s = &self->thread->spawner;
    struct pl_actor *parent = self->actor;
    const uint64_t tick = atomic_load_explicit(&pl_coarse, memory_order_relaxed);
    if (pl_young_each == NULL || tick == 0 || self->until_sample == 0 || stack == 0)
        return 0;
    spawner_end(self);
    const struct pl_stack_entry *e = entry_of(self, b, site, stack);
    struct pl_spawn_run *run = e == NULL ? NULL : pl_spawn_run_of(parent, site);
    if (run == NULL)
        return 0;
    const struct pl_line older = pl_lineage_other(parent, site);
    const struct pl_kin kin = {.older = older.site,
                               .generation = pl_lineage_of(parent, site),
                               .older_generation = older.generation,
                               .epoch = pl_epoch,
                               .run = b->run,
                               .stack_bytes = (uint32_t)b->stack_bytes};
    s->actor = parent;
    s->site = site;
    s->live = &site->cell->live;
    s->run = run;
    s->stack = stack;
    s->slot = (uint32_t)(e - self->thread->stacks->entries);
    s->parent = parent->id;
    if (brood_begin(self, &kin, pl_token(self->thread), tick) == NULL) {
        spawner_end(self);
        return 0;
    }
    /* One that is made by no task is looked at each time. */
    if (el_actor_is_task(parent->id)) {
        s->task = parent->id & ~EL_ACTOR_TASK;
        place_learn(s, b);
        frames_learn(s, e);
        row_learn(self, s, b);
    }
    self->until_sample--;
    pl_spawner_count(self, s, 1, parent, run);
    b->task->tool = (void *)s->word; /* NOLINT: a pointer with a mark */
    pl_spawner_grant(self, s);
    return 1;
}

void pl_spared_begin(struct pl_thread *thread, struct loiter_spared *spared)
{
    struct pl_ender *e = &thread->ender;
    struct loiter_spared *from = e->at, *to = spared != NULL ? spared : &e->own;
    if (from == to)
        return;
    *to = *from;
    *from = (struct loiter_spared){NULL, 0, NULL};
    e->at = to;
    pl_row_is_announced(&thread->spawner);
}

void pl_making_begin(struct pl_thread *thread, struct loiter_making *making)
{
    struct pl_spawner *s = &thread->spawner;
    struct loiter_making *from = s->row, *to = making != NULL ? making : &s->own_row;
    if (from == to)
        return;
    *to = *from;
    *from = (struct loiter_making){0};
    __atomic_store_n(&s->row, to, __ATOMIC_RELAXED);
    pl_row_is_announced(s);
}

void pl_spawner_finish(struct pl_self *self)
{
    struct pl_ender *e = &self->thread->ender;
    pl_spared_begin(self->thread, NULL);
    pl_making_begin(self->thread, NULL);
    if (self->thread->spawner.word == 0 && e->word == 0)
        return; /* no task was ever made or ended here */
    ender_settle(self->thread);
    spawner_end(self);
    pl_ender_forgets(self->thread);
}

/* ---- all threads' ---- */

static void spared_withdraw(struct pl_thread *thread, void *ctx)
{
    (void)ctx;
    __atomic_store_n(&__atomic_load_n(&thread->ender.at, __ATOMIC_RELAXED)->young, PL_NO_YOUNG,
                     __ATOMIC_RELAXED);
}

void pl_enders_withdraw(void)
{
    pl_thread_each(spared_withdraw, NULL);
}

static uint32_t used(uint64_t granted, uint64_t left)
{
    return granted > left ? (uint32_t)(granted - left) : 0;
}

/* Of a thread that may be another, which goes on: it is not counted, only known of. */
static void late_add(struct pl_thread *thread, void *ctx)
{
    (void)ctx;
    struct pl_site *made_at = __atomic_load_n(&thread->spawner.site, __ATOMIC_RELAXED);
    const struct loiter_spared *spared = __atomic_load_n(&thread->ender.at, __ATOMIC_RELAXED);
    const uintptr_t word = __atomic_load_n(&thread->ender.word, __ATOMIC_RELAXED);
    if (made_at != NULL) {
        const struct pl_brood *b = __atomic_load_n(&thread->spawner.brood, __ATOMIC_RELAXED);
        const struct loiter_making *of = __atomic_load_n(&thread->spawner.row, __ATOMIC_RELAXED);
        const uint32_t row = used(thread->spawner.row_granted, of->left);
        made_at->late_made += used(thread->spawner.granted, thread->spawner.left) + row;
        made_at->late_ended += row != 0 && b != NULL && b->own != 0 ? row - 1 : row;
    }
    if (word != 0)
        pl_brood_at(word)->site->late_ended += used(thread->ender.granted, spared->ends);
}

void pl_spawners_settle(void)
{
    pl_sites_late();
    pl_thread_each(late_add, NULL);
    pl_sites_settle();
}
