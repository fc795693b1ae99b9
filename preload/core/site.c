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
_Static_assert(PL_SITE_FEW < POPULATION_FROM, "they make no event");

static struct pl_map sites;

void pl_sites_reset(void)
{
    pl_map_init(&sites, 11);
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

uint64_t pl_tally_share(struct pl_tally *tally, const struct pl_thread *thread, uint64_t n)
{
    const struct pl_thread *nobody = NULL;
    if (atomic_compare_exchange_strong(&tally->owner, &nobody, thread))
        return pl_tally(tally, thread, n);
    return pl_tally_others(tally, n);
}

void pl_site_add(struct pl_site *site, uint64_t ticks, uint64_t now)
{
    struct el_site *cell = site->cell;
    el_count(&cell->count, 1);
    el_count(&cell->ticks, ticks);
    pl_raise(&cell->ticks_max, ticks);
    pl_raise(&cell->last_at, now);
}

void pl_site_bytes_differ(struct pl_site *site, uint64_t n, uint64_t bytes, uint64_t total)
{
    if (site->bytes_each == 0 && bytes != 0 && total == n) {
        __atomic_store_n(&site->bytes_each, bytes, __ATOMIC_RELAXED);
        __atomic_store_n(&site->cell->bytes, n * bytes, __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&site->bytes_each, UINT64_MAX, __ATOMIC_RELAXED);
    el_count(&site->cell->bytes, n * bytes);
}

static int site_late(void *value, void *ctx)
{
    struct pl_site *site = value;
    (void)ctx;
    site->late_made = site->late_ended = 0;
    return 0;
}

void pl_sites_late(void)
{
    pl_map_each(&sites, site_late, NULL);
}

static int site_settle(void *value, void *ctx)
{
    struct pl_site *site = value;
    uint64_t *tasks = ctx;
    uint64_t gone = pl_tally_sum(&site->ended) + site->late_ended;
    uint64_t total = pl_tally_sum(&site->made) + site->late_made;
    if (total != 0) {
        __atomic_store_n(&site->cell->count, total, __ATOMIC_RELAXED);
        __atomic_store_n(&site->cell->live, pl_site_live(total, gone), __ATOMIC_RELAXED);
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

void pl_site_populated(struct pl_self *self, struct pl_site *site, uint64_t live, uint64_t total)
{
    uint64_t due = atomic_load_explicit(&site->next_pop, memory_order_relaxed);
    if (live < due || !atomic_compare_exchange_strong(&site->next_pop, &due, due * 2))
        return;
    const struct el_site *cell = site->cell;
    struct el_population event = {
        .site_kind = cell->kind, .stack = cell->stack, .live = live, .total = total};
    PL_WRITE(self, population, &event);
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
