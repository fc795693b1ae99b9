/* race.c - see race.h. */
#include "preload/core/race.h"

#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"

#define TRIES    200 /* for the lock, which is held for some dozen instructions */
#define IN_ROW_A 16  /* so many uses in a row, and some for each member, are a habit */
#define IN_ROW_B 4
#define PLACES   1024

/* Places with a race, for the end. */
static PL_LARGE struct pl_outcome *places[PLACES];
static _Atomic uint32_t place_count;

static int race_lock(struct pl_race *race)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t no = 0;
        if (atomic_compare_exchange_weak(&race->lock, &no, 1))
            return 0;
    }
    return -1; /* one use or opening less is known */
}

static void race_unlock(struct pl_race *race)
{
    atomic_store_explicit(&race->lock, 0, memory_order_release);
}

static int member_of(const struct pl_race *race, uint64_t opener)
{
    for (uint32_t i = 0; i < race->n; i++)
        if (race->opener[i] == opener)
            return (int)i;
    return -1;
}

/* Of a place where a second actor opens; the one that the first had opened is a member too. */
static struct pl_race *race_of(struct pl_outcome *place)
{
    struct pl_race *race = __atomic_load_n(&place->race, __ATOMIC_ACQUIRE);
    if (race != NULL)
        return race;
    struct pl_race *made = pl_arena_alloc(sizeof(*made));
    if (made == NULL)
        return NULL;
    made->used = -1;
    const struct pl_descriptor *first = &pl_descriptors[place->last_fd];
    if (first->place == place) {
        made->opener[0] = place->last_opener;
        made->fd[0] = place->last_fd;
        made->first_at = first->opened_at;
        made->n = 1;
    }
    if (!__atomic_compare_exchange_n(&place->race, &race, made, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return race;
    uint32_t at = atomic_fetch_add(&place_count, 1);
    if (at < PLACES)
        places[at] = place;
    return made;
}

static void begin_anew(struct pl_race *race)
{
    race->n = race->over = race->broken = race->told = 0;
    race->used = -1;
    race->in_row = race->crossed = 0;
}

/* What was found is written once it is a habit, or at the end. */
static void tell(const struct pl_outcome *place, struct pl_race *race)
{
    uint32_t lost = (uint32_t)__builtin_popcountll(race->crossed);
    if (race->broken || race->told || lost == 0 || race->in_row < lost + 1)
        return;
    struct pl_outcome *found = pl_outcome_get(EL_OBJ_ONCE, place->cell->stack, place->cell->how);
    if (found == NULL)
        return;
    found->cell->first_at = race->first_at;
    el_count(&found->cell->made, race->n);
    el_count(&found->cell->lost, lost);
    el_count(&found->cell->ticks, race->last_at - race->first_at);
    found->cell->last_at = race->last_at;
    for (uint32_t i = 0; i < race->n; i++)
        if ((race->crossed >> i & 1) != 0 && race->fd[i] < 0)
            pl_outcome_gone(found);
    race->told = 1;
}

/* Made for its opener alone, or by somebody else. */
static int may_be_shared(uint32_t kind)
{
    return kind != EL_FD_ACCEPTED && kind != EL_FD_COPY && kind != EL_FD_TIMER && kind != EL_FD_DIR;
}

void pl_race_opened(const struct pl_self *self, int fd)
{
    const struct pl_descriptor *d = &pl_descriptors[fd];
    struct pl_outcome *place = d->place;
    uint64_t opener = self->actor->id;
    if (place == NULL || !may_be_shared(place->cell->how))
        return;
    if (place->last_opener == 0 || place->last_opener == opener) {
        /* Of a place at which one actor opens, the first is kept in mind and no more. */
        place->last_opener = opener;
        place->last_fd = fd;
        if (place->race == NULL)
            return;
    }
    struct pl_race *race = race_of(place);
    if (race == NULL || race_lock(race) != 0)
        return;
    if (race->over || race->n == PL_RACE_MOST || member_of(race, opener) >= 0) {
        tell(place, race);
        begin_anew(race);
    }
    if (race->n == 0)
        race->first_at = d->opened_at;
    race->opener[race->n] = opener;
    race->fd[race->n++] = fd;
    race->last_at = d->opened_at;
    place->last_opener = opener;
    place->last_fd = fd;
    race_unlock(race);
}

static int is_member(const struct pl_race *race, int fd)
{
    for (uint32_t i = 0; i < race->n; i++)
        if (race->fd[i] == fd)
            return 1;
    return 0;
}

/* Each event loop has one to be woken by, which it does not use itself. */
static int is_watched(const struct pl_descriptor *d, uint32_t kind)
{
    return (d->flags & EL_FD_WATCHED) != 0 && (kind == EL_FD_EVENT || kind == EL_FD_PIPE);
}

/* Its opener goes on with another. */
static void left(struct pl_race *race, int own, uint32_t kind)
{
    struct pl_descriptor *d = race->fd[own] < 0 ? NULL : &pl_descriptors[race->fd[own]];
    if (d != NULL && is_watched(d, kind))
        return;
    race->crossed |= UINT64_C(1) << own;
    if (d != NULL)
        d->flags |= EL_FD_LEFT;
}

static void used_by_other(struct pl_outcome *place, struct pl_race *race, int fd, uint64_t user)
{
    int own = member_of(race, user);
    race->over = 1;
    if (race->used != fd) {
        race->used = fd;
        race->in_row = race->crossed = 0;
    }
    race->in_row++;
    if (own >= 0 && race->fd[own] != fd)
        left(race, own, place->cell->how);
    if (race->in_row > IN_ROW_A + IN_ROW_B * (uint64_t)race->n)
        tell(place, race);
}

void pl_race_used(int fd)
{
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    const struct pl_descriptor *d = &pl_descriptors[fd];
    struct pl_outcome *place = d->place;
    struct pl_race *race = place == NULL ? NULL : place->race;
    uint64_t user = self->actor->id;
    uint32_t is_left = d->flags & EL_FD_LEFT;
    if (race != NULL && !race->told && (user != d->opener || is_left) && race_lock(race) == 0) {
        if (is_left)
            race->broken |= (uint32_t)is_member(race, fd);
        else if (is_member(race, fd) && !is_watched(d, place->cell->how))
            used_by_other(place, race, fd, user);
        race_unlock(race);
    }
    pl_leave(self);
}

void pl_race_closed(const struct pl_outcome *place, int fd)
{
    struct pl_race *race = place->race;
    if (race == NULL || race_lock(race) != 0)
        return;
    for (uint32_t i = 0; i < race->n; i++)
        if (race->fd[i] == fd)
            race->fd[i] = -1;
    race_unlock(race);
}

void pl_races_at_end(void)
{
    uint32_t n = atomic_load(&place_count);
    for (uint32_t i = 0; i < n && i < PLACES; i++)
        if (places[i] != NULL && race_lock(places[i]->race) == 0) {
            tell(places[i], places[i]->race);
            race_unlock(places[i]->race);
        }
}

void pl_races_reset(void)
{
    atomic_store(&place_count, 0);
}
