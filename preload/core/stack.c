/*
 * stack.c - see stack.h.
 *
 * Two tables. The process has one of all stacks, by their frames: it gives the ids and only grows.
 * Each thread has a small one that recognises a stack without walking it: an entry is keyed by
 * return address and place on the stack and remembers where the other return addresses lay. When
 * all those words still hold them, the stack is the same. The words are read innermost first, and
 * reading stops at the first that differs, so that memory beyond a changed stack is not touched.
 *
 * The place is the distance from the stack's end where that is known: ten thousand tasks that do
 * the same have one entry.
 */
#include "preload/core/stack.h"

#include <string.h>

#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/modules.h"
#include "preload/core/options.h"
#include "preload/core/record.h"
#include "preload/core/shallow.h"
#include "preload/core/stack_table.h"
#include "preload/core/unwind.h"

#define WALK_MAX      (PL_STACK_DEPTH_MAX + 16)
#define HITS_BATCH    256 /* counted into the summary at once */
#define OUTWORN_EVERY 8
#define WORDS_STEP    8 /* an entry gets room for so many more at once */

/* The end of the stack that the call is on, 0 when it is not known. */
static uintptr_t stack_end(const struct pl_self *self, struct pl_call call)
{
    return call.sp >= self->stack_lo && call.sp < self->stack_hi ? self->stack_hi : 0;
}

/* Room for so many words; what was too small stays unused. */
static int words_room(struct pl_stack_entry *e, unsigned n)
{
    if (n <= e->room)
        return 1;
    const unsigned room = (n + WORDS_STEP - 1) / WORDS_STEP * WORDS_STEP;
    struct pl_stack_word *words = pl_arena_alloc(room * sizeof(*words));
    if (words == NULL)
        return 0;
    e->words = words;
    e->room = (uint16_t)room;
    return 1;
}

/* `from`: the frame whose return address is the first that is compared. */
static void entry_fill(struct pl_stack_entry *e, struct pl_call call, uintptr_t first,
                       uintptr_t place, const struct pl_walk *walk, unsigned from, uint32_t id)
{
    e->id = 0; /* not valid while it is written */
    e->pc = call.pc;
    e->place = place;
    e->first = first;
    e->n = 0;
    const unsigned n = walk->n > from ? walk->n - from : 0;
    if (n > PL_STACK_WORDS || !words_room(e, n))
        return;
    for (unsigned i = from; i < walk->n; i++) {
        uintptr_t offset = (walk->slots[i] - call.sp) / 8;
        if (walk->slots[i] < call.sp || offset > UINT32_MAX)
            return;
        e->words[e->n++] = (struct pl_stack_word){walk->pcs[i], offset};
    }
    e->id = id;
}

/* What is dropped need not be compared, only what lies further out. */
static unsigned compared_from(const struct pl_walk *walk, uintptr_t first)
{
    unsigned from = 1;
    while (first != 0 && from < walk->n && walk->pcs[from - 1] != first)
        from++;
    return from < walk->n ? from : 1;
}

/* Drops the frames of this library, and those below `first`. Gives the number left. */
static unsigned frames_trim(uintptr_t *pcs, unsigned n, uintptr_t first)
{
    unsigned from = 0, kept = 0;
    for (unsigned i = 0; first != 0 && i < n; i++) {
        if (pcs[i] == first) {
            from = i;
            break;
        }
    }
    for (unsigned i = from; i < n; i++) {
        if (!pl_modules_own(pcs[i]))
            pcs[kept++] = pcs[i];
    }
    return kept;
}

static void stack_write(struct pl_self *self, uint32_t id, const uintptr_t *pcs, unsigned n,
                        int truncated)
{
    uint64_t frames[WALK_MAX];
    struct el_stack event = {.stack = id, .flags = truncated ? EL_STACK_TRUNCATED : 0};
    for (unsigned i = 0; i < n; i++)
        frames[i] = pcs[i];
    event.frames_count = n;
    event.frames = frames;
    PL_WRITE(self, stack, &event);
}

static uint32_t stack_id(struct pl_self *self, const uintptr_t *pcs, unsigned n, int truncated)
{
    int created = 0;
    uint32_t id = pl_stack_table_get(pcs, n, &created);
    if (created) {
        pl_modules_refresh(self);
        stack_write(self, id, pcs, n, truncated);
    }
    return id;
}

/*
 * Where a stack of the place is remembered when the place's own entry has another one, as with the
 * many paths through a recursive function. The words where that one's return addresses lay are
 * likely this one's: they choose.
 */
static struct pl_stack_entry *second_entry(struct pl_stack_cache *cache,
                                           const struct pl_stack_entry *e, struct pl_call call)
{
    const uintptr_t *sp = (const uintptr_t *)call.sp;
    uint64_t hash = e->place ^ e->pc << 20;
    for (uint32_t i = 0; i < e->n; i++) {
        hash = (hash ^ sp[e->words[i].offset]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return &cache->entries[hash >> (64 - PL_STACK_CACHE_BITS)];
}

/* Does the entry stand for that place, with whatever stack? */
static int is_of_place(const struct pl_stack_entry *e, struct pl_call call, uintptr_t place,
                       uintptr_t first)
{
    return e->id != 0 && e->pc == call.pc && e->place == place && e->first == first;
}

/* The entry of the place, in one of WAYS from its slot on; NULL when it has none. */
#define WAYS 4
static struct pl_stack_entry *entry_of_place(struct pl_stack_cache *cache, struct pl_call call,
                                             uintptr_t place, uintptr_t first)
{
    uint32_t slot = pl_stack_slot(call.pc, place);
    for (uint32_t way = 0; way < WAYS; way++) {
        if (is_of_place(&cache->entries[slot ^ way], call, place, first))
            return &cache->entries[slot ^ way];
    }
    return NULL;
}

uint32_t pl_stack_slot_of(const struct pl_self *self, struct pl_call call, uintptr_t first,
                          uint32_t id)
{
    struct pl_stack_cache *cache = self->thread->stacks;
    uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    const struct pl_stack_entry *e =
        cache == NULL ? NULL : entry_of_place(cache, call, place, first);
    if (e == NULL)
        return pl_stack_slot(call.pc, place);
    return (uint32_t)((e->id == id ? e : second_entry(cache, e, call)) - cache->entries);
}

/* A first stack of a place that does not come any more, and whose words lie elsewhere than those of
 * the others, chooses at random: now and then another one takes its entry. */
static int is_outworn(struct pl_thread *thread)
{
    return ++thread->stack_misses % OUTWORN_EVERY == 0;
}

/* Where the thread is to remember this stack; NULL without memory. */
static struct pl_stack_entry *entry_room(struct pl_self *self, struct pl_call call, uintptr_t place,
                                         uintptr_t first)
{
    struct pl_thread *thread = self->thread;
    if (thread->stacks == NULL)
        thread->stacks = pl_arena_alloc_touched(sizeof(struct pl_stack_cache));
    if (thread->stacks == NULL)
        return NULL;
    struct pl_stack_entry *e = entry_of_place(thread->stacks, call, place, first);
    if (e != NULL)
        return is_outworn(thread) ? e : second_entry(thread->stacks, e, call);
    uint32_t slot = pl_stack_slot(call.pc, place);
    for (uint32_t way = 0; way < WAYS; way++) {
        if (thread->stacks->entries[slot ^ way].id == 0)
            return &thread->stacks->entries[slot ^ way];
    }
    return &thread->stacks->entries[slot ^ thread->stack_misses++ % WAYS];
}

/* What is not where pl_stack_known looks. */
static uint32_t second_look(const struct pl_self *self, struct pl_call call, uintptr_t first)
{
    struct pl_stack_cache *cache = self->thread->stacks;
    uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    const struct pl_stack_entry *e =
        cache == NULL ? NULL : entry_of_place(cache, call, place, first);
    if (e == NULL)
        return 0;
    uint32_t id = pl_stack_match(e, call, place, first);
    return id != 0 ? id : pl_stack_match(second_entry(cache, e, call), call, place, first);
}

/* The rare side, with its large frame, apart from the other. */
__attribute__((noinline)) static uint32_t stack_walk(struct pl_self *self, struct pl_call call,
                                                     uintptr_t first)
{
    uintptr_t end = stack_end(self, call);
    uintptr_t pcs[WALK_MAX], slots[WALK_MAX];
    unsigned depth = (unsigned)pl_options.depth;
    struct pl_walk walk = {
        .pcs = pcs, .slots = slots, .max = first != 0 ? depth + 8 : depth, .hi = end};
    pl_unwind(&walk, call);
    el_count(&pl_log.summary->unwinds, 1);
    uintptr_t kept[WALK_MAX];
    memcpy(kept, pcs, walk.n * sizeof(pcs[0]));
    unsigned n = frames_trim(kept, walk.n, first);
    if (n > depth) {
        n = depth;
        walk.truncated = 1;
    }
    if (n == 0)
        return 0;
    uint32_t id = stack_id(self, kept, n, walk.truncated);
    uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    struct pl_stack_entry *e = entry_room(self, call, place, first);
    if (e != NULL && id != 0)
        entry_fill(e, call, first, place, &walk, compared_from(&walk, first), id);
    return id;
}

/* 0: it has to be walked. */
static uint32_t stack_remembered(struct pl_self *self, struct pl_call call, uintptr_t first)
{
    uint32_t id = pl_stack_known(self, self->stack_lo, self->stack_hi, call, first);
    if (__builtin_expect(id == 0, 0) && (id = second_look(self, call, first)) == 0)
        return 0;
    if (++self->thread->stack_hits % HITS_BATCH == 0)
        el_count(&pl_log.summary->stack_hits, HITS_BATCH);
    return id;
}

uint32_t pl_stack_at(struct pl_self *self, uintptr_t pc, uintptr_t sp, uintptr_t fp,
                     uintptr_t first)
{
    struct pl_call call = {pc, sp, fp};
    uint32_t id = stack_remembered(self, call, first);
    return id != 0 ? id : stack_walk(self, call, first);
}

void pl_stack_same_count(struct pl_stack_same *s)
{
    s->uses = 0;
    el_count(&pl_log.summary->stack_hits, PL_STACK_SAME_COUNTED);
}

void pl_stack_same_keep(struct pl_self *self, struct pl_stack_same *s, struct pl_call call,
                        uint32_t id)
{
    s->pc = 0;
    const uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    const struct pl_stack_entry *e =
        pl_stack_entry_of(self, pl_stack_slot_of(self, call, 0, id), place, id);
    if (e == NULL || e->pc != call.pc || e->first != 0 || e->n > PL_SAME_WORDS)
        return;
    for (uint32_t i = 0; i < e->n; i++) {
        if (e->words[i].offset > UINT16_MAX)
            return;
        s->offsets[i] = (uint16_t)e->words[i].offset;
        s->words[i] = e->words[i].word;
    }
    s->n = e->n;
    s->id = id;
    s->sp = call.sp;
    s->pc = call.pc;
}

/* The nearest frames of a place that is reached on very many ways. */
static uint32_t stack_shallow(struct pl_self *self, struct pl_call call)
{
    uint32_t id = pl_shallow_find(self, call.pc, call.sp);
    if (id != 0)
        return id;
    uintptr_t pcs[PL_SHALLOW_FRAMES], slots[PL_SHALLOW_FRAMES];
    struct pl_walk walk = {
        .pcs = pcs, .slots = slots, .max = PL_SHALLOW_FRAMES, .hi = stack_end(self, call)};
    pl_unwind(&walk, call);
    el_count(&pl_log.summary->unwinds, 1);
    if (walk.n == 0 || (id = stack_id(self, pcs, walk.n, 1)) == 0)
        return 0;
    pl_shallow_add(self, call, &walk, id);
    return id;
}

uint32_t pl_stack_or_shallow(struct pl_self *self, struct pl_call call)
{
    uint32_t uses, id = pl_shallow_use(self, call.pc, call.sp);
    if (id == 0)
        id = stack_remembered(self, call, 0);
    if (id == 0 && pl_shallow_wanted(self, call.pc, &uses))
        return stack_shallow(self, call);
    return id != 0 ? id : stack_walk(self, call, 0);
}

/* ---- places that are told, not called from ---- */

uint32_t pl_stack_of_frames(struct pl_self *self, const uintptr_t *pcs, unsigned n)
{
    return stack_id(self, pcs, n, 1);
}

/* The frames that enclose the place's own are those that lie beyond it on the stack. If that one
 * has returned, they still enclose the present call, as long as its caller has not. */
__attribute__((noinline)) static uint32_t place_walk(struct pl_self *self, struct pl_call at,
                                                     uintptr_t caller)
{
    const struct pl_call now = PL_CALL();
    uintptr_t pcs[WALK_MAX], slots[WALK_MAX], kept[WALK_MAX + 2] = {at.pc, caller};
    struct pl_walk walk = {.pcs = pcs, .slots = slots, .max = WALK_MAX, .hi = stack_end(self, now)};
    pl_unwind(&walk, now);
    el_count(&pl_log.summary->unwinds, 1);
    unsigned n = 2, from = 1, depth = (unsigned)pl_options.depth;
    while (from < walk.n && slots[from] < at.sp)
        from++;
    for (unsigned i = from; i < walk.n; i++)
        kept[n++] = pcs[i];
    n = frames_trim(kept, n, 0);
    const uint32_t id = stack_id(self, kept, n < depth ? n : depth, walk.truncated || n > depth);
    const uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, at.sp);
    struct pl_stack_entry *e = id == 0 ? NULL : entry_room(self, at, place, caller);
    if (e != NULL)
        entry_fill(e, at, caller, place, &walk, from, id);
    return id;
}

uint32_t pl_stack_of_place(struct pl_self *self, const struct pl_place *place)
{
    const struct pl_call at = {pl_plain_address((uintptr_t)place->pc), (uintptr_t)place->frame, 0};
    const uintptr_t caller = pl_plain_address((uintptr_t)place->caller);
    uint32_t id = stack_remembered(self, at, caller);
    return id != 0 ? id : place_walk(self, at, caller);
}

/* ---- places that come often ---- */

/* Only where the stack's end is known, or nothing of it: then an equal distance is an equal place.
 */
static int near_can(const struct pl_self *self, struct pl_call call, const struct pl_stack_entry *e)
{
    if (e->n == 0 || (self->stack_hi != 0 && stack_end(self, call) == 0))
        return 0;
    uint32_t last = e->n < PL_NEAR_WORDS ? e->n - 1 : PL_NEAR_WORDS - 1;
    return e->words[last].offset <= PL_NEAR_REACH;
}

static void near_fill(struct pl_near *near, const struct pl_self *self, struct pl_call call,
                      const struct pl_stack_entry *e)
{
    pl_held_forget_places(self->thread->actor);
    near->trust = near->left = 0;
    for (uint32_t i = 0; i < PL_NEAR_WORDS; i++) {
        uint32_t from = i < e->n ? i : 0;
        near->offsets[i] = (uint16_t)e->words[from].offset;
        near->words[i] = e->words[from].word;
    }
    near->pc = e->first != 0 ? e->first : call.pc;
    near->place = (uint32_t)(self->stack_hi - call.sp);
    near->next = 0;
    near->id = e->id;
    near->trust = 1;
    near->left = 2;
}

/*
 * An entry is in one of NEAR_WAYS from its slot on. A place's first stack has the slot of the
 * place, another one that of pl_near_slot_of_other.
 */
#define NEAR_WAYS 4

static struct pl_near *near_first(const struct pl_self *self, uintptr_t pc, uintptr_t place)
{
    const size_t slot = pl_near_slot(pc, place);
    for (size_t way = 0; way < NEAR_WAYS; way++) {
        struct pl_near *near = &self->near[slot ^ way];
        if (near->trust != 0 && pl_near_is_of(near, pc, place))
            return near;
    }
    return NULL;
}

/* The entry of what the nearest frames tell, NULL when there is none. `first`: the place's first.
 */
static struct pl_near *near_find(const struct pl_self *self, struct pl_near *first, uintptr_t at)
{
    const uintptr_t *sp = (const uintptr_t *)at;
    if (first == NULL || pl_near_matches(first, sp))
        return first;
    const size_t slot = pl_near_slot_of_other(first, (const uintptr_t *)at);
    for (size_t way = 0; way < NEAR_WAYS; way++) {
        struct pl_near *near = &self->near[slot ^ way];
        if (near->trust != 0 && pl_near_is_of(near, first->pc, first->place) &&
            pl_near_matches(near, sp))
            return near;
    }
    return NULL;
}

static void near_trust_less(struct pl_near *near, uint16_t trust)
{
    near->trust = trust;
    near->left = near->left < trust + 1 ? near->left : (uint16_t)(trust + 1);
}

/* An entry for a stack that has none. Of those from its slot on, the one that was trusted least
 * makes room; the others have to earn it again. */
static struct pl_near *near_room(const struct pl_self *self, struct pl_near *first, uintptr_t pc,
                                 uintptr_t at)
{
    size_t slot = first == NULL ? pl_near_slot(pc, self->stack_hi - at)
                                : pl_near_slot_of_other(first, (const uintptr_t *)at);
    struct pl_near *least = &self->near[slot];
    if (first != NULL && is_outworn(self->thread))
        return first;
    for (size_t way = 1; way < NEAR_WAYS; way++) {
        struct pl_near *near = &self->near[slot ^ way];
        struct pl_near *more = near->trust < least->trust ? least : near;
        least = near->trust < least->trust ? near : least;
        near_trust_less(more, (uint16_t)((more->trust + 1) / 2));
    }
    return least;
}

/* `near` comes often. What is found sooner, where its place is looked for first, has to come as
 * well, or they change places. */
static void near_outdo(const struct pl_self *self, struct pl_near *sooner, struct pl_near *near)
{
    pl_held_forget_places(self->thread->actor);
    const struct pl_near was = *sooner;
    if (was.trust > 1) {
        near_trust_less(sooner, was.trust / 2);
        return;
    }
    *sooner = *near;
    *near = was;
    sooner->next = near->next = 0;
}

PL_USUAL struct pl_near *pl_near_among(const struct pl_self *self, uintptr_t hi, uintptr_t pc,
                                       uintptr_t at)
{
    return self->near == NULL ? NULL : near_find(self, near_first(self, pc, hi - at), at);
}

uint32_t pl_stack_near_other(const struct pl_self *self, uintptr_t hi, uintptr_t pc, uintptr_t at)
{
    if (self->near == NULL)
        return 0;
    const uint32_t shallow = pl_shallow_use(self, pc, at);
    if (shallow != 0)
        return shallow;
    struct pl_near *near = near_find(self, near_first(self, pc, hi - at), at);
    return near == NULL ? 0 : pl_near_use(near);
}

static const struct pl_stack_entry *entry_find(const struct pl_self *self, struct pl_call call,
                                               uintptr_t first, uint32_t id)
{
    struct pl_stack_cache *cache = self->thread->stacks;
    uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    const struct pl_stack_entry *e =
        cache == NULL ? NULL : entry_of_place(cache, call, place, first);
    if (e != NULL && e->id != id)
        e = second_entry(cache, e, call);
    return e != NULL && e->id == id && is_of_place(e, call, place, first) ? e : NULL;
}

/* The frames that choose among the entries of a place may have returned: all are looked at. */
static const struct pl_stack_entry *entry_search(const struct pl_self *self, struct pl_call call,
                                                 uint32_t id)
{
    const struct pl_stack_cache *cache = self->thread->stacks;
    uintptr_t place = pl_stack_place(self->stack_lo, self->stack_hi, call.sp);
    uint32_t slot = pl_stack_slot(call.pc, place);
    for (uint32_t i = 0; cache != NULL && id != 0 && i < 1u << PL_STACK_CACHE_BITS; i++) {
        const struct pl_stack_entry *e = &cache->entries[slot ^ i];
        if (e->id == id && e->pc == call.pc && e->place == place)
            return e;
    }
    return NULL;
}

/* What another thread that had the same record left there is of another stack. */
static void near_begin(struct pl_self *self)
{
    struct pl_thread *thread = self->thread;
    const size_t bytes = sizeof(struct pl_near) << PL_NEAR_BITS;
    if (thread->near == NULL)
        thread->near = pl_arena_alloc_touched(bytes);
    else
        memset(thread->near, 0, bytes);
    self->near = thread->near;
}

/* The stack is the one of `e`, as all its frames tell. Gives how often it was known since the last
 * time. */
static uint32_t near_learn(struct pl_self *self, uintptr_t pc, struct pl_call call,
                           const struct pl_stack_entry *e)
{
    const uintptr_t place = self->stack_hi - call.sp;
    struct pl_near *sooner = &self->near[pl_near_slot(pc, place)];
    struct pl_near *first = near_first(self, pc, place);
    struct pl_near *near = near_find(self, first, call.sp);
    if (near == NULL || near->id != e->id) {
        /* The nearest frames may be known, and those further out are others now. */
        near_fill(near != NULL ? near : near_room(self, first, pc, call.sp), self, call, e);
        return 0;
    }
    uint32_t uses = (uint32_t)(near->trust + 1 - near->left);
    near->trust = (uint16_t)(near->trust < PL_TRUST_MOST ? near->trust * 2 : PL_TRUST_MOST);
    near->left = (uint16_t)(near->trust + 1);
    if (near != sooner && near->trust == PL_TRUST_MOST)
        near_outdo(self, sooner, near);
    return uses;
}

uint32_t pl_stack_often_counted(struct pl_self *self, struct pl_call call, const void *first,
                                uint32_t *uses)
{
    uint32_t id = stack_remembered(self, call, (uintptr_t)first);
    *uses = 0;
    if (id == 0 && first == NULL && pl_shallow_wanted(self, call.pc, uses))
        return stack_shallow(self, call);
    if (id == 0)
        id = stack_walk(self, call, (uintptr_t)first);
    if (self->near == NULL)
        near_begin(self);
    const struct pl_stack_entry *e = entry_find(self, call, (uintptr_t)first, id);
    if (self->near != NULL && e != NULL && near_can(self, call, e))
        *uses = near_learn(self, first != NULL ? (uintptr_t)first : call.pc, call, e);
    return id;
}

/* The frames `known`, the last of which lies at `beyond`, and from there on those that enclose
 * `now`. 0: it cannot be told. */
static uint32_t stack_splice(struct pl_self *self, const uintptr_t *known, unsigned nknown,
                             uintptr_t beyond, struct pl_call now)
{
    uintptr_t pcs[WALK_MAX], slots[WALK_MAX], kept[WALK_MAX + 1 + PL_NEAR_WORDS];
    struct pl_walk walk = {.pcs = pcs, .slots = slots, .max = WALK_MAX, .hi = stack_end(self, now)};
    unsigned n = nknown, depth = (unsigned)pl_options.depth;
    pl_unwind(&walk, now);
    memcpy(kept, known, nknown * sizeof(kept[0]));
    for (unsigned i = 1; i < walk.n; i++) {
        if (slots[i] > beyond)
            kept[n++] = pcs[i];
    }
    n = frames_trim(kept, n, 0);
    return stack_id(self, kept, n < depth ? n : depth, walk.truncated || n > depth);
}

static uint32_t revise_near(struct pl_self *self, const struct pl_stack_entry *e,
                            struct pl_call then, struct pl_call now)
{
    for (uint32_t i = PL_NEAR_WORDS; i < e->n; i++) {
        uintptr_t at = then.sp + e->words[i].offset * 8;
        if (at < now.sp) /* that frame has returned */
            continue;
        if (pl_plain_address(*(const uintptr_t *)at) != e->words[i].word) {
            uintptr_t known[1 + PL_NEAR_WORDS] = {e->first != 0 ? e->first : then.pc};
            for (uint32_t k = 0; k < PL_NEAR_WORDS; k++)
                known[1 + k] = e->words[k].word;
            return stack_splice(self, known, 1 + PL_NEAR_WORDS,
                                then.sp + e->words[PL_NEAR_WORDS - 1].offset * 8, now);
        }
    }
    return 0;
}

uint32_t pl_stack_revise(struct pl_self *self, struct pl_call then, uint32_t id, struct pl_call now)
{
    if (stack_end(self, then) == 0 || stack_end(self, now) == 0)
        return id;
    const struct pl_shallow_leaf *leaf = pl_shallow_leaf(self, id);
    const struct pl_stack_entry *e = leaf != NULL ? NULL : entry_search(self, then, id);
    uint32_t right = 0;
    if (leaf != NULL)
        right = stack_splice(self, leaf->frames, leaf->n, then.sp + leaf->reach, now);
    else if (e != NULL)
        right = revise_near(self, e, then, now);
    return right != 0 ? right : id;
}
