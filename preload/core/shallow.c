/* shallow.c - see shallow.h. */
#include "preload/core/shallow.h"

#include "preload/core/arena.h"

#define PLACE_BITS  6
#define GROUP_BITS  9 /* most; tables that are not full touch less memory */
#define GROUP_LEAST 6
#define WAYS        4  /* nodes of a group, which is a cache line */
#define WALKS_MOST  16 /* of a place in one thread, until shallow stacks have to do */
#define USES_MOST   60 /* until a call is looked at more closely */

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

/* What follows some return addresses. */
struct node {
    uint64_t key;
    uint32_t offset; /* where the next one lies, in words from sp; 0: there is none */
    uint32_t id;     /* of the stack, where there is none */
};

/* The stacks of a thread's places. Few threads have such a place: the others have no such table. */
struct known {
    struct node nodes[1 << GROUP_BITS][WAYS];
    uint32_t next_way;  /* the one that makes room */
    uint32_t more_bits; /* beyond GROUP_LEAST: what was known goes where it is not looked for */
    struct pl_shallow_leaf leaves[1 << GROUP_BITS];
};

struct pl_shallow {
    struct place {
        uintptr_t pc;
        uint32_t walks, uses;
    } places[1 << PLACE_BITS];
    struct known *known; /* NULL: none yet */
};

static struct place *place_at(struct pl_shallow *shallow, uintptr_t pc)
{
    return &shallow->places[pc * GOLDEN >> (64 - PLACE_BITS)];
}

int pl_shallow_wanted(const struct pl_self *self, uintptr_t pc, uint32_t *uses)
{
    struct pl_thread *thread = self->thread;
    if (thread->shallow == NULL)
        thread->shallow = pl_arena_alloc(sizeof(*thread->shallow));
    if (thread->shallow == NULL)
        return 0;
    struct place *place = place_at(thread->shallow, pc);
    if (place->pc != pc)
        *place = (struct place){.pc = pc};
    *uses = place->uses;
    place->uses = 0;
    if (place->walks < WALKS_MOST) {
        place->walks++;
        return 0;
    }
    thread->shallows = 1;
    return 1;
}

static uint64_t key_of(uint64_t before, uintptr_t word)
{
    uint64_t key = (before ^ word) * GOLDEN;
    return key ^ key >> 29;
}

static size_t index_of(const struct known *known, uint64_t key)
{
    return key * GOLDEN >> (64 - GROUP_LEAST - known->more_bits);
}

static struct node *group_of(struct known *known, uint64_t key)
{
    return known->nodes[index_of(known, key)];
}

/* The one of the group of `key` that has `wanted`, 0 for a free one; NULL: there is none. */
static struct node *node_find_in(struct known *known, uint64_t key, uint64_t wanted)
{
    struct node *group = group_of(known, key);
    for (unsigned way = 0; way < WAYS; way++) {
        if (group[way].key == wanted)
            return &group[way];
    }
    return NULL;
}

static struct node *node_find(struct known *known, uint64_t key)
{
    return node_find_in(known, key, key);
}

/* Is there to be more room, since so many have had to go? */
static void grow(struct known *known)
{
    const uint32_t bits = GROUP_LEAST + known->more_bits;
    if (bits < GROUP_BITS && known->next_way >= 1u << bits) {
        known->more_bits++;
        known->next_way = 0;
    }
}

/* In place of the same, of none, or of one of the group in turn. */
static void node_put(struct known *known, uint64_t key, uint32_t offset, uint32_t id)
{
    struct node *node = node_find(known, key);
    struct node *free = node != NULL ? node : node_find_in(known, key, 0);
    if (free == NULL) {
        grow(known);
        free = &group_of(known, key)[known->next_way++ % WAYS];
    }
    *free = (struct node){key, offset, id};
}

static struct pl_shallow_leaf *leaf_at(struct known *known, uint32_t id)
{
    return &known->leaves[index_of(known, id)];
}

/* Only where the end of the stack is known: the words must lie before it. */
static uintptr_t words_of(const struct pl_self *self, uintptr_t sp)
{
    return sp >= self->stack_lo && sp < self->stack_hi ? (self->stack_hi - sp) / sizeof(uintptr_t)
                                                       : 0;
}

uint32_t pl_shallow_find(const struct pl_self *self, uintptr_t pc, uintptr_t at)
{
    const uintptr_t *sp = (const uintptr_t *)at;
    const uintptr_t words = words_of(self, at);
    struct known *known = self->thread->shallow->known;
    uint64_t key = key_of(0, pc);
    for (int i = 0; known != NULL && i < PL_SHALLOW_FRAMES; i++) {
        const struct node *node = node_find(known, key);
        /* A signal handler's call may change the node: what is compared must be what is used. */
        uint32_t offset = node == NULL ? 0 : __atomic_load_n(&node->offset, __ATOMIC_RELAXED);
        if (node == NULL || offset >= words)
            return 0;
        if (offset == 0)
            return node->id;
        key = key_of(key, pl_plain_address(sp[offset]));
    }
    return 0;
}

uint32_t pl_shallow_use_here(const struct pl_self *self, uintptr_t pc, uintptr_t sp)
{
    struct place *place = place_at(self->thread->shallow, pc);
    if (place->pc != pc || place->walks < WALKS_MOST || place->uses == USES_MOST)
        return 0;
    uint32_t id = pl_shallow_find(self, pc, sp);
    place->uses += id != 0;
    return id;
}

void pl_shallow_add(const struct pl_self *self, struct pl_call call, const struct pl_walk *walk,
                    uint32_t id)
{
    struct pl_shallow_leaf leaf = {.id = id, .n = 1, .frames = {call.pc}};
    struct pl_shallow *shallow = self->thread->shallow;
    uint64_t key = key_of(0, call.pc);
    if (shallow->known == NULL)
        shallow->known = pl_arena_alloc(sizeof(*shallow->known));
    if (shallow->known == NULL)
        return;
    for (unsigned i = 1; i < walk->n && i < PL_SHALLOW_FRAMES; i++) {
        uintptr_t offset = (walk->slots[i] - call.sp) / sizeof(uintptr_t);
        if (walk->slots[i] <= call.sp || offset > UINT32_MAX)
            return;
        node_put(shallow->known, key, (uint32_t)offset, 0);
        key = key_of(key, walk->pcs[i]);
        leaf.frames[leaf.n++] = walk->pcs[i];
        leaf.reach = walk->slots[i] - call.sp;
    }
    node_put(shallow->known, key, 0, id);
    *leaf_at(shallow->known, id) = leaf;
}

const struct pl_shallow_leaf *pl_shallow_leaf(const struct pl_self *self, uint32_t id)
{
    const struct pl_shallow *shallow = self->thread->shallow;
    if (shallow == NULL || shallow->known == NULL || id == 0)
        return NULL;
    const struct pl_shallow_leaf *leaf = leaf_at(shallow->known, id);
    return leaf->id == id ? leaf : NULL;
}
