/* contention.c - see contention.h. */
#include "preload/core/contention.h"

#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/spread.h"
#include "preload/core/stack.h"

#define WEIGHT_LEAST 16 /* uses that are a sample by themselves */
#define APART_LEAST  3

void pl_contention_waited(uint32_t stack, uint64_t ticks, uint64_t now)
{
    pl_spread_note(EL_SPREAD_LOCK_WAIT, stack, 1, ticks, now);
}

/* A thread's first samples lie closer: of one that takes few locks something is known too. */
static uint32_t apart(const struct pl_contention *c)
{
    if (c->apart < APART_LEAST)
        return APART_LEAST;
    return c->apart < PL_LOCK_EVERY ? c->apart : PL_LOCK_EVERY;
}

void pl_contention_stands_for(struct pl_self *self, uint32_t uses)
{
    struct pl_contention *c = &self->thread->contention;
    c->next = 0;
    if (uses >= WEIGHT_LEAST) {
        c->next = uses;
    } else {
        c->uses += uses;
        if (c->uses >= apart(c)) {
            c->next = c->uses;
            c->uses = 0;
            c->apart = 2 * apart(c) + 1;
        }
    }
}

uint32_t pl_contention_place(struct pl_self *self, struct pl_call call, const void *first)
{
    uint32_t uses, stack = pl_stack_often_counted(self, call, first, &uses);
    pl_contention_stands_for(self, uses + 1);
    return stack;
}

void pl_contention_sample(struct pl_self *self, const void *lock, uint32_t stack, uint32_t weight)
{
    struct pl_contention *c = &self->thread->contention;
    pl_contention_flush(self);
    c->lock = (uintptr_t)lock;
    c->actor = self->actor->id;
    c->stack = stack;
    c->weight = weight;
    c->taken_at = pl_now();
}

/* One that was held for `ticks` and stands for `weight`. */
static void add_held(uint32_t stack, uint32_t weight, uint64_t ticks, uint64_t now)
{
    struct pl_site *site = pl_site_get(EL_SITE_LOCK, stack, 0);
    if (site == NULL)
        return;
    el_count(&site->cell->count, weight);
    el_count(&site->cell->ticks, weight * ticks);
    pl_raise(&site->cell->ticks_max, ticks);
    pl_raise(&site->cell->last_at, now);
}

void pl_contention_had(uint32_t stack, uint64_t ticks, uint64_t now)
{
    pl_spread_note(EL_SPREAD_LOCK_HELD, stack, 1, ticks, now);
    add_held(stack, 1, ticks, now);
}

void pl_contention_had_too(uint32_t stack)
{
    struct pl_site *site = pl_site_get(EL_SITE_LOCK, stack, 0);
    if (site != NULL)
        el_count(&site->cell->count, 1);
}

void pl_contention_flush(struct pl_self *self)
{
    struct pl_contention *c = &self->thread->contention;
    if (c->held == 0)
        return;
    uint64_t now = pl_now();
    pl_spread_note(EL_SPREAD_LOCK_HELD, c->stack, PL_LOCK_EVERY, c->held, now);
    add_held(c->stack, c->weight, c->held, now);
    c->held = 0;
}
