/*
 * More tasks than fit in a worker's ring: they are not carried to and fro between it and the shared
 * queue, and those that yield take turns with the ones that wait there.
 */
#include "runtime/sched/inside.h"
#include "runtime/test/check.h"

static uint32_t put_into_rings(void)
{
    const struct weft__run *run = weft__open_run;
    uint32_t sum = 0;
    for (unsigned i = 0; i < run->workers; i++)
        sum += __atomic_load_n(&run->worker[i]->tail, __ATOMIC_RELAXED);
    return sum;
}

/* ---- a tree of tasks, each of which waits for its children ---- */

#ifdef __SANITIZE_THREAD__ /* to which each is as dear as a thread */
enum { LEAVES = 1000, TASKS_OF_TREE = 1111 };
#else
enum { LEAVES = 100000, TASKS_OF_TREE = 111111 };
#endif
enum { CHILDREN = 10 };

struct node {
    struct weft_chan *parent;
    long leaves;
};

static void grow(void *arg)
{
    const struct node *me = arg;
    long sum = 1, below;
    if (me->leaves > 1) {
        struct weft_chan *in = weft_chan_new(sizeof(long), 0);
        struct node child = {in, me->leaves / CHILDREN};
        for (int i = 0; i < CHILDREN; i++)
            CHECK(weft_go_copy(grow, &child, sizeof child) == 0);
        for (int i = 0; i < CHILDREN; i++) {
            CHECK(weft_chan_recv(in, &below) == 0);
            sum += below;
        }
        weft_chan_release(in);
    }
    CHECK(weft_chan_send(me->parent, &sum) == 0);
}

/* A task is put into a ring as it is made, and once more if the ring was full. */
static void grow_tree(void *arg)
{
    (void)arg;
    struct weft_chan *out = weft_chan_new(sizeof(long), 0);
    struct node top = {out, LEAVES};
    long tasks;
    uint32_t before = put_into_rings();
    CHECK(weft_go_copy(grow, &top, sizeof top) == 0);
    CHECK(weft_chan_recv(out, &tasks) == 0);
    CHECK(tasks == TASKS_OF_TREE);
    CHECK(put_into_rings() - before < 5 * TASKS_OF_TREE / 2);
    weft_chan_release(out);
}

static void a_tree_is_not_carried_to_and_fro(void **state)
{
    (void)state;
    run_all(grow_tree, NULL);
}

/* ---- tasks that yield ---- */

#ifdef __SANITIZE_THREAD__
enum { YIELDERS = 3 * WEFT_RING_SIZE };
#else
enum { YIELDERS = 10 * WEFT_RING_SIZE };
#endif
enum { TURNS = 300 };

static long turns[YIELDERS];
static bool over;

static void take_turns(void *arg)
{
    long *mine = arg;
    while (!over && ++*mine < TURNS)
        weft_yield();
    over = true;
}

static void let_them_yield(void *arg)
{
    (void)arg;
    over = false;
    memset(turns, 0, sizeof turns);
    for (int i = 0; i < YIELDERS; i++)
        CHECK(weft_go(take_turns, &turns[i]) == 0);
    await_ends();
    for (int i = 0; i < YIELDERS; i++)
        CHECK(turns[i] > TURNS / 10);
}

static void all_that_yield_take_turns(void **state)
{
    (void)state;
    struct weft_options one = {.workers = 1};
    CHECK(weft_run_with(&one, let_them_yield, NULL) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_not_carried_to_and_fro),
        cmocka_unit_test(all_that_yield_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
