/* model.c - finding things in a model, and freeing it. Filling it is build.c's. */
#include "analyzer/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/model/memory.h"

void model_process_finish(struct model_process *p)
{
    for (size_t i = 0; i < p->nmodules; i++) {
        free(p->modules[i].path);
        free(p->modules[i].build_id);
    }
    for (size_t i = 0; i < p->nstacks; i++)
        free(p->stacks[i]);
    for (size_t i = 0; i < p->nmarks; i++)
        free(p->marks[i].text);
    for (size_t i = 0; i < p->nruns; i++)
        free(p->runs[i].name);
    for (size_t i = 0; i < p->nmisuses; i++)
        free(p->misuses[i].text);
    free(p->modules);
    free(p->stacks);
    free(p->spreads);
    free(p->lineages);
    free(p->captures);
    free(p->spins);
    free(p->groups);
    free(p->misuses);
    free(p->marks);
    free(p->runs);
    free(p->actors);
    free(p->objects);
    free(p->timers);
    free(p->sites);
    free(p->outcomes);
    free(p->descriptors);
    free(p->heap_sites);
    free(p->heap.allocator);
    free(p->waits);
    free(p->lock_ios);
    free(p->helds);
    free(p->nameds);
    free(p->holdings);
    free(p->children);
    free(p->command);
    free(p->dir);
    memset(p, 0, sizeof *p);
}

void model_destroy(struct model *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->nprocesses; i++)
        model_process_finish(&m->processes[i]);
    free(m->processes);
    free(m->silent);
    free(m);
}

/* ---- order ---- */

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_actor(const void *a, const void *b)
{
    const struct model_actor *x = a, *y = b;
    return compare(x->id, y->id);
}

/* Of several that lay at one address in turn, the one that is there now comes first. */
static int by_object(const void *a, const void *b)
{
    const struct model_object *x = a, *y = b;
    if (x->address != y->address)
        return compare(x->address, y->address);
    if ((x->state == EL_GONE) != (y->state == EL_GONE))
        return x->state == EL_GONE ? 1 : -1;
    return compare(y->created_ns, x->created_ns);
}

static int by_holding(const void *a, const void *b)
{
    const struct model_holding *x = a, *y = b;
    return x->lock != y->lock ? compare(x->lock, y->lock) : compare(x->actor, y->actor);
}

static void sort(void *array, size_t n, size_t size, int (*order)(const void *, const void *))
{
    if (n > 1)
        qsort(array, n, size, order);
}

static size_t held_known(const struct model_held *h)
{
    const size_t room = sizeof h->locks / sizeof h->locks[0];
    return h->count < room ? h->count : room;
}

void model_process_index(struct model_process *p)
{
    sort(p->actors, p->nactors, sizeof *p->actors, by_actor);
    sort(p->objects, p->nobjects, sizeof *p->objects, by_object);
    free(p->holdings);
    p->holdings = NULL;
    p->nholdings = 0;
    for (size_t i = 0; i < p->nactors; i++) {
        p->actors[i].held = NULL;
        p->actors[i].named = NULL;
    }
    for (size_t i = 0; i < p->nnameds; i++) {
        struct model_actor *a = (struct model_actor *)model_find_actor(p, p->nameds[i].actor);
        if (a != NULL)
            a->named = &p->nameds[i];
    }
    for (size_t i = 0; i < p->nhelds; i++) {
        struct model_held *h = &p->helds[i];
        struct model_actor *a = (struct model_actor *)model_find_actor(p, h->actor);
        if (a != NULL)
            a->held = h;
        for (size_t k = 0; k < held_known(h); k++) {
            XGROW(p->holdings, p->nholdings);
            p->holdings[p->nholdings++] = (struct model_holding){
                h->locks[k].lock, h->actor, h->locks[k].kind, h->locks[k].stack};
        }
    }
    sort(p->holdings, p->nholdings, sizeof *p->holdings, by_holding);
}

/* ---- look-ups ---- */

/* Index of the first of `n` elements whose key, a u64 at `offset`, is not below `key`. */
static size_t lower_bound(const void *array, size_t n, size_t size, size_t offset, uint64_t key)
{
    size_t low = 0;
    while (n > 0) {
        size_t half = n / 2;
        uint64_t at;
        memcpy(&at, (const char *)array + (low + half) * size + offset, sizeof at);
        if (at < key) {
            low += half + 1;
            n -= half + 1;
        } else {
            n = half;
        }
    }
    return low;
}

const struct model_actor *model_find_actor(const struct model_process *p, uint64_t id)
{
    size_t i =
        lower_bound(p->actors, p->nactors, sizeof *p->actors, offsetof(struct model_actor, id), id);
    return i < p->nactors && p->actors[i].id == id ? &p->actors[i] : NULL;
}

const struct model_object *model_find_object(const struct model_process *p, uint64_t address)
{
    size_t i = lower_bound(p->objects, p->nobjects, sizeof *p->objects,
                           offsetof(struct model_object, address), address);
    return i < p->nobjects && p->objects[i].address == address ? &p->objects[i] : NULL;
}

const struct model_stack *model_find_stack(const struct model_process *p, uint32_t id)
{
    return id < p->nstacks ? p->stacks[id] : NULL;
}

const struct model_holding *model_find_holdings(const struct model_process *p, uint64_t lock,
                                                size_t *n)
{
    size_t i = lower_bound(p->holdings, p->nholdings, sizeof *p->holdings,
                           offsetof(struct model_holding, lock), lock);
    *n = 0;
    while (i + *n < p->nholdings && p->holdings[i + *n].lock == lock)
        ++*n;
    return *n > 0 ? &p->holdings[i] : NULL;
}

const struct model_actor *model_find_holder(const struct model_process *p, uint64_t lock)
{
    size_t n;
    const struct model_holding *h = model_find_holdings(p, lock, &n);
    return h != NULL ? model_find_actor(p, h->actor) : NULL;
}

const struct model_run *model_find_run(const struct model_process *p, uint32_t run)
{
    for (size_t i = 0; i < p->nruns; i++)
        if (p->runs[i].run == run)
            return &p->runs[i];
    return NULL;
}

const char *model_find_mark(const struct model_process *p, uint64_t at_ns)
{
    /* The first that is later. Marks are in the order of time. */
    size_t i = lower_bound(p->marks, p->nmarks, sizeof *p->marks,
                           offsetof(struct model_mark, at_ns), at_ns + 1);
    return i > 0 ? p->marks[i - 1].text : NULL;
}
