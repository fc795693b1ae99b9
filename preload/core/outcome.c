/* outcome.c - see outcome.h. */
#include "preload/core/outcome.h"

#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/record.h"
#include "preload/core/site.h"

static struct pl_map outcomes;

void pl_outcomes_reset(void)
{
    pl_map_init(&outcomes, 10);
}

struct wanted {
    enum el_object_kind kind;
    uint32_t stack, how;
};

static void *outcome_make(void *arg)
{
    const struct wanted *w = arg;
    struct el_outcome *cell = el_alloc_outcome(&pl_log);
    struct pl_outcome *outcome = cell == NULL ? NULL : pl_arena_alloc(sizeof(*outcome));
    if (outcome == NULL) {
        el_free_outcome(&pl_log, cell);
        return NULL;
    }
    outcome->cell = cell;
    cell->kind = w->kind;
    cell->stack = w->stack;
    cell->how = w->how;
    cell->first_at = outcome->second_from = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    return outcome;
}

static uint64_t key_of(enum el_object_kind kind, uint32_t stack, uint32_t how)
{
    return (uint64_t)how << 40 | (uint64_t)(kind + 1) << 32 | stack;
}

struct pl_outcome *pl_outcome_get(enum el_object_kind kind, uint32_t stack, uint32_t how)
{
    struct wanted w = {kind, stack, how};
    return pl_map_get(&outcomes, key_of(kind, stack, how), outcome_make, &w);
}

struct pl_outcome *pl_outcome_find(enum el_object_kind kind, uint32_t stack)
{
    return pl_map_find(&outcomes, key_of(kind, stack, 0));
}

/* Threads that meet here may each begin a second: the count is then a little low. */
static void second_count(struct pl_outcome *outcome, uint64_t made, uint64_t last, uint64_t now)
{
    if (now > outcome->second_from && now - outcome->second_from > pl_log.clock_hz) {
        outcome->second_from = now;
        outcome->second_made = made - last;
    }
    uint64_t within = made - outcome->second_made;
    if (within > outcome->cell->burst)
        outcome->cell->burst = within;
}

/* A thread that is over as far as the record goes, or has not begun, is nobody. */
static uint64_t count(struct pl_tally *tally, uint64_t n, uint64_t *shown)
{
    const struct pl_thread *thread = pl_self_block.thread;
    uint64_t sum = thread != NULL ? pl_tally(tally, thread, n) : pl_tally_others(tally, n);
    __atomic_store_n(shown, sum, __ATOMIC_RELAXED);
    return sum;
}

static void settle(const struct pl_tally *tally, uint64_t *shown)
{
    uint64_t sum = pl_tally_sum(tally);
    if (sum != 0)
        __atomic_store_n(shown, sum, __ATOMIC_RELAXED);
}

static int outcome_settle(void *value, void *ctx)
{
    struct pl_outcome *outcome = value;
    (void)ctx;
    settle(&outcome->made, &outcome->cell->made);
    settle(&outcome->gone, &outcome->cell->gone);
    settle(&outcome->lost, &outcome->cell->lost);
    return 0;
}

void pl_outcomes_settle(void)
{
    pl_map_each(&outcomes, outcome_settle, NULL);
}

/* `made` there were up to now, the `last` of them just now; of these so many at once. */
static void made_note(struct pl_outcome *outcome, uint64_t made, uint64_t last, uint64_t there,
                      uint64_t now)
{
    struct el_outcome *cell = outcome->cell;
    __atomic_store_n(&cell->last_at, now, __ATOMIC_RELAXED);
    if (there > __atomic_load_n(&cell->peak, __ATOMIC_RELAXED) && there <= made) {
        pl_raise(&cell->peak, there);
        __atomic_store_n(&cell->peak_at, now, __ATOMIC_RELAXED);
    }
    second_count(outcome, made, last, now);
}

uint64_t pl_outcome_made(struct pl_outcome *outcome, uint64_t bytes, uint64_t now)
{
    struct el_outcome *cell = outcome->cell;
    uint64_t made = count(&outcome->made, 1, &cell->made);
    if (bytes != 0)
        el_count(&cell->bytes, bytes);
    made_note(outcome, made, 1, made - pl_tally_sum(&outcome->gone), now);
    return made;
}

void pl_outcome_passed(struct pl_outcome *outcome, uint64_t made, uint64_t gone, uint64_t now)
{
    struct el_outcome *cell = outcome->cell;
    uint64_t before = pl_tally_sum(&outcome->made) - pl_tally_sum(&outcome->gone);
    uint64_t sum = count(&outcome->made, made, &cell->made);
    if (gone != 0) {
        count(&outcome->gone, gone, &cell->gone);
        count(&outcome->lost, gone, &cell->lost);
    }
    made_note(outcome, sum, made, before + 1, now);
}

void pl_outcome_gone(struct pl_outcome *outcome)
{
    count(&outcome->gone, 1, &outcome->cell->gone);
}

void pl_outcome_lost(struct pl_outcome *outcome, uint32_t stack)
{
    count(&outcome->lost, 1, &outcome->cell->lost);
    if (stack != 0)
        outcome->cell->lost_stack = stack;
}
