/* The stress of locks, semaphores, contexts and flights. */
#include "runtime/test/stress.h"

#include <stdio.h>

/* ---- locks: a count that is not atomic, and readers that see whole pairs ---- */

struct locks {
    struct weft_mutex mutex;
    struct weft_rwmutex rw;
    struct weft_cond cond;
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
    long count, a, b;
    int tokens;
};

enum { LOCKERS = 16, LOCKS = 400 };

static void lock_all_kinds(void *arg)
{
    struct locks *l = arg;
    uint32_t random = l->seed + l->next++;
    for (int i = 0; i < LOCKS; i++) {
        uint32_t how = next_random(&random) % 16;
        if (how < 8) {
            weft_mutex_lock(&l->mutex);
            long before = l->count;
            if (how == 0)
                weft_yield();
            if (how == 1)
                weft_sleep(10 * WEFT_US);
            l->count = before + 1;
            weft_mutex_unlock(&l->mutex);
        } else if (how < 10) {
            weft_rwmutex_lock(&l->rw);
            l->a++;
            if (how == 9)
                weft_yield();
            l->b++;
            weft_rwmutex_unlock(&l->rw);
            weft_mutex_lock(&l->mutex);
            l->count++;
            weft_mutex_unlock(&l->mutex);
        } else {
            weft_rwmutex_rlock(&l->rw);
            CHECK(l->a == l->b);
            weft_rwmutex_runlock(&l->rw);
            weft_mutex_lock(&l->mutex);
            l->count++;
            weft_mutex_unlock(&l->mutex);
        }
    }
}

static void take_token(void *arg)
{
    struct locks *l = arg;
    for (int i = 0; i < LOCKS; i++) {
        weft_mutex_lock(&l->mutex);
        while (l->tokens == 0)
            weft_cond_wait(&l->cond, &l->mutex);
        l->tokens--;
        weft_mutex_unlock(&l->mutex);
    }
}

static void give_token(void *arg)
{
    struct locks *l = arg;
    for (int i = 0; i < LOCKS; i++) {
        weft_mutex_lock(&l->mutex);
        l->tokens++;
        weft_mutex_unlock(&l->mutex);
        weft_cond_signal(&l->cond);
    }
}

void stress_locks(void *arg)
{
    struct locks *l = calloc(1, sizeof *l);
    l->seed = *(uint32_t *)arg;
    for (int i = 0; i < LOCKERS; i++) {
        weft_waitgroup_go(&l->wg, lock_all_kinds, l);
        weft_waitgroup_go(&l->wg, i % 2 ? take_token : give_token, l);
    }
    weft_waitgroup_wait(&l->wg);
    CHECK(l->count == (long)LOCKERS * LOCKS && l->a == l->b && l->tokens == 0);
    free(l);
}

/* ---- a semaphore: never more than its size, and all of it back at the end ---- */

enum { SEM_SIZE = 7, ACQUIRERS = 10, ACQUIRES = 200 };

struct units {
    struct weft_sem *sem;
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
    _Atomic int64_t held;
};

static int acquire(struct units *u, int64_t n, uint32_t *random)
{
    uint32_t how = next_random(random) % 8;
    if (how < 3)
        return weft_sem_acquire(u->sem, NULL, n);
    if (how < 5)
        return weft_sem_acquire_for(u->sem, n, next_random(random) % 60000);
    if (how == 5)
        return weft_sem_try_acquire(u->sem, n);
    struct weft_ctx *ctx = weft_ctx_with_timeout(NULL, next_random(random) % 60000);
    int r = weft_sem_acquire(u->sem, ctx, n);
    weft_ctx_cancel(ctx);
    weft_ctx_release(ctx);
    return r;
}

static void acquire_and_release(void *arg)
{
    struct units *u = arg;
    uint32_t random = u->seed + u->next++;
    for (int i = 0; i < ACQUIRES; i++) {
        int64_t n = 1 + next_random(&random) % SEM_SIZE;
        int r = acquire(u, n, &random);
        if (r != 0) {
            CHECK(r == -ETIMEDOUT || r == -EBUSY);
            continue;
        }
        CHECK((u->held += n) <= SEM_SIZE);
        if (next_random(&random) % 4 == 0)
            weft_yield();
        u->held -= n;
        weft_sem_release(u->sem, n);
    }
}

void stress_sem(void *arg)
{
    struct units *u = calloc(1, sizeof *u);
    u->seed = *(uint32_t *)arg;
    u->sem = weft_sem_new(SEM_SIZE);
    for (int i = 0; i < ACQUIRERS; i++)
        CHECK(weft_waitgroup_go(&u->wg, acquire_and_release, u) == 0);
    weft_waitgroup_wait(&u->wg);
    CHECK(u->held == 0 && weft_sem_try_acquire(u->sem, SEM_SIZE) == 0);
    weft_sem_release(u->sem, SEM_SIZE);
    weft_sem_free(u->sem);
    free(u);
}

/* ---- contexts: cancelled and timed out at once, by many, while many wait ---- */

enum { CONTEXTS = 24 };

struct tree {
    struct weft_ctx *ctx[CONTEXTS];
    int parent[CONTEXTS]; /* -1: the background */
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
};

static void wait_for_end(void *arg)
{
    struct tree *t = arg;
    uint32_t i = t->next++ % CONTEXTS;
    struct weft_case cases[] = {WEFT_RECV(NULL, NULL), WEFT_RECV(weft_ctx_done(t->ctx[i]), NULL)};
    int64_t deadline;
    while (weft_select(cases, 2, i % 2 ? WEFT_FOREVER : 30 * WEFT_US) == -ETIMEDOUT) {
    }
    int err = weft_ctx_err(t->ctx[i]);
    CHECK(err == -ECANCELED || err == -ETIMEDOUT);
    if (err == -ETIMEDOUT)
        CHECK(weft_ctx_deadline(t->ctx[i], &deadline) && weft_now() >= deadline);
}

static void cancel_some(void *arg)
{
    struct tree *t = arg;
    uint32_t random = t->seed + t->next++;
    for (int k = 0; k < 6; k++) {
        uint32_t i = next_random(&random) % CONTEXTS;
        weft_ctx_cancel(t->ctx[i]);
        CHECK(weft_ctx_err(t->ctx[i]) != 0);
        CHECK(weft_chan_try_recv(weft_ctx_done(t->ctx[i]), NULL) == -EPIPE);
        struct weft_ctx *late = weft_ctx_with_timeout(t->ctx[i], WEFT_S);
        CHECK(weft_ctx_err(late) == weft_ctx_err(t->ctx[i]));
        weft_ctx_release(late);
        weft_sleep(next_random(&random) % 40000);
    }
}

void stress_contexts(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    for (int round = 0; round < 5; round++) {
        struct tree *t = calloc(1, sizeof *t);
        t->seed = next_random(&random);
        for (int i = 0; i < CONTEXTS; i++) {
            t->parent[i] = (int)(next_random(&random) % (uint32_t)(i + 1)) - 1;
            struct weft_ctx *parent = t->parent[i] < 0 ? NULL : t->ctx[t->parent[i]];
            t->ctx[i] = next_random(&random) % 2
                            ? weft_ctx_with_cancel(parent)
                            : weft_ctx_with_timeout(parent, next_random(&random) % 300000);
        }
        for (int i = 0; i < CONTEXTS; i++)
            CHECK(weft_waitgroup_go(&t->wg, wait_for_end, t) == 0);
        for (int i = 0; i < 4; i++)
            CHECK(weft_waitgroup_go(&t->wg, cancel_some, t) == 0);
        for (int i = CONTEXTS - 1; i >= 0; i--)
            weft_ctx_cancel(t->ctx[i]);
        weft_waitgroup_wait(&t->wg);
        for (int i = 0; i < CONTEXTS; i++) {
            if (t->parent[i] >= 0 && weft_ctx_err(t->ctx[t->parent[i]]) != 0)
                CHECK(weft_ctx_err(t->ctx[i]) != 0);
        }
        for (int i = 0; i < CONTEXTS; i++)
            weft_ctx_release(t->ctx[i]);
        free(t);
    }
}

/* ---- flights: callers that join, leave, forget, and functions that fail or end their task ---- */

enum { CALLERS = 16, CALLS = 60, FLIGHT_KEYS = 4 };

/* The value is a pointer to one; the last owner frees it. */
struct result {
    _Atomic int owners;
    uint32_t key;
};

struct flown {
    struct weft_flight *flight;
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next;
};

struct question {
    uint32_t key, random;
};

static void own_result(void *value)
{
    CHECK((*(struct result **)value)->owners++ > 0);
}

static void end_result(void *value)
{
    struct result *result = *(struct result **)value;
    int owners = result->owners--;
    CHECK(owners > 0);
    if (owners == 1)
        free(result);
}

static int find_out(void *arg, void *value)
{
    struct question q = *(struct question *)arg;
    struct result **result = value;
    CHECK(!*result);
    for (uint32_t i = next_random(&q.random) % 4; i > 0; i--)
        weft_yield();
    if (next_random(&q.random) % 8 == 0)
        weft_sleep(20 * WEFT_US);
    if (next_random(&q.random) % 64 == 0)
        weft_exit();
    if (next_random(&q.random) % 4 == 0)
        return -EIO;
    *result = malloc(sizeof **result);
    **result = (struct result){1, q.key};
    return 0;
}

static int ask_once(struct weft_flight *flight, struct question q, const char *key,
                    struct result **value, int *shared)
{
    if (q.random % 2)
        return weft_flight_do(flight, key, find_out, &q, value, shared);
    struct weft_ctx *ctx = weft_ctx_with_timeout(NULL, q.random % 16 * 10 * WEFT_US);
    int r = weft_flight_do_ctx(flight, ctx, key, find_out, &q, sizeof q, value, shared);
    weft_ctx_cancel(ctx);
    weft_ctx_release(ctx);
    return r;
}

static void ask_often(void *arg)
{
    struct flown *f = arg;
    uint32_t random = f->seed + f->next++;
    for (int i = 0; i < CALLS; i++) {
        struct question q = {.key = next_random(&random) % FLIGHT_KEYS};
        struct result *value = NULL;
        char key[8];
        int shared = -1;
        q.random = next_random(&random);
        snprintf(key, sizeof key, "%u", q.key);
        int r = ask_once(f->flight, q, key, &value, &shared);
        CHECK(r == 0 || r == -EIO || r == -ECANCELED || r == -ETIMEDOUT);
        CHECK(!value == (r != 0));
        if (r == 0) {
            CHECK(value->key == q.key && (shared == 0 || shared == 1));
            end_result(&value);
        }
        if (next_random(&random) % 16 == 0)
            weft_flight_forget(f->flight, key);
    }
}

void stress_flights(void *arg)
{
    struct weft_flight_options options = {
        .value_size = sizeof(struct result *), .retain = own_result, .release = end_result};
    struct flown *f = calloc(1, sizeof *f);
    f->seed = *(uint32_t *)arg;
    f->flight = weft_flight_new(&options);
    for (int i = 0; i < CALLERS; i++)
        CHECK(weft_waitgroup_go(&f->wg, ask_often, f) == 0);
    weft_waitgroup_wait(&f->wg);
    weft_flight_free(f->flight); /* calls that all have left may be on their way still */
    free(f);
}
