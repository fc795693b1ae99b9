/* model_test.c - look-ups in a model that was filled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"
#include "analyzer/model/model.h"

static void add_actor(struct model_process *p, uint64_t id)
{
    XGROW(p->actors, p->nactors);
    p->actors[p->nactors++] = (struct model_actor){.id = id};
}

static void add_object(struct model_process *p, uint64_t address, enum el_cell_state state,
                       uint64_t created_ns)
{
    XGROW(p->objects, p->nobjects);
    p->objects[p->nobjects++] =
        (struct model_object){.address = address, .state = state, .created_ns = created_ns};
}

static void test_empty(void **state)
{
    (void)state;
    struct model_process p = {0};
    size_t n = 7;
    model_process_index(&p);
    assert_null(model_find_actor(&p, 1));
    assert_null(model_find_object(&p, 0));
    assert_null(model_find_stack(&p, 0));
    assert_null(model_find_holder(&p, 0));
    assert_null(model_find_holdings(&p, 1, &n));
    assert_int_equal(n, 0);
    assert_null(model_find_mark(&p, 5));
    assert_null(model_find_run(&p, 1));
    model_process_finish(&p);
    model_destroy(NULL);
}

static void test_actors(void **state)
{
    (void)state;
    struct model_process p = {0};
    const uint64_t ids[] = {9, EL_ACTOR_TASK | 3, 1, EL_ACTOR_TASK | 1, 4};
    for (size_t i = 0; i < 5; i++)
        add_actor(&p, ids[i]);
    model_process_index(&p);
    for (size_t i = 0; i < 5; i++)
        assert_true(model_find_actor(&p, ids[i])->id == ids[i]);
    assert_null(model_find_actor(&p, 3)); /* the task 3 is not the thread 3 */
    assert_null(model_find_actor(&p, 0));
    assert_null(model_find_actor(&p, UINT64_MAX));
    model_process_finish(&p);
}

/* Memory is used again: the object that is there now is the one that is meant. */
static void test_objects_at_one_address(void **state)
{
    (void)state;
    struct model_process p = {0};
    add_object(&p, 0x10, EL_GONE, 50);
    add_object(&p, 0x20, EL_LIVE, 1);
    add_object(&p, 0x10, EL_LIVE, 20);
    add_object(&p, 0x10, EL_GONE, 60);
    add_object(&p, 0x30, EL_GONE, 5);
    add_object(&p, 0x30, EL_GONE, 6);
    model_process_index(&p);
    assert_true(model_find_object(&p, 0x10)->created_ns == 20);
    assert_true(model_find_object(&p, 0x30)->created_ns == 6);
    assert_null(model_find_object(&p, 0x15));
    model_process_finish(&p);
}

static void test_holders(void **state)
{
    (void)state;
    struct model_process p = {0};
    add_actor(&p, 2);
    add_actor(&p, 1);
    add_actor(&p, 3);
    for (uint64_t who = 1; who <= 2; who++) {
        XGROW(p.helds, p.nhelds);
        struct model_held *h = &p.helds[p.nhelds++];
        *h = (struct model_held){.count = who == 1 ? 1 : 9, .actor = who};
        for (size_t k = 0; k < (who == 1 ? 1u : 6u); k++) {
            h->locks[k].lock = 0x100 + k;
            h->locks[k].kind = EL_WAIT_RWLOCK_READ;
            h->locks[k].stack = (uint32_t)(10 * who + k);
        }
    }
    model_process_index(&p);
    model_process_index(&p); /* again: nothing doubles */
    size_t n;
    const struct model_holding *h = model_find_holdings(&p, 0x100, &n);
    assert_int_equal(n, 2);
    assert_true(h[0].actor == 1 && h[1].actor == 2);
    assert_int_equal(h[1].stack, 20);
    assert_true(model_find_holder(&p, 0x105)->id == 2);
    assert_null(model_find_holder(&p, 0x106)); /* beyond the array */
    assert_null(model_find_actor(&p, 3)->held);
    assert_int_equal(model_find_actor(&p, 2)->held->count, 9);
    model_process_finish(&p);
}

static void test_marks(void **state)
{
    (void)state;
    struct model_process p = {0};
    for (uint64_t i = 1; i <= 3; i++) {
        XGROW(p.marks, p.nmarks);
        p.marks[p.nmarks++] = (struct model_mark){10 * i, xasprintf("test %d", (int)i)};
    }
    assert_null(model_find_mark(&p, 9));
    assert_string_equal(model_find_mark(&p, 10), "test 1");
    assert_string_equal(model_find_mark(&p, 29), "test 2");
    assert_string_equal(model_find_mark(&p, UINT64_MAX - 1), "test 3");
    model_process_finish(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_actors),
        cmocka_unit_test(test_objects_at_one_address),
        cmocka_unit_test(test_holders),
        cmocka_unit_test(test_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
