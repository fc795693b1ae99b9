/* The clock: it goes with the kernel's and never back. */
#include "runtime/time/clock.h"

#include <pthread.h>
#include <time.h>

#include "runtime/test/check.h"

static int64_t kernel_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * WEFT_S + t.tv_nsec;
}

/* How far it may be off: much more than it is, much less than anybody would call the same. */
#define OFF_MAX (INT64_C(200) * WEFT_US)

static void goes_with_the_kernel(void **state)
{
    int64_t begin = kernel_clock();
    (void)state;
    do {
        int64_t before = kernel_clock();
        int64_t ns = weft_now();
        assert_true(ns >= before - OFF_MAX);
        assert_true(ns <= kernel_clock() + OFF_MAX);
    } while (kernel_clock() - begin < 400 * WEFT_MS);
    assert_true(weft__clock() <= weft_now() + OFF_MAX);
}

static _Atomic int64_t latest;

static void *watch(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3000000; i++) {
        int64_t seen = latest;
        int64_t ns = weft_now();
        CHECK(ns >= seen);
        while (seen < ns && !__atomic_compare_exchange_n(&latest, &seen, ns, false,
                                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        }
    }
    return NULL;
}

static void never_goes_back(void **state)
{
    pthread_t thread[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, watch, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(thread[i], NULL);
}

/* ---- the line alone ---- */

#define TICKS(ns) ((uint64_t)((ns)*3)) /* of a counter of 3 GHz */

static int64_t at(const struct weft__clock_line *line, uint64_t ticks)
{
    return line->ns + (int64_t)(((unsigned __int128)(ticks - line->ticks) * line->rate) >> 32);
}

static struct weft__clock_pair pair(int64_t ns, int64_t error)
{
    return (struct weft__clock_pair){TICKS(ns), 1000 + ns + error};
}

static void first_line(void **state)
{
    struct weft__clock_line none = {0}, line;
    (void)state;
    assert_true(weft__clock_follow(&none, pair(0, 0), pair(20 * WEFT_MS, 0), &line));
    assert_int_equal(line.ns, 1000 + 20 * WEFT_MS);
    assert_true(line.limit >= TICKS(19 * WEFT_MS) && line.limit <= TICKS(21 * WEFT_MS));
    int64_t off = at(&line, TICKS(40 * WEFT_MS)) - (1000 + 40 * WEFT_MS);
    assert_true(off >= -20 && off <= 20);
    assert_false(weft__clock_follow(&none, pair(5, 0), pair(5, 0), &line));
}

/* Where it is ahead it comes back without a step, where it is behind it steps forward. */
static void next_lines(void **state)
{
    struct weft__clock_line none = {0}, line, next;
    (void)state;
    assert_true(weft__clock_follow(&none, pair(0, 0), pair(100 * WEFT_MS, 0), &line));
    for (int64_t error = -50000; error <= 50000; error += 5000) {
        struct weft__clock_line old = line;
        int64_t ns = 200 * WEFT_MS, ahead = 0;
        for (int i = 0; i < 8; i++, ns += 100 * WEFT_MS, old = next) {
            struct weft__clock_pair now = pair(ns, error), before = pair(ns - 100 * WEFT_MS, error);
            assert_true(weft__clock_follow(&old, before, now, &next));
            assert_true(at(&next, now.ticks) > at(&old, now.ticks));
            assert_true(at(&next, now.ticks) >= now.ns);
            ahead = at(&next, now.ticks) - now.ns;
        }
        assert_true(ahead < 1000);
    }
}

static void what_does_not_fit(void **state)
{
    struct weft__clock_line none = {0}, line, next;
    struct weft__clock_pair first = pair(100 * WEFT_MS, 0);
    (void)state;
    assert_true(weft__clock_follow(&none, pair(0, 0), first, &line));
    /* The counter was set back, or far ahead, or runs at another rate. */
    assert_false(weft__clock_follow(&line, pair(0, 0), pair(50 * WEFT_MS, 0), &next));
    assert_false(weft__clock_follow(&line, first, pair(WEFT_S, -300 * WEFT_MS), &next));
    struct weft__clock_pair fast = {TICKS(200 * WEFT_MS), 1000 + 210 * WEFT_MS};
    assert_false(weft__clock_follow(&line, first, fast, &next));
    /* After hours without a look, with a rate that was a millionth off. */
    int64_t hours = 20 * 3600 * WEFT_S;
    assert_true(weft__clock_follow(&line, first, pair(hours, hours / 1000000), &next));
    assert_int_equal(next.ns, 1000 + hours + hours / 1000000);
    assert_true(weft__clock_follow(&line, first, pair(hours, -hours / 1000000), &next));
    assert_int_equal(next.ns, 1000 + hours - hours / 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_with_the_kernel), cmocka_unit_test(never_goes_back),
        cmocka_unit_test(first_line),           cmocka_unit_test(next_lines),
        cmocka_unit_test(what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
