/*
 * The pool: objects that wait to be used again.
 *
 * Design notes
 *
 * Each worker has a shelf of its own for each pool, which only its thread fills and empties: no
 * task is preempted, so nothing comes between the few instructions of a put or get. What does not
 * fit on a shelf goes to the pool's depot in boxes of 32, and comes back from there, under a lock.
 *
 * Who finds shelf and depot empty may take from the shelf of another worker, and so may who ages or
 * empties the pool. Then two threads meet at one shelf:
 *
 *   owner:  busy = 1;    barrier;  claimed?  -> step back, wait.  Else go on; busy = 0.
 *   other:  claimed = 1; barrier;  wait until not busy.  Go on; claimed = 0.
 *
 * The owner's barrier is for the compiler only; the other's is one on all threads, made by the
 * kernel (membarrier). So the frequent side pays two plain stores and a load, and no locked
 * instruction. Where the kernel has no such call, shelves are their owner's alone.
 *
 * Age: a shelf and the depot keep the least they held since the last look. So much was not needed
 * in all that time, and goes.
 *
 * Shelves outlive their run. A worker of a later run takes over the shelf of its number once the
 * threads of the run that had it are gone; until then, and on threads that are no workers, the
 * pool's own shelf is used, under a lock.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/sched.h"
#include "runtime/sync/local.h"
#include "runtime/sync/reclaim.h"

enum {
    SHELF = 64,
    BOX = SHELF / 2,
    STEAL_FROM =
        16, /* fewer are left to their owner: a barrier on all threads costs a few objects */
    PATIENCE = 1000 /* turns for a shelf's owner that lost its CPU */
};

struct shelf {
    alignas(64) uint32_t busy; /* its owner is at it */
    uint32_t claimed;          /* somebody else is */
    uint32_t count, least;     /* least: since the last look at its age */
    struct weft__worker *owner;
    void *objects[SHELF]; /* the newest last */
};

struct box {
    struct box *next;
    void *objects[BOX];
};

struct weft_pool {
    struct weft_pool_options options;
    struct weft_pool *next;    /* under pools.mutex */
    alignas(64) uint32_t lock; /* of the depot and `outside` */
    uint32_t boxes, least_boxes;
    struct box *depot;
    struct shelf outside;
    uint32_t claiming; /* lock: who claims shelves */
    struct shelf *shelves[WEFT_MAX_WORKERS];
};

/* All pools, for their age. */
static struct {
    pthread_mutex_t mutex;
    struct weft_pool *first;
} pools = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* ---- life ---- */

struct weft_pool *weft_pool_new(const struct weft_pool_options *options)
{
    if (!options->make && options->size == 0)
        return NULL;
    struct weft_pool *p = aligned_alloc(64, sizeof *p);
    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->options = *options;
    weft__barrier_everywhere(); /* the first call tells whether there is one */
    pthread_mutex_lock(&pools.mutex);
    p->next = pools.first;
    __atomic_store_n(&pools.first, p, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&pools.mutex);
    return p;
}

static void *make(const struct weft_pool *p)
{
    return p->options.make ? p->options.make(p->options.arg) : malloc(p->options.size);
}

static void destroy(const struct weft_pool *p, void *const *objects, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p->options.destroy)
            p->options.destroy(objects[i]);
        else
            free(objects[i]);
    }
}

static void destroy_boxes(const struct weft_pool *p, struct box *list)
{
    while (list) {
        struct box *b = list;
        list = b->next;
        destroy(p, b->objects, BOX);
        free(b);
    }
}

void weft_pool_free(struct weft_pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&pools.mutex);
    struct weft_pool **at = &pools.first;
    while (*at != p)
        at = &(*at)->next;
    __atomic_store_n(at, p->next, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&pools.mutex);
    for (unsigned i = 0; i < WEFT_MAX_WORKERS; i++) {
        if (p->shelves[i])
            destroy(p, p->shelves[i]->objects, p->shelves[i]->count);
        free(p->shelves[i]);
    }
    destroy(p, p->outside.objects, p->outside.count);
    destroy_boxes(p, p->depot);
    free(p);
}

/* ---- shelves ---- */

/* The owner goes to its shelf, and from it. */
static inline void begin(struct shelf *s)
{
    for (;;) {
        __atomic_store_n(&s->busy, 1, __ATOMIC_RELAXED);
        __asm__ volatile("" ::: "memory");
        if (__builtin_expect(!__atomic_load_n(&s->claimed, __ATOMIC_ACQUIRE), 1))
            return;
        __atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
        for (int i = 0; __atomic_load_n(&s->claimed, __ATOMIC_ACQUIRE); i++) {
            if (i < PATIENCE)
                weft__relax();
            else
                sched_yield();
        }
    }
}

static inline void end(struct shelf *s)
{
    __atomic_store_n(&s->busy, 0, __ATOMIC_RELEASE);
}

static inline void set_count(struct shelf *s, uint32_t count)
{
    __atomic_store_n(&s->count, count, __ATOMIC_RELAXED);
}

/* Another than the owner, one at a time. False: not to be had. */
static bool claim(struct shelf *s)
{
    if (!weft__asymmetric)
        return false;
    __atomic_store_n(&s->claimed, 1, __ATOMIC_SEQ_CST);
    bool ok = weft__barrier_everywhere();
    for (int i = 0; ok && __atomic_load_n(&s->busy, __ATOMIC_ACQUIRE); i++) {
        if (i < PATIENCE)
            weft__relax();
        else if (i < 2 * PATIENCE)
            sched_yield();
        else
            ok = false;
    }
    if (!ok)
        __atomic_store_n(&s->claimed, 0, __ATOMIC_RELEASE);
    return ok;
}

static void unclaim(struct shelf *s)
{
    __atomic_store_n(&s->claimed, 0, __ATOMIC_RELEASE);
}

/* Takes the oldest `count` objects. By whoever has the shelf. */
static void take_oldest(struct shelf *s, void **to, uint32_t count)
{
    memcpy(to, s->objects, count * sizeof *to);
    memmove(s->objects, s->objects + count, (s->count - count) * sizeof *to);
    set_count(s, s->count - count);
    if (s->least > s->count)
        s->least = s->count;
}

static __attribute__((noinline)) struct shelf *adopt(struct weft_pool *p, struct weft__worker *w)
{
    /* A stand-in for a worker has no number of its own, and that of a straggler is another's. */
    if (w->bound || w->run->epoch != __atomic_load_n(&weft__open_epoch, __ATOMIC_ACQUIRE))
        return NULL;
    struct shelf *s = __atomic_load_n(&p->shelves[w->index], __ATOMIC_ACQUIRE);
    if (!s) {
        if (!(s = aligned_alloc(64, sizeof *s)))
            return NULL;
        memset(s, 0, sizeof *s);
        s->owner = w;
        struct shelf *none = NULL;
        if (__atomic_compare_exchange_n(&p->shelves[w->index], &none, s, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return s;
        free(s);
        s = none;
    }
    struct weft__worker *before = __atomic_load_n(&s->owner, __ATOMIC_ACQUIRE);
    if (before != w && __atomic_load_n(&before->run->threads, __ATOMIC_ACQUIRE) != 0)
        return NULL;
    return __atomic_compare_exchange_n(&s->owner, &before, w, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED)
               ? s
               : NULL;
}

/* The calling worker's shelf; NULL where there is none. */
static inline struct shelf *my_shelf(struct weft_pool *p)
{
    struct weft__worker *w = weft__worker();
    if (!w)
        return NULL;
    struct shelf *s = __atomic_load_n(&p->shelves[w->index], __ATOMIC_ACQUIRE);
    if (__builtin_expect(s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == w, 1))
        return s;
    return adopt(p, w);
}

/* ---- the depot ---- */

static struct box *take_box(struct weft_pool *p)
{
    struct box *b = NULL;
    if (!__atomic_load_n(&p->boxes, __ATOMIC_RELAXED))
        return NULL;
    weft__lock(&p->lock);
    if ((b = p->depot)) {
        p->depot = b->next;
        __atomic_store_n(&p->boxes, p->boxes - 1, __ATOMIC_RELAXED);
        if (p->least_boxes > p->boxes)
            p->least_boxes = p->boxes;
    }
    weft__unlock(&p->lock);
    return b;
}

static void put_box(struct weft_pool *p, struct box *b)
{
    weft__lock(&p->lock);
    b->next = p->depot;
    p->depot = b;
    __atomic_store_n(&p->boxes, p->boxes + 1, __ATOMIC_RELAXED);
    weft__unlock(&p->lock);
}

/* Half of what another worker has, if that is worth it: how many. */
static uint32_t steal(struct weft_pool *p, const struct shelf *mine, void *loot[BOX])
{
    uint32_t got = 0;
    if (!weft__try_lock(&p->claiming))
        return 0;
    for (unsigned i = 0; i < WEFT_MAX_WORKERS && got == 0; i++) {
        struct shelf *s = __atomic_load_n(&p->shelves[i], __ATOMIC_ACQUIRE);
        if (!s || s == mine || __atomic_load_n(&s->count, __ATOMIC_RELAXED) < STEAL_FROM ||
            !claim(s))
            continue;
        got = s->count / 2;
        take_oldest(s, loot, got);
        unclaim(s);
    }
    weft__unlock(&p->claiming);
    return got;
}

/* ---- get ---- */

static void *pop(struct shelf *s)
{
    void *object = NULL;
    if (s->count > 0) {
        set_count(s, s->count - 1);
        object = s->objects[s->count];
        if (s->least > s->count)
            s->least = s->count;
    }
    return object;
}

/* From somewhere else, to the shelf but for one, which is returned. */
static __attribute__((noinline)) void *refill(struct weft_pool *p, struct shelf *s)
{
    void *loot[BOX];
    struct box *b = take_box(p);
    uint32_t got = BOX;
    if (b) {
        memcpy(loot, b->objects, sizeof loot);
        free(b);
    } else if ((got = steal(p, s, loot)) == 0) {
        return NULL;
    }
    begin(s);
    for (uint32_t i = 0; i + 1 < got; i++)
        s->objects[s->count + i] = loot[i]; /* it was empty, and got is at most half of it */
    set_count(s, s->count + got - 1);
    end(s);
    return loot[got - 1];
}

static __attribute__((noinline)) void *get_outside(struct weft_pool *p)
{
    weft__lock(&p->lock);
    void *object = pop(&p->outside);
    weft__unlock(&p->lock);
    struct box *b = object ? NULL : take_box(p);
    if (!b)
        return object;
    object = b->objects[BOX - 1];
    uint32_t kept = 0;
    weft__lock(&p->lock);
    for (; kept < BOX - 1 && p->outside.count < SHELF; kept++)
        p->outside.objects[p->outside.count++] = b->objects[kept];
    weft__unlock(&p->lock);
    destroy(p, b->objects + kept, BOX - 1 - kept);
    free(b);
    return object;
}

void *weft_pool_get(struct weft_pool *p)
{
    struct shelf *s = my_shelf(p);
    void *object;
    if (__builtin_expect(s != NULL, 1)) {
        begin(s);
        object = pop(s);
        end(s);
        if (!object)
            object = refill(p, s);
    } else {
        object = get_outside(p);
    }
    if (!object)
        return make(p);
    if (p->options.reset)
        p->options.reset(object);
    return object;
}

/* ---- put ---- */

/* A full shelf gives its older half to the depot. Without memory for a box the object goes. */
static __attribute__((noinline)) void put_full(struct weft_pool *p, struct shelf *s, void *object)
{
    struct box *b = malloc(sizeof *b);
    if (!b) {
        destroy(p, &object, 1);
        return;
    }
    begin(s);
    uint32_t count = s->count;
    if (count >= BOX)
        take_oldest(s, b->objects, BOX);
    s->objects[s->count] = object;
    set_count(s, s->count + 1);
    end(s);
    if (count >= BOX)
        put_box(p, b);
    else
        free(b); /* somebody took from it meanwhile */
}

static __attribute__((noinline)) void put_outside(struct weft_pool *p, void *object)
{
    struct box *b = NULL;
    weft__lock(&p->lock);
    if (p->outside.count < SHELF) {
        p->outside.objects[p->outside.count++] = object;
        object = NULL;
    } else if ((b = malloc(sizeof *b))) {
        take_oldest(&p->outside, b->objects, BOX);
        p->outside.objects[p->outside.count++] = object;
        object = NULL;
    }
    weft__unlock(&p->lock);
    if (b)
        put_box(p, b);
    if (object)
        destroy(p, &object, 1);
}

void weft_pool_put(struct weft_pool *p, void *object)
{
    struct shelf *s;
    if (!object)
        return;
    if (__builtin_expect(!(s = my_shelf(p)), 0)) {
        put_outside(p, object);
        return;
    }
    begin(s);
    uint32_t count = s->count;
    if (__builtin_expect(count < SHELF, 1)) {
        s->objects[count] = object;
        set_count(s, count + 1);
        end(s);
        return;
    }
    end(s);
    put_full(p, s, object);
}

/* ---- age ---- */

/* Takes what a shelf did not need, or all, and destroys it. */
static void thin(struct weft_pool *p, struct shelf *s, bool all)
{
    void *objects[SHELF];
    uint32_t count = 0;
    weft__lock(&p->claiming);
    if (claim(s)) {
        count = all ? s->count : s->least;
        take_oldest(s, objects, count);
        s->least = s->count;
        unclaim(s);
    }
    weft__unlock(&p->claiming);
    destroy(p, objects, count);
}

static void thin_outside(struct weft_pool *p, bool all)
{
    void *objects[SHELF];
    struct box *list = NULL;
    weft__lock(&p->lock);
    uint32_t count = all ? p->outside.count : p->outside.least;
    take_oldest(&p->outside, objects, count);
    p->outside.least = p->outside.count;
    for (uint32_t n = all ? p->boxes : p->least_boxes; n > 0; n--) {
        struct box *b = p->depot;
        p->depot = b->next;
        b->next = list;
        list = b;
        __atomic_store_n(&p->boxes, p->boxes - 1, __ATOMIC_RELAXED);
    }
    p->least_boxes = p->boxes;
    weft__unlock(&p->lock);
    destroy(p, objects, count);
    destroy_boxes(p, list);
}

static void thin_all(struct weft_pool *p, bool all)
{
    thin_outside(p, all);
    for (unsigned i = 0; i < WEFT_MAX_WORKERS; i++) {
        struct shelf *s = __atomic_load_n(&p->shelves[i], __ATOMIC_ACQUIRE);
        if (s && __atomic_load_n(&s->count, __ATOMIC_RELAXED) != 0)
            thin(p, s, all);
    }
}

static void thin_pools(bool all)
{
    pthread_mutex_lock(&pools.mutex);
    for (struct weft_pool *p = pools.first; p; p = p->next)
        thin_all(p, all);
    pthread_mutex_unlock(&pools.mutex);
}

void weft__pools_age(void)
{
    if (__atomic_load_n(&pools.first, __ATOMIC_ACQUIRE))
        thin_pools(false);
}

void weft_pool_trim(struct weft_pool *pool)
{
    if (pool)
        thin_all(pool, true);
    else
        thin_pools(true);
}
