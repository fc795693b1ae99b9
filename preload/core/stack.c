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
#include "preload/core/stack_table.h"
#include "preload/core/unwind.h"

#define CACHE_BITS  8
#define ENTRY_WORDS 40 /* deeper ones, beyond the preset of `depth`, are walked each time */
#define WALK_MAX    (PL_STACK_DEPTH_MAX + 16)

#define HITS_BATCH 256 /* counted into the summary at once */

struct cache_entry {
    uintptr_t pc, place;
    uintptr_t first; /* what the caller asked to begin with, 0 for nothing */
    uint32_t id;
    uint32_t n;                    /* words to compare */
    uint32_t offsets[ENTRY_WORDS]; /* of the words, from sp, in words */
    uintptr_t words[ENTRY_WORDS];
};

struct pl_stack_cache {
    struct cache_entry entries[1 << CACHE_BITS];
};

/* The end of the stack that the call is on, 0 when it is not known. */
static uintptr_t stack_end(const struct pl_self *self, struct pl_call call)
{
    return call.sp >= self->stack_lo && call.sp < self->stack_hi ? self->stack_hi : 0;
}

static struct cache_entry *entry_of(struct pl_self *self, struct pl_call call, uintptr_t place)
{
    struct pl_thread *thread = self->thread;
    if (thread->stacks == NULL)
        thread->stacks = pl_arena_alloc(sizeof(struct pl_stack_cache));
    if (thread->stacks == NULL)
        return NULL;
    uint64_t hash = (call.pc ^ place << 20 ^ place >> 20) * UINT64_C(0x9e3779b97f4a7c15);
    return &thread->stacks->entries[hash >> (64 - CACHE_BITS)];
}

static int entry_holds(const struct cache_entry *e, struct pl_call call, uintptr_t place,
                       uintptr_t first)
{
    if (e->pc != call.pc || e->place != place || e->first != first || e->id == 0)
        return 0;
    for (uint32_t i = 0; i < e->n; i++) {
        uintptr_t word = *(const uintptr_t *)(call.sp + (uintptr_t)e->offsets[i] * 8);
        if (pl_plain_address(word) != e->words[i])
            return 0;
    }
    return 1;
}

static void entry_fill(struct cache_entry *e, struct pl_call call, uintptr_t place, uintptr_t first,
                       const struct pl_walk *walk, uint32_t id)
{
    e->id = 0; /* not valid while it is written */
    e->pc = call.pc;
    e->place = place;
    e->first = first;
    e->n = 0;
    for (unsigned i = 1; i < walk->n; i++) {
        uintptr_t offset = (walk->slots[i] - call.sp) / 8;
        if (walk->slots[i] < call.sp || offset > UINT32_MAX || e->n == ENTRY_WORDS)
            return;
        e->offsets[e->n] = (uint32_t)offset;
        e->words[e->n++] = walk->pcs[i];
    }
    e->id = id;
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

/* The rare side, with its large frame, apart from the other. */
__attribute__((noinline)) static uint32_t stack_walk(struct pl_self *self, struct pl_call call,
                                                     uintptr_t place, uintptr_t first,
                                                     struct cache_entry *e)
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
    if (e != NULL && id != 0)
        entry_fill(e, call, place, first, &walk, id);
    return id;
}

static inline uint32_t stack_find(struct pl_self *self, struct pl_call call, uintptr_t first)
{
    uintptr_t end = stack_end(self, call);
    uintptr_t place = end != 0 ? end - call.sp : call.sp;
    struct cache_entry *e = entry_of(self, call, place);
    if (__builtin_expect(e == NULL || !entry_holds(e, call, place, first), 0))
        return stack_walk(self, call, place, first, e);
    if (++self->thread->stack_hits % HITS_BATCH == 0)
        el_count(&pl_log.summary->stack_hits, HITS_BATCH);
    return e->id;
}

uint32_t pl_stack(struct pl_self *self, struct pl_call call)
{
    return stack_find(self, call, 0);
}

uint32_t pl_stack_from(struct pl_self *self, struct pl_call call, const void *first)
{
    return stack_find(self, call, (uintptr_t)first);
}
