/* What a pool has held unused for long goes; what was needed stays. */
#include "runtime/sync/local.h"
#include "runtime/test/check.h"

enum { MANY = 100, FEW = 40 };

static struct weft_pool *pool;
static void *kept[MANY];
static _Atomic int alive;

static void *make(void *arg)
{
    (void)arg;
    alive++;
    return malloc(1);
}

static void destroy(void *object)
{
    alive--;
    free(object);
}

static void use(int count)
{
    for (int i = 0; i < count; i++)
        kept[i] = weft_pool_get(pool);
    for (int i = 0; i < count; i++)
        weft_pool_put(pool, kept[i]);
}

static void new_pool(void)
{
    struct weft_pool_options o = {.make = make, .destroy = destroy};
    alive = 0;
    pool = weft_pool_new(&o);
    use(MANY);
    CHECK(alive == MANY);
}

/* Where no run is open, nobody else looks at its age. */
static void on_a_plain_thread(void **state)
{
    (void)state;
    new_pool();
    weft__pools_age(); /* it was empty within that time */
    CHECK(alive == MANY);
    use(FEW);
    weft__pools_age();
    CHECK(alive >= FEW && alive < MANY);
    int left = alive;
    use(FEW);
    CHECK(alive == left);
    weft__pools_age();
    weft__pools_age();
    CHECK(alive == 0);
    weft_pool_free(pool);
    CHECK(alive == 0);
}

TASK_TEST(on_the_shelf_of_a_worker)
{
    new_pool();
    weft__pools_age();
    weft__pools_age();
    CHECK(alive == 0);
    use(FEW);
    CHECK(alive == FEW);
    weft_pool_free(pool);
    CHECK(alive == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_plain_thread),
        cmocka_unit_test(on_the_shelf_of_a_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
