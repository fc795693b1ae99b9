/* descriptor.c - see descriptor.h. */
#include "preload/core/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/race.h"
#include "preload/core/record.h"
#include "preload/core/stack.h"
#include "preload/core/sys.h"

#define FIRST      3  /* below are the standard streams */
#define IDLE_LEAST 16 /* openings of its place after the last use: it waited for its close */
#define CELLS_MOST 16384

PL_LARGE struct pl_descriptor pl_descriptors[PL_DESCRIPTORS];
PL_LARGE struct pl_fd_brief pl_fd_table[PL_DESCRIPTORS];
_Atomic uint32_t pl_descriptors_made = 1;
static _Atomic uint32_t top; /* one above the highest number that was ever opened */

void pl_descriptors_limit_note(void)
{
    struct rlimit limit = {0, 0};
    pl_sys6(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0);
    pl_log.summary->nofile = limit.rlim_cur;
}

void pl_descriptors_reset(void)
{
    memset(pl_descriptors, 0, atomic_load(&top) * sizeof(pl_descriptors[0]));
    for (uint32_t fd = 0; fd < atomic_load(&top); fd++)
        pl_fd_table[fd].seen = 0;
    atomic_store(&top, 0);
    pl_races_reset();
}

static void note_top(uint32_t fd)
{
    uint32_t seen = atomic_load_explicit(&top, memory_order_relaxed);
    while (seen <= fd && !atomic_compare_exchange_weak_explicit(
                             &top, &seen, fd + 1, memory_order_relaxed, memory_order_relaxed))
        ;
}

static struct pl_descriptor *entry_of(int fd)
{
    return fd >= FIRST && fd < PL_DESCRIPTORS ? &pl_descriptors[fd] : NULL;
}

/* Takes the entry: of two that close one number, one gets its place. */
static struct pl_outcome *take(struct pl_descriptor *d)
{
    if (__atomic_load_n(&d->place, __ATOMIC_RELAXED) == NULL)
        return NULL;
    return __atomic_exchange_n(&d->place, NULL, __ATOMIC_ACQ_REL);
}

static void opened(struct pl_self *self, int fd, enum el_fd_kind kind, uint32_t stack)
{
    struct pl_descriptor *d = entry_of(fd);
    struct pl_outcome *before = take(d); /* closed unseen */
    if (before != NULL)
        pl_outcome_gone(before);
    struct pl_outcome *place = pl_outcome_get(EL_OBJ_FD, stack, kind);
    if (place != NULL) {
        d->opener = self->actor->id;
        d->opened_at = pl_now();
        d->stack = stack;
        d->flags = 0;
        d->used = (uint32_t)pl_outcome_made(place, 0, d->opened_at);
        place->closes = 0;
        __atomic_store_n(&d->place, place, __ATOMIC_RELEASE);
        pl_race_opened(self, fd);
        note_top((uint32_t)fd);
        atomic_fetch_add_explicit(&pl_descriptors_made, 1, memory_order_relaxed);
    }
}

/* Each use counts where several opened: there is always something to look at then. */
void pl_descriptor_used_since(int fd)
{
    uint32_t made = atomic_load_explicit(&pl_descriptors_made, memory_order_relaxed);
    struct pl_descriptor *d = &pl_descriptors[fd];
    const struct pl_outcome *place = __atomic_load_n(&d->place, __ATOMIC_RELAXED);
    if (place != NULL) {
        if (__atomic_load_n(&place->race, __ATOMIC_RELAXED) != NULL) {
            pl_race_used(fd);
            made = 0;
        }
        d->used = (uint32_t)__atomic_load_n(&place->cell->made, __ATOMIC_RELAXED);
        d->flags |= EL_FD_USED;
    }
    __atomic_store_n(&pl_fd_table[fd].seen, made, __ATOMIC_RELAXED);
}

/* Opened before the record began, as by a shell's child that redirects a program's output: most of
 * them never have one. Of these the place alone is known, and not how it was reached. */
#define EARLY_MOST 8u
static struct {
    int fd;
    enum el_fd_kind kind;
    uintptr_t pc;
} early[EARLY_MOST];
static uint32_t early_count;

/* 1: it is told of when the record begins. */
static int opened_early(int fd, enum el_fd_kind kind, uintptr_t pc)
{
    if (!pl_is_silent() || !pl_record_is_mine())
        return 0;
    uint32_t i = 0;
    while (i < early_count && early[i].fd != fd) /* the one of that number was closed since */
        i++;
    if (i >= EARLY_MOST)
        return 0;
    if (i == early_count)
        early_count++; /* a handler that comes in takes the next one */
    early[i].kind = kind;
    early[i].pc = pc;
    early[i].fd = fd;
    return 1;
}

void pl_descriptors_early(struct pl_self *self)
{
    for (uint32_t i = 0; i < early_count; i++) {
        const int fd = early[i].fd;
        if (entry_of(fd) != NULL && pl_sys6(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) >= 0)
            opened(self, fd, early[i].kind, pl_stack_of_frames(self, &early[i].pc, 1));
        early[i].fd = 0;
    }
    early_count = 0;
}

void pl_descriptor_opened(int fd, enum el_fd_kind kind, struct pl_call call)
{
    if (entry_of(fd) == NULL || opened_early(fd, kind, call.pc))
        return;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    int error = errno;
    opened(self, fd, kind, pl_stack(self, call));
    errno = error;
    pl_leave(self);
}

/* It had waited for its close while others of its place were opened. The process is asked for only
 * here: a vfork child closes its own descriptors, in the parent's memory. */
static int closed_late(const struct pl_descriptor *d, const struct pl_outcome *place)
{
    uint32_t made = (uint32_t)__atomic_load_n(&place->cell->made, __ATOMIC_RELAXED);
    return made - d->used >= IDLE_LEAST && (d->flags & EL_FD_WATCHED) == 0 && pl_record_is_mine();
}

void pl_descriptor_closing(int fd, uint64_t bytes)
{
    struct pl_descriptor *d = entry_of(fd);
    if (d == NULL || __atomic_load_n(&d->place, __ATOMIC_RELAXED) == NULL || !pl_is_on())
        return;
    struct pl_outcome *place = take(d);
    if (place == NULL)
        return;
    struct el_outcome *cell = place->cell;
    pl_race_closed(place, fd);
    pl_outcome_gone(place);
    if (bytes != 0)
        el_count(&cell->bytes, bytes);
    if (!closed_late(d, place)) {
        place->closes = 0;
        return;
    }
    pl_outcome_lost(place, 0);
    cell->ticks += pl_now() - d->opened_at;
    if ((d->flags & EL_FD_USED) != 0)
        cell->items++;
    if (++place->closes > cell->sweep)
        cell->sweep = place->closes;
}

void pl_descriptors_closed(unsigned lo, unsigned hi)
{
    uint32_t end = atomic_load_explicit(&top, memory_order_relaxed);
    for (uint32_t fd = lo < FIRST ? FIRST : lo; fd < end && fd <= hi; fd++) {
        struct pl_outcome *place = take(&pl_descriptors[fd]);
        if (place != NULL)
            pl_outcome_gone(place);
    }
}

void pl_descriptor_watched(int fd, int watched)
{
    struct pl_descriptor *d = entry_of(fd);
    if (d != NULL && d->place != NULL)
        d->flags = watched ? d->flags | EL_FD_WATCHED : d->flags & ~(uint32_t)EL_FD_WATCHED;
}

/* ---- the end ---- */

static int is_unset(uint32_t timer)
{
    struct itimerspec left;
    return pl_sys6(SYS_timerfd_gettime, timer, (long)&left, 0, 0, 0, 0) == 0 &&
           left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0;
}

static int is_left_alone(uint32_t fd)
{
    struct pollfd asked = {.fd = (int)fd, .events = POLLRDHUP};
    struct timespec at_once = {0, 0};
    return pl_sys6(SYS_ppoll, (long)&asked, 1, (long)&at_once, 0, 0, 0) == 1 &&
           (asked.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

static int is_over(uint32_t fd, enum el_fd_kind kind)
{
    switch (kind) {
    case EL_FD_TIMER:
        return is_unset(fd);
    case EL_FD_PIPE:
    case EL_FD_SOCKET:
    case EL_FD_ACCEPTED:
        return is_left_alone(fd);
    default:
        return 0;
    }
}

static void cell_write(uint32_t fd, const struct pl_descriptor *d, const struct pl_outcome *place)
{
    struct stat file;
    struct el_descriptor *cell = el_alloc_descriptor(&pl_log);
    if (cell == NULL)
        return;
    cell->fd = fd;
    cell->kind = place->cell->how;
    cell->stack = d->stack;
    cell->opener = d->opener;
    cell->opened_at = d->opened_at;
    cell->flags = d->flags | (is_over(fd, place->cell->how) ? EL_FD_OVER : 0);
    cell->idle = (uint32_t)place->cell->made - d->used;
    if (pl_sys6(SYS_fstat, fd, (long)&file, 0, 0, 0, 0) == 0) {
        cell->device = file.st_dev;
        cell->inode = file.st_ino;
    }
    el_set_state(&cell->state, EL_LIVE);
}

void pl_descriptors_at_end(void)
{
    uint32_t end = atomic_load_explicit(&top, memory_order_relaxed), written = 0;
    if (end == 0 || !pl_record_is_mine())
        return;
    for (uint32_t fd = FIRST; fd < end && written < CELLS_MOST; fd++) {
        const struct pl_descriptor *d = &pl_descriptors[fd];
        const struct pl_outcome *place = __atomic_load_n(&d->place, __ATOMIC_ACQUIRE);
        if (place == NULL || pl_sys6(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) < 0)
            continue;
        cell_write(fd, d, place);
        written++;
    }
}
