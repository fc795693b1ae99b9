/* spin.c - see spin.h. */
#include "preload/core/spin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>

#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/map.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack.h"
#include "preload/core/sys.h"

#define CPU_LOOK_NS UINT64_C(250000)
/* The kernel's part of a sleep or a connection, and of its end, on a busy machine. */
#define NAP_COST_NS UINT64_C(60000)

static struct pl_map spins; /* by place */

void pl_spins_reset(void)
{
    pl_map_init(&spins, 8);
}

struct wanted {
    enum el_spin_kind kind;
    uint32_t stack;
};

static void *cell_make(void *arg)
{
    const struct wanted *w = arg;
    struct el_spin *cell = el_alloc_spin(&pl_log);
    if (cell == NULL)
        return NULL;
    cell->kind = w->kind;
    cell->stack = w->stack;
    cell->first_at = pl_now();
    el_set_state(&cell->state, EL_LIVE);
    return cell;
}

/* The row so far, in the actor. */
static void row_begin(struct pl_actor *actor, const struct pl_thread *thread, uint64_t now,
                      uint32_t stack)
{
    actor->spin_row = 0;
    actor->spin_actor = actor->id;
    actor->spin_stack = stack;
    actor->spin_thread = thread->serial;
    actor->spin_since = pl_actor_waited(actor);
    actor->spin_at = now;
}

static int row_goes_on(const struct pl_actor *actor)
{
    return actor->spin_actor == actor->id && pl_actor_waited(actor) == actor->spin_since;
}

/*
 * Time since the actor's last block that is its own. Tasks that take turns on a thread share its
 * time: what one was charged with is not another's. A task may have come from another thread; what
 * it did there since is not known.
 */
static uint64_t own_ticks(const struct pl_actor *actor, const struct pl_thread *thread,
                          uint64_t now)
{
    uint64_t from = actor->spin_at;
    if (actor->spin_thread != thread->serial || thread->spin_at > from)
        from = thread->spin_at != 0 ? thread->spin_at : actor->spin_at;
    return now > from ? now - from : 0;
}

/*
 * How much of that was processor time. The thread's clock for it is a system call, so it is asked
 * when it was not for CPU_LOOK_NS: who lost the processor for that long asks at the next block, and
 * what was charged too much for shorter times is taken off then.
 */
static uint64_t used_ns(struct pl_thread *thread, uint64_t now, uint64_t passed_ns)
{
    uint64_t used = passed_ns;
    if (thread->spin_looked == 0 || now - thread->spin_looked >= pl_ticks_of_ns(CPU_LOOK_NS)) {
        uint64_t cpu_ns = pl_sys_cpu_ns();
        uint64_t charged = thread->spin_cpu_ns + thread->spin_charged_ns;
        uint64_t left = cpu_ns > charged ? cpu_ns - charged : 0;
        if (thread->spin_looked != 0 && left < used)
            used = left;
        thread->spin_looked = now;
        thread->spin_cpu_ns = cpu_ns;
        thread->spin_charged_ns = 0;
    } else {
        thread->spin_charged_ns += used;
    }
    return used;
}

static void count(struct pl_actor *actor, struct el_spin *cell, uint32_t n, uint64_t ticks,
                  uint64_t cpu_ticks, uint64_t now)
{
    if (actor->spin_row == 0)
        __atomic_fetch_add(&cell->actors, 1, __ATOMIC_RELAXED);
    actor->spin_row += n;
    el_count(&cell->count, n);
    el_count(&cell->cpu_ticks, cpu_ticks);
    el_count(&cell->between_ticks, ticks / n);
    el_count(&cell->measured, 1);
    pl_raise(&cell->longest, actor->spin_row);
    pl_raise(&cell->last_at, now);
}

void pl_spin_block(struct pl_self *self, enum el_spin_kind kind, uint32_t n, uint32_t stack)
{
    struct pl_actor *actor = self->actor;
    struct pl_thread *thread = self->thread;
    if (actor == thread->actor && thread->is_worker)
        return; /* the runtime's own */
    uint64_t now = pl_now();
    struct el_spin *cell = NULL;
    if (row_goes_on(actor)) {
        uint64_t ticks = now > actor->spin_at ? now - actor->spin_at : 0;
        uint64_t own_ns = pl_ns_of_ticks(own_ticks(actor, thread, now));
        uint64_t cpu_ns = used_ns(thread, now, own_ns);
        struct wanted w = {kind, actor->spin_stack};
        uint64_t work_ns = pl_options.spin_work_us * 1000 + (kind >= EL_SPIN_NAP ? NAP_COST_NS : 0);
        if (cpu_ns / n < work_ns)
            cell = pl_map_get(&spins, w.stack, cell_make, &w);
        if (cell != NULL)
            count(actor, cell, n, ticks, pl_ticks_of_ns(cpu_ns), now);
    }
    if (cell == NULL)
        row_begin(actor, thread, now, stack);
    actor->spin_at = now;
    actor->spin_thread = thread->serial;
    thread->spin_at = now;
}

/* Since this was asked last. */
static int had_some(struct pl_self *self)
{
    const int had = (self->spins_had & PL_HAD_SPIN) != 0;
    self->spins_had &= ~PL_HAD_SPIN;
    return had;
}

void pl_spin_slowly(enum el_spin_kind kind, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    if (had_some(self))
        self->actor->spin_actor = 0; /* a row that nobody goes on with */
    pl_spin_block(self, kind, PL_SPIN_BLOCK, pl_stack(self, call));
    pl_leave(self);
}

/* Who takes time between, takes it after each: what comes late now and then had lost the processor.
 */
#define LATE_NS   UINT64_C(1000000)
#define LATE_MOST (PL_SPIN_BLOCK / 8)

/* Has the other side closed the stream? An empty message reads like that, too. */
static int has_ended(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLRDHUP, 0};
    struct timespec none = {0, 0};
    return pl_sys6(SYS_ppoll, (long)&p, 1, (long)&none, 0, 0, 0) > 0 &&
           (p.revents & (POLLHUP | POLLRDHUP)) != 0;
}

void pl_spin_at_end(int fd, uint64_t what, struct pl_call call)
{
    struct pl_self *self = &pl_self_block;
    /* Most streams are asked once after their end: that is no row, and costs no look. */
    if (self->ended == what && has_ended(fd))
        pl_spin_refused(EL_SPIN_END, what, call);
    self->ended = what;
}

void pl_spin_refused(enum el_spin_kind kind, uint64_t what, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    struct pl_actor *actor = self->actor;
    struct pl_refusals *r = &self->thread->refusals;
    const uint64_t now = pl_now();
    if (had_some(self) || r->what != what || r->slow > LATE_MOST) {
        *r = (struct pl_refusals){what, now, 0, 0};
        actor->spin_actor = 0;
    }
    r->slow += now > r->at && pl_ns_of_ticks(now - r->at) >= LATE_NS;
    r->at = now;
    self->spins_had |= PL_HAD_POLL; /* what a poll found was tried: the row is this one's */
    if (++r->count % PL_SPIN_BLOCK == 0) {
        actor->spin_since = pl_actor_waited(actor); /* all its waits were of this row */
        pl_spin_block(self, kind, PL_SPIN_BLOCK, pl_stack(self, call));
        r->slow = 0;
    }
    errno = error;
    pl_leave(self);
}

/* What the kernel has counted of the thread: its answers change when a call, which may be the C
 * library's own, has moved bytes. 0: not known. What is sent and received comes to a wrapper. */
static uint64_t number_after(const char *text, long n, const char *word, long length)
{
    long at = 0;
    while (at + length < n && __builtin_memcmp(text + at, word, (size_t)length) != 0)
        at++;
    if (at + length >= n)
        return 0;
    uint64_t number = 0;
    for (at += length; at < n && text[at] >= '0' && text[at] <= '9'; at++)
        number = 10 * number + (uint64_t)(text[at] - '0');
    return number + 1;
}

#define AFTER(text, n, word) number_after(text, n, word, sizeof(word) - 1)

/* Did it write since the last look; or, if `reads`, write or read? */
static int moved_since(struct pl_thread *thread, int reads)
{
    char text[256];
    long n = -1, fd = pl_sys6(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/io",
                              O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (fd >= 0) {
        n = pl_sys6(SYS_read, fd, (long)text, sizeof text, 0, 0, 0);
        pl_sys6(SYS_close, fd, 0, 0, 0, 0, 0);
    }
    const uint64_t written = AFTER(text, n, "\nwchar: "), got = AFTER(text, n, "rchar: ");
    const uint64_t before = thread->moved_bytes;
    const uint64_t now = reads ? written + got : written;
    thread->moved_bytes = reads ? now + (uint64_t)n : now; /* of which this look has read some */
    return written == 0 || got == 0 || now != before;
}

/* Did it sleep since the last look, more than the calls of a block do that have what they wait for
 * at once? */
static int slept_since(struct pl_thread *thread)
{
    struct rusage usage;
    if (pl_sys6(SYS_getrusage, RUSAGE_THREAD, (long)&usage, 0, 0, 0, 0) != 0)
        return 1;
    const long before = thread->switches;
    thread->switches = usage.ru_nvcsw;
    return usage.ru_nvcsw - before > LATE_MOST;
}

/* Is a block of calls at `what` none of such as get nowhere? */
static int gets_on(struct pl_thread *thread, enum el_spin_kind kind)
{
    if (kind == EL_SPIN_NAP)
        return 0;
    const int moved = moved_since(thread, kind == EL_SPIN_UNTAKEN);
    return moved || (kind == EL_SPIN_UNTAKEN && slept_since(thread));
}

/* How long the thread was about other things since its last short sleep. A pace has work between
 * most of its sleeps; a single one may be late because the thread had lost the processor. */
static int works_between(struct pl_thread *thread, uint64_t began)
{
    const uint64_t over = thread->nap_over;
    thread->nap_over = pl_now();
    thread->nap_late +=
        began > over && pl_ns_of_ticks(began - over) >= pl_options.spin_work_us * 1000;
    if (thread->naps % PL_SPIN_BLOCK != 0)
        return 0;
    const int works = thread->nap_late > PL_SPIN_BLOCK / 2;
    thread->nap_late = 0;
    return works;
}

/* One more of calls that are waits, with no other wait between. */
static void again(enum el_spin_kind kind, uint64_t what, uint64_t before, struct pl_call call)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    struct pl_actor *actor = self->actor;
    struct pl_thread *thread = self->thread;
    if (had_some(self) || before != thread->napped_at || what != thread->nap_what) {
        thread->naps = thread->nap_late = 0;
        thread->nap_what = what;
        actor->spin_actor = 0;
    }
    thread->napped_at = pl_actor_waited(actor);
    ++thread->naps;
    const int works = works_between(thread, actor->cell->since);
    if (thread->naps % PL_SPIN_BLOCK == 0) {
        actor->spin_since = pl_actor_waited(actor); /* all its waits were of this row */
        if (gets_on(thread, kind) || works)
            actor->spin_actor = 0;
        pl_spin_block(self, kind, PL_SPIN_BLOCK, pl_stack(self, call));
    }
    errno = error;
    pl_leave(self);
}

void pl_spin_napped(uint64_t before, struct pl_call call)
{
    again(EL_SPIN_NAP, 0, before, call);
}

void pl_spin_writable(uint64_t what, uint64_t before, struct pl_call call)
{
    again(EL_SPIN_WRITABLE, what << 1, before, call);
}

void pl_spin_untaken(uint64_t what, uint64_t before, struct pl_call call)
{
    again(EL_SPIN_UNTAKEN, what << 1 | 1, before, call);
}
