/* children.c - see children.h. */
#include "preload/core/children.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack.h"
#include "preload/core/sys.h"

/* So many are known at once. Of a place that leaves more behind, the rest is only counted as made.
 */
#define KNOWN_MOST 1024u
/* Looked at for each that is made: those that ran when last seen, and those that had ended. */
#define LOOKS_RUNNING 4u
#define LOOKS_ENDED   2u

struct child {
    int32_t pid; /* 0: free */
    struct pl_site *site;
    uint64_t ended_at; /* when it was seen to have ended, 0: it was not */
};

/* A handler may fork too, and threads beside each other: whoever finds it taken does without. */
static atomic_flag taken = ATOMIC_FLAG_INIT;
static struct child children[KNOWN_MOST];
static uint32_t known;   /* all beyond are free */
static uint32_t next[2]; /* to be looked at: of the running, of the ended */

enum fate { RUNS, ENDED, WAITED_FOR };

static enum fate fate_of(int32_t pid)
{
    siginfo_t info = {0};
    const long result =
        pl_sys6(SYS_waitid, P_PID, pid, (long)&info, WEXITED | WNOHANG | WNOWAIT, 0, 0);
    if (result == -ECHILD)
        return WAITED_FOR;
    return result == 0 && info.si_pid == pid ? ENDED : RUNS;
}

static void count_time(const struct child *child, uint64_t now)
{
    const uint64_t ticks = now > child->ended_at ? now - child->ended_at : 0;
    el_count(&child->site->cell->ticks, ticks);
    pl_raise(&child->site->cell->ticks_max, ticks);
}

static void forget(struct child *child, uint64_t now)
{
    if (child->ended_at != 0) {
        struct el_site *cell = child->site->cell;
        count_time(child, now);
        __atomic_store_n(&cell->live, cell->live - 1, __ATOMIC_RELAXED);
    }
    child->pid = 0;
}

static void ended(struct child *child, uint64_t now)
{
    struct el_site *cell = child->site->cell;
    child->ended_at = now;
    __atomic_store_n(&cell->live, cell->live + 1, __ATOMIC_RELAXED);
    if (cell->live > cell->peak) {
        __atomic_store_n(&cell->peak, cell->live, __ATOMIC_RELAXED);
        __atomic_store_n(&cell->peak_at, now, __ATOMIC_RELAXED);
    }
}

static void look_at(struct child *child, uint64_t now)
{
    const enum fate fate = fate_of(child->pid);
    if (fate == WAITED_FOR)
        forget(child, now);
    else if (fate == ENDED && child->ended_at == 0)
        ended(child, now);
}

/* The next few of one sort, in turn. */
static void look_around(int are_ended, uint32_t looks, uint64_t now)
{
    for (uint32_t seen = 0; seen < known && looks > 0; seen++) {
        struct child *child = &children[next[are_ended]++ % known];
        if (child->pid == 0 || (child->ended_at != 0) != are_ended)
            continue;
        look_at(child, now);
        looks--;
    }
}

static void add(int32_t pid, struct pl_site *site)
{
    uint32_t at = 0;
    while (at < known && children[at].pid != 0)
        at++;
    if (at == KNOWN_MOST)
        return;
    known = at < known ? known : at + 1;
    children[at] = (struct child){pid, site, 0};
}

void pl_child_made(pid_t child, struct pl_call call)
{
    const int error = errno;
    struct pl_self *self = child > 0 && pl_is_on() ? pl_enter() : NULL;
    if (self == NULL)
        return;
    struct pl_site *site =
        pl_record_is_mine() ? pl_site_get(EL_SITE_CHILD, pl_stack(self, call), 0) : NULL;
    const uint64_t now = pl_now();
    if (site != NULL) {
        el_count(&site->cell->count, 1);
        pl_raise(&site->cell->last_at, now);
    }
    if (site != NULL && !atomic_flag_test_and_set(&taken)) {
        look_around(0, LOOKS_RUNNING, now);
        look_around(1, LOOKS_ENDED, now);
        add(child, site);
        atomic_flag_clear(&taken);
    }
    pl_leave(self);
    errno = error;
}

void pl_children_at_end(void)
{
    if (known == 0 || atomic_flag_test_and_set(&taken))
        return;
    const uint64_t now = pl_now();
    for (uint32_t i = 0; i < known; i++) {
        struct child *child = &children[i];
        if (child->pid == 0 || child->ended_at == 0)
            continue;
        if (fate_of(child->pid) == WAITED_FOR)
            forget(child, now);
        else
            count_time(child, now);
    }
    known = 0; /* each is counted once */
    atomic_flag_clear(&taken);
}

void pl_children_reset(void)
{
    known = 0;
    next[0] = next[1] = 0;
    atomic_flag_clear(&taken);
}
