/* spread.c - see spread.h. */
#include "preload/core/spread.h"

#include "eventlog/spread.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/record.h"
#include "preload/core/site.h"

static struct pl_map spreads;

void pl_spreads_reset(void)
{
    pl_map_init(&spreads, 10);
}

struct wanted {
    enum el_spread_kind kind;
    uint32_t stack, every;
};

static void *spread_make(void *arg)
{
    const struct wanted *w = arg;
    struct el_spread *cell = el_alloc_spread(&pl_log);
    struct pl_spread *spread = cell == NULL ? NULL : pl_arena_alloc(sizeof(*spread));
    if (spread == NULL) {
        el_free_spread(&pl_log, cell);
        return NULL;
    }
    spread->cell = cell;
    cell->kind = w->kind;
    cell->stack = w->stack;
    cell->every = w->every;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    return spread;
}

struct pl_spread *pl_spread_get(enum el_spread_kind kind, uint32_t stack, uint32_t every)
{
    struct wanted w = {kind, stack, every};
    return pl_map_get(&spreads, (uint64_t)kind << 32 | stack, spread_make, &w);
}

/* `count`: with the `more` that came now. Who comes in while another begins the next second may be
 * counted in neither. */
static void count_second(struct pl_spread *spread, uint64_t count, uint32_t more, uint64_t now)
{
    uint64_t second = now / pl_log.clock_hz + 1;
    uint64_t counted = atomic_load_explicit(&spread->second, memory_order_relaxed);
    if (counted < second && atomic_compare_exchange_strong(&spread->second, &counted, second))
        atomic_store_explicit(&spread->before, count - more, memory_order_relaxed);
    uint64_t n = count - atomic_load_explicit(&spread->before, memory_order_relaxed);
    if (n > count)
        return;
    if (n > __atomic_load_n(&spread->cell->busiest, __ATOMIC_RELAXED)) {
        pl_raise(&spread->cell->busiest, n);
        __atomic_store_n(&spread->cell->busiest_at, now, __ATOMIC_RELAXED);
    }
}

void pl_spread_add_many(struct pl_spread *spread, uint32_t n, uint64_t ns, uint64_t now)
{
    struct el_spread *cell = spread->cell;
    __atomic_fetch_add(&cell->bins[el_spread_bin(ns)], n, __ATOMIC_RELAXED);
    uint64_t count = __atomic_add_fetch(&cell->count, n, __ATOMIC_RELAXED);
    el_count(&cell->total_ns, ns * n);
    pl_raise(&cell->max_ns, ns);
    pl_raise_simply(&cell->last_at, now);
    count_second(spread, count, n, now);
}

void pl_spread_add(struct pl_spread *spread, uint64_t ns, uint64_t now)
{
    pl_spread_add_many(spread, 1, ns, now);
}

void pl_spread_note(enum el_spread_kind kind, uint32_t stack, uint32_t every, uint64_t ticks,
                    uint64_t now)
{
    struct pl_spread *spread = pl_spread_get(kind, stack, every);
    if (spread != NULL)
        pl_spread_add(spread, pl_ns_of_ticks(ticks), now);
}
