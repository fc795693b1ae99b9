/*
 * The monitor: a thread that runs no tasks. Tasks are not preempted, so a worker may compute for
 * long while a task stands in its `next` slot, a timer is due or a descriptor is ready; the monitor
 * sees that and wakes another worker. Where that does not help, see overtime.c. When all sleep for
 * long, so does it.
 */
#include "runtime/io/netpoll.h"
#include "runtime/sched/overtime.h"
#include "runtime/sync/local.h"
#include "runtime/time/timers.h"

enum { QUIET_ROUNDS = 50 };
#define INTERVAL_MIN_NS (INT64_C(100) * WEFT_US)
#define INTERVAL_MAX_NS (INT64_C(4) * WEFT_MS)
#define RELIED_MAX_NS   WEFT_MS /* while spawns wake nobody */
#define POOLS_AGE_NS    WEFT_S

/* Values of run->monitor_word; another one means that the run is over. */
enum { AWAKE = 0, ASLEEP = 1 };

void weft__monitor_kick(struct weft__run *run)
{
    uint32_t asleep = ASLEEP;
    if (__atomic_load_n(&run->monitor_word, __ATOMIC_SEQ_CST) == ASLEEP &&
        __atomic_compare_exchange_n(&run->monitor_word, &asleep, AWAKE, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST))
        weft__futex_wake(&run->monitor_word, 1);
}

/* True if a task waits behind one that has run since the last look. `perhaps`: behind another. */
static bool stranded(struct weft__run *run, uint32_t *ticks, bool *perhaps)
{
    bool found = false;
    *perhaps = false;
    for (unsigned i = 0; i < run->slots; i++) {
        struct weft__worker *w = run->worker[i];
        uint32_t tick = __atomic_load_n(&w->tick, __ATOMIC_RELAXED);
        if (__atomic_load_n(&w->next, __ATOMIC_RELAXED) || weft__ring_count(w) != 0)
            *(tick == ticks[i] ? &found : perhaps) = true;
        ticks[i] = tick;
    }
    return found;
}

static bool unattended(struct weft__run *run)
{
    if (__atomic_load_n(&run->poller, __ATOMIC_SEQ_CST))
        return false;
    return weft__netpoll_waiting() != 0 || weft__timers_next() <= weft_now();
}

static bool all_asleep(const struct weft__run *run)
{
    return __atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST) == run->workers &&
           __atomic_load_n(&run->extras, __ATOMIC_SEQ_CST) == 0;
}

static void sleep_deeply(struct weft__run *run)
{
    uint32_t awake = AWAKE;
    if (!__atomic_compare_exchange_n(&run->monitor_word, &awake, ASLEEP, false, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return;
    if (all_asleep(run) && !weft__ended(run)) {
        while (__atomic_load_n(&run->monitor_word, __ATOMIC_SEQ_CST) == ASLEEP)
            weft__futex_wait(&run->monitor_word, ASLEEP, -1);
    }
    uint32_t asleep = ASLEEP;
    __atomic_compare_exchange_n(&run->monitor_word, &asleep, AWAKE, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
}

static int64_t limit_to_timer(struct weft__run *run, int64_t interval)
{
    int64_t next = weft__timers_next();
    if (next == INT64_MAX || __atomic_load_n(&run->poller, __ATOMIC_SEQ_CST))
        return interval;
    int64_t left = next - weft_now();
    if (left < INTERVAL_MIN_NS)
        left = INTERVAL_MIN_NS;
    return left < interval ? left : interval;
}

/* Kinds of spawns wake nobody now: true if there are any. They are forgotten in a while. */
static bool relied_on(struct weft__run *run, int64_t *forget_at)
{
    bool relied = false, forget = weft_now() >= *forget_at;
    for (unsigned i = 0; i < WEFT_VAIN_KINDS; i++) {
        if (__atomic_load_n(&run->in_vain[i], __ATOMIC_RELAXED) == 0)
            continue;
        relied = true;
        if (forget)
            __atomic_store_n(&run->in_vain[i], 0, __ATOMIC_RELAXED);
    }
    if (forget)
        *forget_at = weft_now() + INTERVAL_MAX_NS;
    return relied;
}

/* What pools keep unused goes in about a second. Pools outlive runs, so their time does too; the
 * monitor of the run before may be late. */
static void age_pools(void)
{
    static int64_t next;
    int64_t at = __atomic_load_n(&next, __ATOMIC_RELAXED);
    int64_t now = weft_now();
    if (at != 0 && now < at)
        return;
    if (at != 0)
        weft__pools_age();
    __atomic_store_n(&next, now + POOLS_AGE_NS, __ATOMIC_RELAXED);
}

void weft__monitor_main(struct weft__run *run)
{
    uint32_t ticks[WEFT_MAX_WORKERS] = {0};
    int64_t interval = INTERVAL_MIN_NS, forget_at = 0;
    int quiet = 0;
    bool again = false; /* a look that follows at once */
    while (!weft__ended(run)) {
        weft__futex_wait(&run->monitor_word, AWAKE,
                         limit_to_timer(run, again ? INTERVAL_MIN_NS : interval));
        weft__coarse_update();
        uint32_t asleep = __atomic_load_n(&run->idle_count, __ATOMIC_SEQ_CST);
        if (all_asleep(run)) {
            again = false;
            if (++quiet >= QUIET_ROUNDS) {
                weft__pools_age();
                sleep_deeply(run);
                quiet = 0;
                interval = INTERVAL_MIN_NS;
            }
            continue;
        }
        quiet = 0;
        age_pools();
        bool perhaps, work = stranded(run, ticks, &perhaps);
        weft__overtime_look(run);
        if ((work || unattended(run)) && asleep > 0)
            weft__wake_if_idle(run);
        again = perhaps && asleep > 0 && !again;
        int64_t most = relied_on(run, &forget_at) ? RELIED_MAX_NS : INTERVAL_MAX_NS;
        interval = work ? INTERVAL_MIN_NS : interval * 2;
        if (interval > most)
            interval = most;
    }
}
