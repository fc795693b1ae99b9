/*
 * See timers.h.
 *
 * Design notes
 *
 * A timer has a home, whose lock protects it. The home is that of the worker that armed it, and
 * stays: a timer that is armed again by another worker moves only if it was not armed, and if the
 * new home's lock is free at once. Who locks a home that the timer has left meanwhile tries again.
 *
 * Locks: the lock of a channel comes before that of a home, as select arms its time limit with all
 * its channels locked. Firing and stopping come from the other side and only try for the channel's.
 *
 * `next` of a home is the key of its first entry, for reading without the lock. Who sleeps in epoll
 * says until when (poller_until) and then reads all of them once more; who arms a first one writes
 * `next` and then reads poller_until: all sequentially consistent, so one of the two sees the
 * other. A key that is too early, because its timer was moved to later, costs one look.
 */
#include "runtime/time/timers.h"

#include "runtime/io/netpoll.h"
#include "runtime/sched/inside.h"
#include "runtime/time/clock.h"
#include "runtime/time/heap.h"

/* After so many others get the lock, and the tasks made ready a chance to run. */
enum { FIRED_AT_ONCE = 128, FIRED_AT_LEAST = 8 };

/* The first is for threads that are no workers. */
static struct weft__timers homes[1 + WEFT_MAX_WORKERS] = {
    [0 ... WEFT_MAX_WORKERS] = {.next = INT64_MAX}};
static uint32_t homes_used; /* those from here on never had a timer */

static struct weft__timers *home_of(const struct weft__worker *w)
{
    return w ? &homes[1 + w->index] : &homes[0];
}

static void use_home(const struct weft__timers *home)
{
    uint32_t used = (uint32_t)(home - homes) + 1;
    uint32_t before = __atomic_load_n(&homes_used, __ATOMIC_SEQ_CST);
    while (before < used && !__atomic_compare_exchange_n(&homes_used, &before, used, false,
                                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

/* With the lock: room for one more. */
static bool reserve(struct weft__timers *home)
{
    if (__builtin_expect(home->heap.count < home->heap.room, 1))
        return true;
    use_home(home);
    return weft__heap_reserve(&home->heap);
}

static int64_t first_key(const struct weft__timers *home)
{
    return home->heap.count ? home->heap.entries[0].key : INT64_MAX;
}

/* After an entry came in by way of `w`, or NULL: whether it is the first of its home now, and
 * somebody may sleep too long for it. */
static enum weft__armed publish_earlier(struct weft__timers *home, const struct weft__worker *w)
{
    int64_t first = first_key(home);
    if (first >= home->next)
        return WEFT__ARMED;
    if (w && w->run->workers == 1 && w->index == 0) {
        __atomic_store_n(&home->next, first, __ATOMIC_RELEASE);
        return WEFT__ARMED; /* who would sleep runs this */
    }
    __atomic_store_n(&home->next, first, __ATOMIC_SEQ_CST);
    return WEFT__ARMED_FIRST;
}

/* After one went: nobody waits for that. */
static void publish_later(struct weft__timers *home)
{
    int64_t first = first_key(home);
    if (first != home->next)
        __atomic_store_n(&home->next, first, __ATOMIC_RELEASE);
}

int64_t weft__timers_next(void)
{
    uint32_t used = __atomic_load_n(&homes_used, __ATOMIC_SEQ_CST);
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < used; i++) {
        int64_t first = __atomic_load_n(&homes[i].next, __ATOMIC_SEQ_CST);
        if (first < next)
            next = first;
    }
    return next;
}

/* ---- who sleeps too long ---- */

static void shorten_sleep(struct weft__run *run, int64_t when)
{
    if (!run || !__atomic_load_n(&run->poller, __ATOMIC_SEQ_CST))
        return;
    int64_t until = __atomic_load_n(&run->poller_until, __ATOMIC_SEQ_CST);
    while (until > when) {
        if (__atomic_compare_exchange_n(&run->poller_until, &until, when, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            weft__netpoll_kick(run);
            return;
        }
    }
}

void weft__timer_armed_first(int64_t when)
{
    struct weft__worker *w = weft__worker();
    if (w) {
        shorten_sleep(w->run, when);
        return;
    }
    shorten_sleep(weft__visit(), when);
    weft__leave();
}

/* ---- arming and disarming ---- */

void weft__timer_init(struct weft__timer *timer,
                      void (*fire)(struct weft__timer *timer, int64_t now))
{
    timer->home = home_of(weft__worker());
    timer->fire = fire;
}

/* With the lock of its home, which is another on return if the timer has moved. */
static struct weft__timers *move_home(struct weft__timer *timer, struct weft__timers *to)
{
    struct weft__timers *from = timer->home;
    if (from == to || !weft__solo_try_lock(&to->lock))
        return from;
    __atomic_store_n(&timer->home, to, __ATOMIC_RELEASE);
    weft__unlock(&from->lock);
    return to;
}

/* There is room for it. */
static inline enum weft__armed push(struct weft__timers *home, struct weft__timer *timer,
                                    int64_t when, int64_t period)
{
    timer->when = timer->key = when;
    timer->period = period;
    weft__heap_push(&home->heap, timer, when);
    return publish_earlier(home, weft__worker());
}

enum weft__armed weft__timer_set_slow(struct weft__timer *timer, int64_t when, int64_t period)
{
    struct weft__worker *w = weft__worker();
    struct weft__timers *home = timer->home;
    if (timer->place == 0) {
        home = move_home(timer, home_of(w));
        return reserve(home) ? push(home, timer, when, period) : WEFT__NOT_ARMED;
    }
    timer->when = timer->key = when;
    timer->period = period;
    weft__heap_move(&home->heap, timer, when);
    return publish_earlier(home, w);
}

bool weft__timer_unset(struct weft__timer *timer)
{
    if (timer->place == 0)
        return false;
    weft__heap_remove(&timer->home->heap, timer);
    publish_later(timer->home);
    return true;
}

bool weft__timer_start(struct weft__timer *timer, int64_t when)
{
    weft__timer_lock(timer);
    enum weft__armed armed = weft__timer_set(timer, when, 0);
    weft__timer_unlock(timer, armed);
    return armed != WEFT__NOT_ARMED;
}

bool weft__timer_start_new(struct weft__timer *timer, int64_t when, int64_t period)
{
    struct weft__timers *home = timer->home;
    enum weft__armed armed = WEFT__NOT_ARMED;
    weft__solo_lock(&home->lock);
    if (reserve(home))
        armed = push(home, timer, when, period);
    weft__unlock(&home->lock);
    if (armed == WEFT__ARMED_FIRST)
        weft__timer_armed_first(when);
    return armed != WEFT__NOT_ARMED;
}

bool weft__timer_cancel(struct weft__timer *timer)
{
    weft__timer_lock(timer);
    bool was = weft__timer_unset(timer);
    weft__unlock(&timer->home->lock);
    return was;
}

bool weft__sleep_until(struct weft_task *task, int64_t when)
{
    struct weft__worker *w = weft__worker();
    struct weft__timers *home = home_of(w);
    weft__solo_lock(&home->lock);
    bool ok = reserve(home);
    enum weft__armed armed = WEFT__NOT_ARMED;
    if (ok) {
        weft__heap_push_sleeper(&home->heap, task, when);
        armed = publish_earlier(home, w);
    }
    weft__unlock(&home->lock);
    if (armed == WEFT__ARMED_FIRST)
        weft__timer_armed_first(when);
    return ok;
}

/* ---- firing ---- */

/* The next tick stays on the beat of the first; ticks that were missed are skipped. */
static int64_t next_tick(const struct weft__timer *timer, int64_t now)
{
    int64_t late = now - timer->when;
    int64_t step = timer->period * (1 + late / timer->period);
    return timer->when > INT64_MAX - 1 - step ? INT64_MAX - 1 : timer->when + step;
}

/* The first one's key is not after `now`. *task is one that slept, or NULL. False: it has to wait
 * for a lock. */
static bool fire_first(struct weft__timers *home, int64_t now, struct weft_task **task)
{
    struct weft__heap_entry e = home->heap.entries[0];
    *task = weft__heap_sleeper(e);
    if (*task) {
        weft__heap_pop(&home->heap);
        return true;
    }
    struct weft__timer *timer = (struct weft__timer *)e.what;
    if (timer->when > now) {
        timer->key = timer->when;
        weft__heap_delay(&home->heap, timer->key);
        return true;
    }
    if (timer->also && !weft__solo_try_lock(timer->also))
        return false;
    if (timer->period > 0) {
        timer->when = timer->key = next_tick(timer, now);
        weft__heap_delay(&home->heap, timer->key);
    } else {
        weft__heap_pop(&home->heap);
    }
    timer->fire(timer, now);
    return true;
}

/* So many that the tasks made ready have room in the worker's queue. */
static unsigned fire_at_most(const struct weft__worker *w)
{
    uint32_t used = weft__ring_count(w);
    uint32_t room = used < WEFT_RING_SIZE - FIRED_AT_LEAST ? WEFT_RING_SIZE - used : FIRED_AT_LEAST;
    return room < FIRED_AT_ONCE ? room : FIRED_AT_ONCE;
}

/* Sleeping tasks are cold: each is asked for while the next are found. */
static void run_due(struct weft__timers *home, struct weft__worker *w, int64_t now)
{
    struct weft_task *ready[FIRED_AT_ONCE];
    unsigned count = 0;
    if (__atomic_load_n(&home->next, __ATOMIC_RELAXED) > now || !weft__solo_try_lock(&home->lock))
        return; /* who holds it fires them, or armed one that is not due, or is soon out of it */
    /* As long as we hold the lock, an open run is not cleared. After its end the timers are those
     * of the next, and not for its stragglers. */
    unsigned most = weft__ended(w->run) ? 0 : fire_at_most(w);
    for (unsigned i = 0; i < most && first_key(home) <= now; i++) {
        struct weft_task *task;
        if (!fire_first(home, now, &task))
            break;
        if (task) {
            __builtin_prefetch(task, 1);
            ready[count++] = task;
        }
    }
    publish_later(home);
    weft__unlock(&home->lock);
    for (unsigned i = 0; i < count; i++)
        weft__ready(ready[i], NULL);
}

/* Nobody in particular has those of threads that are no workers: each looks at them. */
void weft__timers_run(struct weft__worker *w)
{
    struct weft__timers *home = home_of(w);
    if (__atomic_load_n(&home->next, __ATOMIC_RELAXED) == INT64_MAX &&
        __atomic_load_n(&homes[0].next, __ATOMIC_RELAXED) == INT64_MAX)
        return;
    int64_t now = weft_now();
    run_due(home, w, now);
    run_due(&homes[0], w, now);
}

void weft__timers_run_all(struct weft__worker *w)
{
    if (weft__timers_next() == INT64_MAX)
        return;
    int64_t now = weft_now();
    uint32_t used = __atomic_load_n(&homes_used, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < used; i++)
        run_due(&homes[i], w, now);
}

/* ---- the end of a run ---- */

static void clear(struct weft__timers *home)
{
    weft__solo_lock(&home->lock);
    struct weft__heap heap = home->heap;
    for (uint32_t i = 0; i < heap.count; i++) {
        if (!weft__heap_sleeper(heap.entries[i]))
            ((struct weft__timer *)heap.entries[i].what)->place = 0;
    }
    home->heap = (struct weft__heap){0};
    publish_later(home);
    weft__unlock(&home->lock);
    for (uint32_t i = 0; i < heap.count; i++) {
        struct weft__timer *timer = (struct weft__timer *)heap.entries[i].what;
        if (!weft__heap_sleeper(heap.entries[i]) && timer->drop)
            timer->drop(timer);
    }
    weft__heap_free(&heap);
}

void weft__timers_clear(void)
{
    uint32_t used = __atomic_load_n(&homes_used, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < used; i++)
        clear(&homes[i]);
}
