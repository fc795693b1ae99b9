/* window.c - see window.h. */
#include "preload/core/window.h"

#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/record.h"

/* In sixteenths of the log's bound. The last quarter is for what the findings need: stacks,
 * threads, modules, and cells. */
#define THIN_FROM 8u
#define THIN_END  12u

static uint64_t from, until, on, every;
static int always; /* no option limits it */

void pl_window_init(void)
{
    const struct pl_options *o = &pl_options;
    from = pl_ticks_of_ns(o->delay_ms * 1000000);
    until = o->window_ms == 0 ? UINT64_MAX : from + pl_ticks_of_ns(o->window_ms * 1000000);
    on = pl_ticks_of_ns(o->sample_on_ms * 1000000);
    every = o->sample_on_ms < o->sample_every_ms ? pl_ticks_of_ns(o->sample_every_ms * 1000000) : 0;
    if (on == 0)
        every = 0;
    always = from == 0 && until == UINT64_MAX && every == 0;
}

static int by_options(uint64_t now)
{
    return always || (now >= from && now < until && (every == 0 || (now - from) % every < on));
}

int pl_window_open(uint64_t now)
{
    uint32_t word = __atomic_load_n(&pl_log.summary->control, __ATOMIC_RELAXED);
    if (word == EL_CONTROL_START || (word != EL_CONTROL_STOP && by_options(now)))
        return 1;
    el_count(&pl_log.summary->outside, 1);
    return 0;
}

unsigned pl_window_thinning(uint64_t now)
{
    unsigned fill = el_fill(&pl_log);
    if (fill < THIN_FROM)
        return 0;
    if (fill < THIN_END)
        return fill - THIN_FROM + 1;
    struct el_summary *summary = pl_log.summary;
    if (__atomic_load_n(&summary->thinned_at, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(&summary->thinned_at, now, __ATOMIC_RELAXED);
    el_count(&summary->thinned, 1);
    return PL_THIN_NONE;
}
