/* site.c - see site.h. */
#include "preload/core/site.h"

#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/window.h"

#define POPULATION_FROM 64

static struct pl_map sites;

void pl_sites_reset(void)
{
    pl_map_init(&sites, 14);
}

struct wanted {
    enum el_site_kind kind;
    uint32_t stack, stack2;
};

static void *site_make(void *arg)
{
    const struct wanted *w = arg;
    struct el_site *cell = el_alloc_site(&pl_log);
    struct pl_site *site = cell == NULL ? NULL : pl_arena_alloc(sizeof(*site));
    if (site == NULL) {
        el_free_site(&pl_log, cell);
        return NULL;
    }
    site->cell = cell;
    atomic_store(&site->next_pop, POPULATION_FROM);
    cell->kind = w->kind;
    cell->stack = w->stack;
    cell->stack2 = w->stack2;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    return site;
}

struct pl_site *pl_site_get(enum el_site_kind kind, uint32_t stack, uint32_t stack2)
{
    struct wanted w = {kind, stack, stack2};
    uint64_t key = (uint64_t)kind << 56 ^ (uint64_t)stack << 28 ^ stack2;
    return pl_map_get(&sites, key, site_make, &w);
}

void pl_raise(uint64_t *to, uint64_t value)
{
    uint64_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
    while (old < value &&
           !__atomic_compare_exchange_n(to, &old, value, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

uint64_t pl_tally_share(struct pl_tally *tally, const struct pl_thread *thread)
{
    const struct pl_thread *nobody = NULL;
    if (atomic_compare_exchange_strong(&tally->owner, &nobody, thread))
        return pl_tally(tally, thread);
    return __atomic_add_fetch(&tally->others, 1, __ATOMIC_RELAXED) +
           __atomic_load_n(&tally->own, __ATOMIC_RELAXED);
}

void pl_site_add(struct pl_site *site, uint64_t ticks, uint64_t bytes)
{
    struct el_site *cell = site->cell;
    el_count(&cell->count, 1);
    if (bytes != 0)
        el_count(&cell->bytes, bytes);
    el_count(&cell->ticks, ticks);
    pl_raise(&cell->ticks_max, ticks);
    pl_raise(&cell->last_at, pl_now());
}

/* Where all have the same size, their sum needs no counter of its own. */
static void site_add_bytes(struct pl_site *site, uint64_t bytes, uint64_t total)
{
    struct el_site *cell = site->cell;
    uint64_t each = __atomic_load_n(&site->bytes_each, __ATOMIC_RELAXED);
    if (each == 0 && bytes != 0 && total == 1) {
        each = bytes;
        __atomic_store_n(&site->bytes_each, bytes, __ATOMIC_RELAXED);
    }
    if (each == bytes) {
        __atomic_store_n(&cell->bytes, total * bytes, __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&site->bytes_each, UINT64_MAX, __ATOMIC_RELAXED);
    el_count(&cell->bytes, bytes);
}

/* Another thread may have made one, and ended it, since the first was counted. */
static uint64_t live_of(uint64_t made, uint64_t ended)
{
    return made > ended ? made - ended : 0;
}

static int site_settle(void *value, void *ctx)
{
    struct pl_site *site = value;
    uint64_t *tasks = ctx;
    uint64_t gone = pl_tally_sum(&site->ended), total = pl_tally_sum(&site->made);
    if (total != 0) {
        __atomic_store_n(&site->cell->count, total, __ATOMIC_RELAXED);
        __atomic_store_n(&site->cell->live, live_of(total, gone), __ATOMIC_RELAXED);
        if (site->cell->kind == EL_SITE_TASK)
            *tasks += total;
    }
    return 0;
}

void pl_sites_settle(void)
{
    uint64_t tasks = 0;
    pl_map_each(&sites, site_settle, &tasks);
    pl_raise(&pl_log.summary->tasks, tasks);
}

uint64_t pl_site_born(struct pl_self *self, struct pl_site *site, uint64_t bytes, uint64_t now)
{
    struct el_site *cell = site->cell;
    uint64_t total = pl_tally(&site->made, self->thread);
    uint64_t live = live_of(total, pl_tally_sum(&site->ended));
    __atomic_store_n(&cell->count, total, __ATOMIC_RELAXED);
    __atomic_store_n(&cell->live, live, __ATOMIC_RELAXED);
    site_add_bytes(site, bytes, total);
    __atomic_store_n(&cell->last_at, now, __ATOMIC_RELAXED);
    if (live > __atomic_load_n(&cell->peak, __ATOMIC_RELAXED)) {
        __atomic_store_n(&cell->peak, live, __ATOMIC_RELAXED);
        __atomic_store_n(&cell->peak_at, now, __ATOMIC_RELAXED);
    }
    uint64_t due = atomic_load_explicit(&site->next_pop, memory_order_relaxed);
    if (live >= due && atomic_compare_exchange_strong(&site->next_pop, &due, due * 2)) {
        struct el_population event = {
            .site_kind = cell->kind, .stack = cell->stack, .live = live, .total = total};
        PL_WRITE(self, population, &event);
    }
    return live;
}

void pl_site_died(struct pl_site *site)
{
    uint64_t gone = pl_tally(&site->ended, pl_self_block.thread);
    __atomic_store_n(&site->cell->live, live_of(pl_tally_sum(&site->made), gone), __ATOMIC_RELAXED);
}

/*
 * An event costs 1/rate seconds; `paid` says up to when the place's time is spent. A place that is
 * at most `burst` events ahead of the clock may write.
 */
int pl_site_budget(struct pl_site *site, uint64_t now)
{
    unsigned thinning = pl_window_thinning(now);
    if (thinning == PL_THIN_NONE)
        return 0;
    uint64_t price = (pl_log.clock_hz / pl_options.event_rate) << thinning;
    uint64_t ahead = price * pl_options.event_burst;
    uint64_t paid = atomic_load_explicit(&site->paid, memory_order_relaxed);
    for (;;) {
        uint64_t from = paid < now ? now : paid;
        if (from - now + price > ahead)
            return 0;
        if (atomic_compare_exchange_weak(&site->paid, &paid, from + price))
            return 1;
    }
}
