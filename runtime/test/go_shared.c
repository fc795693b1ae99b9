/*
 * What Go promises of what tasks share (sync.Map, and semaphore, errgroup, singleflight of
 * golang.org/x/sync: their documentation and tests), each in a test of our own.
 *
 *   a semaphore: tries and waits, with and without room                    sem_tries
 *   more units than there are hold up nobody                               sem_too_many
 *   a large request gets its turn among greedy small ones                  sem_large
 *   who leaves the head of the queue lets the next ones go                 sem_cancel_at_head
 *   a group of no tasks; each result in turn: the first error stays        group_results
 *   with a context: it ends at the first error, or with wait               group_context
 *   never more than the limit, tries fail at it                            group_limited
 *   a call is made once for all who ask meanwhile                          flight_once
 *   errors are for all who asked                                           flight_errors
 *   who asks after a forget is not served by the older call                flight_forget
 *   a concurrent map answers as a plain one under any calls                cmap_as_map
 *   a walk beside changes sees each key that stays, once                   cmap_walk
 *   a walk may use the map, and nest                                       cmap_nested
 */
#include <stdatomic.h>
#include <stdbool.h>

#include "runtime/test/check.h"

/* ---- semaphores ---- */

TASK_TEST(sem_tries)
{
    struct weft_sem *sem = weft_sem_new(2);
    CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
    CHECK(weft_sem_try_acquire(sem, 1) == 0 && weft_sem_try_acquire(sem, 1) == -EBUSY);
    weft_sem_release(sem, 2);
    CHECK(weft_sem_acquire_for(sem, 1, WEFT_MS) == 0);
    CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
    CHECK(weft_sem_acquire_for(sem, 1, WEFT_MS) == -ETIMEDOUT);
    CHECK(weft_sem_try_acquire(sem, 0) == 0);
    weft_sem_release(sem, 2);
    weft_sem_free(sem);
}

struct request {
    struct weft_sem *sem;
    struct weft_ctx *ctx;
    int64_t n;
    int expected;
};

static void ask(void *arg)
{
    struct request *r = arg;
    int result = weft_sem_acquire(r->sem, r->ctx, r->n);
    CHECK(result == r->expected);
    if (result == 0)
        weft_sem_release(r->sem, r->n);
}

TASK_TEST(sem_too_many)
{
    struct weft_sem *sem = weft_sem_new(2);
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    struct request large = {sem, ctx, 3, -ECANCELED}, small = {sem, NULL, 1, 0};
    CHECK(weft_go_copy(ask, &large, sizeof large) == 0);
    await_waiting(1);
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < 6; i++)
        CHECK(weft_waitgroup_go(&wg, ask, &small) == 0);
    weft_waitgroup_wait(&wg);
    weft_ctx_cancel(ctx);
    await_ends();
    weft_ctx_release(ctx);
    weft_sem_free(sem);
}

static atomic_bool greedy;

static void be_greedy(void *arg)
{
    while (greedy) {
        weft_yield();
        weft_sem_release(arg, 1);
        CHECK(weft_sem_acquire(arg, NULL, 1) == 0);
    }
    weft_sem_release(arg, 1);
}

TASK_TEST(sem_large)
{
    enum { UNITS = 4 };
    struct weft_sem *sem = weft_sem_new(UNITS);
    struct weft_waitgroup wg = {0};
    greedy = true;
    for (int i = 0; i < UNITS; i++) {
        CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
        CHECK(weft_waitgroup_go(&wg, be_greedy, sem) == 0);
    }
    CHECK(weft_sem_acquire(sem, NULL, UNITS) == 0);
    greedy = false;
    weft_sem_release(sem, UNITS);
    weft_waitgroup_wait(&wg);
    weft_sem_free(sem);
}

static void cancel(void *arg)
{
    weft_ctx_cancel(arg);
}

/* The large one at the head is cancelled while the next small one comes. */
TASK_TEST(sem_cancel_at_head)
{
    for (int round = 0; round < 200; round++) {
        struct weft_sem *sem = weft_sem_new(10);
        struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
        struct request large = {sem, ctx, 10, -ECANCELED};
        CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
        CHECK(weft_go_copy(ask, &large, sizeof large) == 0);
        while (weft_sem_try_acquire(sem, 1) == 0) {
            weft_sem_release(sem, 1);
            weft_yield();
        }
        CHECK(weft_go(cancel, ctx) == 0);
        CHECK(weft_sem_acquire(sem, NULL, 1) == 0);
        await_ends();
        weft_sem_release(sem, 2);
        weft_ctx_release(ctx);
        weft_sem_free(sem);
    }
}

/* ---- groups ---- */

static int give(void *arg)
{
    return *(int *)arg;
}

TASK_TEST(group_results)
{
    static int results[] = {0, -EIO, 0, -EPERM};
    static const int expected[] = {0, -EIO, -EIO, -EIO};
    struct weft_group none = {0}, group = {0};
    CHECK(weft_group_wait(&none) == 0);
    for (int i = 0; i < 4; i++) {
        CHECK(weft_group_go(&group, give, &results[i]) == 0);
        CHECK(weft_group_wait(&group) == expected[i]);
    }
}

TASK_TEST(group_context)
{
    static int good, bad = -EIO;
    for (int with_error = 0; with_error < 2; with_error++) {
        struct weft_group group = {0};
        struct weft_ctx *ctx = weft_group_with_ctx(&group, NULL);
        CHECK(weft_group_go(&group, give, &good) == 0);
        if (with_error)
            CHECK(weft_group_go(&group, give, &bad) == 0);
        if (with_error)
            CHECK(weft_chan_recv(weft_ctx_done(ctx), NULL) == -EPIPE);
        CHECK(weft_group_wait(&group) == (with_error ? bad : 0));
        CHECK(weft_ctx_err(ctx) == -ECANCELED);
        CHECK(weft_ctx_cause(ctx) == (with_error ? bad : -ECANCELED));
        weft_ctx_release(ctx);
    }
}

static atomic_int inside, most;
static struct weft_chan *gate;

static int be_inside(void *arg)
{
    int now = ++inside, seen = most;
    (void)arg;
    while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now)) {
    }
    weft_chan_recv(gate, NULL);
    inside--;
    return 0;
}

static void open_gate(void *arg)
{
    (void)arg;
    weft_chan_close(gate);
}

TASK_TEST(group_limited)
{
    enum { LIMIT = 3, TASKS = 50 };
    struct weft_group group = {0};
    gate = weft_chan_new(0, 0);
    inside = most = 0;
    weft_group_set_limit(&group, LIMIT);
    for (int i = 0; i < LIMIT; i++)
        CHECK(weft_group_try_go(&group, be_inside, NULL) == 0);
    await_waiting(LIMIT);
    CHECK(weft_group_try_go(&group, be_inside, NULL) == -EBUSY);
    CHECK(weft_go(open_gate, NULL) == 0);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_group_go(&group, be_inside, NULL) == 0);
    CHECK(weft_group_wait(&group) == 0 && inside == 0 && most <= LIMIT);
    weft_group_set_limit(&group, 0);
    CHECK(weft_group_try_go(&group, give, &(int){0}) == -EBUSY);
    await_ends();
    weft_chan_release(gate);
}

/* ---- flights ---- */

static struct weft_flight *flight;
static atomic_int calls;

static int answer_at_the_gate(void *arg, void *result)
{
    calls++;
    weft_chan_recv(gate, NULL);
    *(int *)result = 42;
    return *(int *)arg;
}

struct asked {
    int error, value, shared;
};

static void fly(void *arg)
{
    struct asked *a = arg;
    int error = a->error;
    a->error = weft_flight_do(flight, "key", answer_at_the_gate, &error, &a->value, &a->shared);
}

/* All ask while the first one's function runs. */
static void fly_together(int error)
{
    enum { ASKERS = 10 };
    struct weft_flight_options options = {.value_size = sizeof(int)};
    struct asked asked[ASKERS];
    struct weft_waitgroup wg = {0};
    flight = weft_flight_new(&options);
    gate = weft_chan_new(0, 0);
    calls = 0;
    for (int i = 0; i < ASKERS; i++) {
        asked[i] = (struct asked){error, 7, -1};
        CHECK(weft_waitgroup_go(&wg, fly, &asked[i]) == 0);
    }
    await_waiting(ASKERS);
    weft_chan_close(gate);
    weft_waitgroup_wait(&wg);
    CHECK(calls == 1);
    for (int i = 0; i < ASKERS; i++)
        CHECK(asked[i].error == error && asked[i].value == (error ? 7 : 42) &&
              asked[i].shared == 1);
    weft_chan_release(gate);
    weft_flight_free(flight);
}

TASK_TEST(flight_once)
{
    fly_together(0);
}

TASK_TEST(flight_errors)
{
    fly_together(-EIO);
}

static int answer_at_once(void *arg, void *result)
{
    *(int *)result = *(int *)arg;
    return 0;
}

TASK_TEST(flight_forget)
{
    struct weft_flight_options options = {.value_size = sizeof(int)};
    struct asked old = {0, 7, -1};
    struct weft_waitgroup wg = {0};
    int value = 0, later = 43;
    flight = weft_flight_new(&options);
    gate = weft_chan_new(0, 0);
    CHECK(weft_waitgroup_go(&wg, fly, &old) == 0);
    await_waiting(1);
    weft_flight_forget(flight, "key");
    CHECK(weft_flight_do(flight, "key", answer_at_once, &later, &value, NULL) == 0 && value == 43);
    weft_chan_close(gate);
    weft_waitgroup_wait(&wg);
    CHECK(old.error == 0 && old.value == 42);
    weft_chan_release(gate);
    weft_flight_free(flight);
}

/* ---- the concurrent map ---- */

static struct weft_cmap *new_map(void)
{
    struct weft_cmap_options options = {.key_size = sizeof(uint32_t),
                                        .value_size = sizeof(uint64_t)};
    return weft_cmap_new(&options);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

enum { KEYS = 64, NONE = 0 };

/* Any call, on the map and on an array of what should be in it. */
static void call_any(struct weft_cmap *map, uint64_t *model, uint32_t *random)
{
    uint32_t key = next_random(random) % KEYS;
    uint64_t fresh = next_random(random) % 4 + 1, guess = next_random(random) % 4 + 1, got = 99;
    uint64_t was = model[key];
    switch (next_random(random) % 8) {
    case 0:
        CHECK(weft_cmap_load(map, &key, &got) == (was ? 0 : -ENOENT) && (!was || got == was));
        break;
    case 1:
        CHECK(weft_cmap_store(map, &key, &fresh) == 0);
        model[key] = fresh;
        break;
    case 2:
        CHECK(weft_cmap_load_or_store(map, &key, &fresh, &got) == (was != NONE));
        CHECK(!was || got == was);
        model[key] = was ? was : fresh;
        break;
    case 3:
        CHECK(weft_cmap_load_and_delete(map, &key, &got) == (was ? 0 : -ENOENT));
        CHECK(!was || got == was);
        model[key] = NONE;
        break;
    case 4:
        CHECK(weft_cmap_delete(map, &key) == (was ? 0 : -ENOENT));
        model[key] = NONE;
        break;
    case 5:
        CHECK(weft_cmap_swap(map, &key, &fresh, &got) == (was != NONE) && (!was || got == was));
        model[key] = fresh;
        break;
    case 6:
        CHECK(weft_cmap_compare_and_swap(map, &key, &guess, &fresh) == (!was           ? -ENOENT
                                                                        : was == guess ? 0
                                                                                       : -ESTALE));
        model[key] = was == guess ? fresh : was;
        break;
    default:
        CHECK(weft_cmap_compare_and_delete(map, &key, &guess) == (!was           ? -ENOENT
                                                                  : was == guess ? 0
                                                                                 : -ESTALE));
        model[key] = was == guess ? NONE : was;
        break;
    }
}

TASK_TEST(cmap_as_map)
{
    uint32_t random = 12345;
    for (int round = 0; round < 50; round++) {
        struct weft_cmap *map = new_map();
        uint64_t model[KEYS] = {NONE}, got;
        size_t count = 0;
        for (int i = 0; i < 500; i++)
            call_any(map, model, &random);
        for (uint32_t key = 0; key < KEYS; key++) {
            count += model[key] != NONE;
            CHECK(weft_cmap_load(map, &key, &got) == (model[key] ? 0 : -ENOENT));
            CHECK(!model[key] || got == model[key]);
        }
        CHECK(weft_cmap_len(map) == count);
        weft_cmap_free(map);
    }
}

struct walk {
    struct weft_cmap *map;
    unsigned seen[KEYS];
    int depth;
};

static int count_key(const void *key, void *value, void *arg)
{
    struct walk *walk = arg;
    uint32_t k = *(const uint32_t *)key;
    CHECK(k < KEYS && *(uint64_t *)value % KEYS == k);
    walk->seen[k]++;
    return 0;
}

static atomic_bool changing;

/* Each value names its key: i, i + KEYS, i + 2 KEYS... */
static void change(void *arg)
{
    uint32_t random = 777;
    for (uint64_t i = 0; changing; i++) {
        uint32_t key = next_random(&random) % KEYS;
        CHECK(weft_cmap_store(arg, &key, &(uint64_t){key + i * KEYS}) == 0);
        weft_yield();
    }
}

TASK_TEST(cmap_walk)
{
    struct walk walk = {.map = new_map()};
    struct weft_waitgroup wg = {0};
    for (uint32_t key = 0; key < KEYS; key++)
        CHECK(weft_cmap_store(walk.map, &key, &(uint64_t){key}) == 0);
    changing = true;
    for (int i = 0; i < 4; i++)
        CHECK(weft_waitgroup_go(&wg, change, walk.map) == 0);
    for (int i = 0; i < 100; i++) {
        memset(walk.seen, 0, sizeof walk.seen);
        CHECK(weft_cmap_range(walk.map, count_key, &walk) == 0);
        for (uint32_t key = 0; key < KEYS; key++)
            CHECK(walk.seen[key] == 1);
        weft_yield();
    }
    changing = false;
    weft_waitgroup_wait(&wg);
    weft_cmap_free(walk.map);
}

/* Walks below a walk, and in the innermost takes all keys away. */
static int walk_on(const void *key, void *value, void *arg)
{
    struct walk *walk = arg;
    (void)value;
    if (walk->depth == 2) {
        weft_cmap_delete(walk->map, key);
        return 0;
    }
    walk->depth++;
    CHECK(weft_cmap_range(walk->map, walk_on, walk) == 0);
    walk->depth--;
    return 0;
}

TASK_TEST(cmap_nested)
{
    struct walk walk = {.map = new_map()};
    for (uint32_t key = 0; key < 3; key++)
        CHECK(weft_cmap_store(walk.map, &key, &(uint64_t){key}) == 0);
    CHECK(weft_cmap_range(walk.map, walk_on, &walk) == 0);
    CHECK(weft_cmap_len(walk.map) == 0);
    weft_cmap_free(walk.map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sem_tries),     cmocka_unit_test(sem_too_many),
        cmocka_unit_test(sem_large),     cmocka_unit_test(sem_cancel_at_head),
        cmocka_unit_test(group_results), cmocka_unit_test(group_context),
        cmocka_unit_test(group_limited), cmocka_unit_test(flight_once),
        cmocka_unit_test(flight_errors), cmocka_unit_test(flight_forget),
        cmocka_unit_test(cmap_as_map),   cmocka_unit_test(cmap_walk),
        cmocka_unit_test(cmap_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
