/* The heap of timers against a plain list. */
#include "runtime/test/check.h"
#include "runtime/time/heap.h"
#include "runtime/time/timers.h"

enum { TIMERS = 300, STEPS = 20000, KEYS = 1000 };

struct model {
    struct weft__heap heap;
    struct weft__timer timer[TIMERS];
    int64_t sleeper_key[TIMERS]; /* stand for tasks by their addresses */
    bool inside[TIMERS], asleep[TIMERS];
    unsigned count;
    uint32_t random;
};

static uint32_t random_below(struct model *m, uint32_t n)
{
    m->random = m->random * 1664525u + 1013904223u;
    return (m->random >> 8) % n;
}

static int64_t least_key(const struct model *m)
{
    int64_t least = INT64_MAX;
    for (unsigned i = 0; i < TIMERS; i++) {
        if (m->inside[i] && m->timer[i].key < least)
            least = m->timer[i].key;
        if (m->asleep[i] && m->sleeper_key[i] < least)
            least = m->sleeper_key[i];
    }
    return least;
}

static void push(struct model *m, unsigned i, bool sleeper)
{
    bool *in = sleeper ? &m->asleep[i] : &m->inside[i];
    if (*in)
        return;
    int64_t key = random_below(m, KEYS);
    assert_true(weft__heap_reserve(&m->heap));
    if (sleeper) {
        m->sleeper_key[i] = key;
        weft__heap_push_sleeper(&m->heap, (struct weft_task *)(void *)&m->sleeper_key[i], key);
    } else {
        m->timer[i].key = key;
        weft__heap_push(&m->heap, &m->timer[i], key);
    }
    *in = true;
    m->count++;
}

/* The first entry, which is the least; *key is where its own key stands. */
static bool *first(struct model *m, int64_t **key)
{
    struct weft__heap_entry e = m->heap.entries[0];
    assert_int_equal(e.key, least_key(m));
    void *task = weft__heap_sleeper(e);
    struct weft__timer *timer = (struct weft__timer *)e.what;
    *key = task ? task : &timer->key;
    assert_int_equal(e.key, **key);
    return task ? &m->asleep[*key - m->sleeper_key] : &m->inside[timer - m->timer];
}

static void pop(struct model *m)
{
    int64_t *key;
    if (m->count == 0)
        return;
    bool *in = first(m, &key);
    weft__heap_pop(&m->heap);
    assert_true(*in);
    *in = false;
    m->count--;
}

static void delay(struct model *m)
{
    int64_t *key;
    if (m->count == 0)
        return;
    first(m, &key);
    *key += random_below(m, KEYS);
    weft__heap_delay(&m->heap, *key);
}

static void step(struct model *m, unsigned growth)
{
    unsigned i = random_below(m, TIMERS), what = random_below(m, 8);
    if (what < growth) {
        push(m, i, what % 2);
    } else if (what == 7) {
        pop(m);
    } else if (what == 6) {
        delay(m);
    } else if (m->inside[i] && what == 5) {
        weft__heap_remove(&m->heap, &m->timer[i]);
        assert_int_equal(m->timer[i].place, 0);
        m->inside[i] = false;
        m->count--;
    } else if (m->inside[i]) {
        m->timer[i].key = random_below(m, KEYS);
        weft__heap_move(&m->heap, &m->timer[i], m->timer[i].key);
    }
    assert_int_equal(m->heap.count, m->count);
    for (unsigned k = 0; k < TIMERS; k++)
        assert_true((m->timer[k].place != 0) == m->inside[k]);
    for (uint32_t k = 1; k < m->heap.count; k++)
        assert_true(m->heap.entries[(k - 1) / 4].key <= m->heap.entries[k].key);
}

static void random_steps(void **state)
{
    static struct model m;
    (void)state;
    m.random = 4711;
    for (unsigned i = 0; i < STEPS; i++)
        step(&m, i / 300 % 2 ? 1 : 5); /* it grows and shrinks */
    while (m.count)
        pop(&m);
    weft__heap_free(&m.heap);
}

static void many_come_out_in_order(void **state)
{
    enum { MANY = 100000 };
    struct weft__timer *timer = calloc(MANY, sizeof *timer);
    struct weft__heap heap = {0};
    uint32_t random = 1;
    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        random = random * 1664525u + 1013904223u;
        assert_true(weft__heap_reserve(&heap));
        if (i % 2)
            weft__heap_push(&heap, &timer[i], random >> 4);
        else
            weft__heap_push_sleeper(&heap, (struct weft_task *)(void *)&timer[i], random >> 4);
    }
    for (int64_t last = 0; heap.count; weft__heap_pop(&heap)) {
        assert_true(heap.entries[0].key >= last);
        last = heap.entries[0].key;
    }
    weft__heap_free(&heap);
    free(timer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(many_come_out_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
