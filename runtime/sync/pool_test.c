/* The pool, and the value that is computed once. */
#include <pthread.h>
#include <stdbool.h>

#include "runtime/test/check.h"

enum { TASKS = 8, MANY = 300 };

/* Each object says whether it is in or out, and all of them are counted. */
struct object {
    _Atomic int out;
    int used, reset;
};

static struct {
    struct weft_pool *pool;
    struct weft_waitgroup wg;
    struct weft_chan *chan;
    _Atomic int alive, made;
    struct object *kept[MANY];
} g;

static void *make_object(void *arg)
{
    CHECK(arg == &g);
    struct object *o = calloc(1, sizeof *o);
    g.alive++;
    g.made++;
    return o;
}

static void reset_object(void *object)
{
    struct object *o = object;
    CHECK(o->used == 1);
    o->used = 0;
    o->reset++;
}

static void destroy_object(void *object)
{
    struct object *o = object;
    CHECK(o->out == 0);
    o->out = -1;
    g.alive--;
    free(o);
}

static void new_pool(void)
{
    struct weft_pool_options o = {
        .make = make_object, .reset = reset_object, .destroy = destroy_object, .arg = &g};
    g.alive = g.made = 0;
    g.pool = weft_pool_new(&o);
    CHECK(g.pool);
}

static struct object *get(void)
{
    struct object *o = weft_pool_get(g.pool);
    CHECK(o && o->out++ == 0 && o->used == 0);
    return o;
}

static void put(struct object *o)
{
    o->used = 1;
    CHECK(o->out-- == 1);
    weft_pool_put(g.pool, o);
}

static void get_many(int count)
{
    for (int i = 0; i < count; i++)
        g.kept[i] = get();
}

static void put_many(int count)
{
    for (int i = 0; i < count; i++)
        put(g.kept[i]);
}

TASK_TEST(what_was_put_comes_back)
{
    new_pool();
    struct object *first = get();
    CHECK(first->reset == 0);
    put(first);
    CHECK(get() == first && first->reset == 1);
    put(first);
    weft_pool_put(g.pool, NULL);
    get_many(MANY);
    put_many(MANY);
    get_many(MANY);
    CHECK(g.made == MANY);
    put_many(MANY);
    weft_pool_free(g.pool);
    CHECK(g.alive == 0);
}

static void use(void *arg)
{
    struct object *mine[70];
    uint32_t seed = (uint32_t)(uintptr_t)arg + 1;
    for (int i = 0; i < 600; i++) {
        seed = seed * 1664525 + 1013904223;
        int count = (int)(seed >> 16) % 70;
        for (int k = 0; k < count; k++)
            mine[k] = get();
        if (i % 3 == 0)
            weft_yield();
        if (i % 50 == 0)
            weft_pool_trim(i % 100 ? g.pool : NULL);
        for (int k = 0; k < count; k++)
            put(mine[k]);
    }
}

static void *use_by_thread(void *arg)
{
    use(arg);
    return NULL;
}

/* All that is idle, of every pool, is gone when trim returns; what is out stays. */
TASK_TEST(trim_empties_all_pools)
{
    struct weft_pool *before;
    new_pool();
    before = g.pool;
    get_many(MANY);
    put_many(MANY);
    struct object *out = get();
    struct weft_pool_options o = {.make = make_object, .destroy = destroy_object, .arg = &g};
    g.pool = weft_pool_new(&o);
    get_many(MANY);
    put_many(MANY);
    CHECK(g.alive == 2 * MANY);
    weft_pool_trim(NULL);
    CHECK(g.alive == 1);
    weft_pool_free(g.pool);
    g.pool = before;
    put(out);
    weft_pool_free(g.pool);
    CHECK(g.alive == 0);
}

/* No object is given to two, or destroyed while it is out, or lost: by tasks and plain threads. */
TASK_TEST(each_object_has_one_owner)
{
    pthread_t threads[2];
    new_pool();
    for (uintptr_t i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, use_by_thread, (void *)(i + 100)) == 0);
    for (uintptr_t i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&g.wg, use, (void *)i) == 0);
    weft_waitgroup_wait(&g.wg);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    weft_pool_trim(g.pool);
    CHECK(g.alive == 0);
    weft_pool_free(g.pool);
}

static void put_received(void *arg)
{
    (void)arg;
    struct object *o;
    while (weft_chan_recv(g.chan, &o) == 0)
        put(o);
}

/* Got by one task and put by another, on another thread if there is one: few are made. */
TASK_TEST(objects_go_round_between_tasks)
{
    new_pool();
    g.chan = weft_chan_new(sizeof(struct object *), 16);
    CHECK(weft_waitgroup_go(&g.wg, put_received, NULL) == 0);
    for (int i = 0; i < 20000; i++) {
        struct object *o = get();
        CHECK(weft_chan_send(g.chan, &o) == 0);
    }
    weft_chan_close(g.chan);
    weft_waitgroup_wait(&g.wg);
    weft_chan_release(g.chan);
    CHECK(g.made < 1000);
    weft_pool_free(g.pool);
    CHECK(g.alive == 0);
}

/* A later run finds what an earlier one left. */
static void get_all(void *arg)
{
    (void)arg;
    get_many(MANY);
}

static void put_all(void *arg)
{
    (void)arg;
    put_many(MANY);
}

static void nothing_is_lost_between_runs(void **state)
{
    (void)state;
    struct weft_options one = {.workers = 1};
    new_pool();
    for (int run = 0; run < 5; run++) {
        CHECK(weft_run_with(&one, get_all, NULL) == 0);
        CHECK(weft_run_with(&one, put_all, NULL) == 0);
    }
    CHECK(g.made == MANY);
    weft_pool_trim(g.pool);
    CHECK(g.alive == 0);
    weft_pool_free(g.pool);
}

TASK_TEST(plain_memory)
{
    struct weft_pool_options none = {0}, buffers = {.size = 4096};
    CHECK(!weft_pool_new(&none));
    struct weft_pool *pool = weft_pool_new(&buffers);
    char *first = weft_pool_get(pool);
    memset(first, 1, 4096);
    weft_pool_put(pool, first);
    CHECK(weft_pool_get(pool) == first && first[4095] == 1);
    weft_pool_put(pool, first);
    weft_pool_free(pool);
    weft_pool_free(NULL);
}

/* ---- once ---- */

static struct weft_once_value answer;
static _Atomic int computed;

static void *compute(void *arg)
{
    computed++;
    weft_yield();
    return arg;
}

static void ask(void *arg)
{
    (void)arg;
    CHECK(weft_once_value(&answer, compute, &g) == &g);
}

TASK_TEST(a_value_is_computed_once)
{
    memset(&answer, 0, sizeof answer);
    computed = 0;
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&g.wg, ask, NULL) == 0);
    weft_waitgroup_wait(&g.wg);
    ask(NULL);
    CHECK(computed == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_comes_back),
        cmocka_unit_test(trim_empties_all_pools),
        cmocka_unit_test(each_object_has_one_owner),
        cmocka_unit_test(objects_go_round_between_tasks),
        cmocka_unit_test(nothing_is_lost_between_runs),
        cmocka_unit_test(plain_memory),
        cmocka_unit_test(a_value_is_computed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
