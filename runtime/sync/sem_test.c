/* The weighted semaphore behaves as that of golang.org/x/sync says. */
#include <stdbool.h>

#include "runtime/test/ending.h"

enum { SIZE = 10, TASKS = 20, ROUNDS = 300 };

static struct {
    struct weft_sem *sem;
    _Atomic int64_t inside;
    _Atomic int order, began;
    int place[3];
} g;

static void use(void *arg)
{
    int64_t n = 1 + (intptr_t)arg % SIZE;
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(weft_sem_acquire(g.sem, NULL, n) == 0);
        CHECK((g.inside += n) <= SIZE);
        if (i % 8 == 0)
            weft_yield();
        g.inside -= n;
        weft_sem_release(g.sem, n);
    }
}

TASK_TEST(never_more_than_its_size)
{
    struct weft_waitgroup wg = {0};
    g.sem = weft_sem_new(SIZE);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&wg, use, (void *)(intptr_t)i) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(weft_sem_try_acquire(g.sem, SIZE) == 0);
    CHECK(weft_sem_try_acquire(g.sem, 1) == -EBUSY);
    CHECK(weft_sem_try_acquire(g.sem, 0) == 0);
    weft_sem_release(g.sem, SIZE);
    CHECK(weft_sem_try_acquire(g.sem, SIZE + 1) == -EBUSY);
    weft_sem_free(g.sem);
}

static void take_all(void *arg)
{
    struct weft_waitgroup *wg = arg;
    CHECK(weft_sem_acquire(g.sem, NULL, SIZE) == 0);
    g.place[0] = ++g.order;
    weft_sem_release(g.sem, SIZE);
    weft_waitgroup_done(wg);
}

static void take_one(void *arg)
{
    struct weft_waitgroup *wg = arg;
    CHECK(weft_sem_acquire(g.sem, NULL, 1) == 0);
    g.place[1] = ++g.order;
    weft_sem_release(g.sem, 1);
    weft_waitgroup_done(wg);
}

/* A line of weft_dump, which goes into a pipe, says both; how long it has waited may stand between.
 */
static bool dump_says(const char *what, const char *object)
{
    static char text[4096];
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(weft_dump(ends[1]) == 0);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    const char *line = strstr(text, what);
    const char *found = line == NULL ? NULL : strstr(line, object);
    return found != NULL && memchr(line, '\n', (size_t)(found - line)) == NULL;
}

TASK_TEST(a_wait_is_shown)
{
    struct weft_waitgroup wg = {0};
    char expected[64];
    g.sem = weft_sem_new(SIZE);
    snprintf(expected, sizeof expected, "] for %p", (void *)g.sem);
    CHECK(weft_sem_acquire(g.sem, NULL, SIZE) == 0);
    weft_waitgroup_add(&wg, 1);
    CHECK(weft_go(take_one, &wg) == 0);
    while (!dump_says("waiting [semaphore acquire", expected))
        weft_yield();
    weft_sem_release(g.sem, SIZE);
    weft_waitgroup_wait(&wg);
    weft_sem_free(g.sem);
}

/* A large request that waits keeps a small one waiting for which there would be room. */
TASK_TEST(first_come_first_served)
{
    struct weft_waitgroup wg = {0};
    g.sem = weft_sem_new(SIZE);
    g.order = 0;
    CHECK(weft_sem_acquire(g.sem, NULL, 2) == 0);
    weft_waitgroup_add(&wg, 2);
    CHECK(weft_go(take_all, &wg) == 0);
    while (weft_sem_try_acquire(g.sem, 1) == 0) { /* until it waits */
        weft_sem_release(g.sem, 1);
        weft_yield();
    }
    CHECK(weft_go(take_one, &wg) == 0);
    for (int i = 0; i < 20; i++)
        weft_yield();
    CHECK(g.order == 0);
    weft_sem_release(g.sem, 2);
    weft_waitgroup_wait(&wg);
    CHECK(g.place[0] == 1 && g.place[1] == 2);
    weft_sem_free(g.sem);
}

static void acquire_cancelled(void *arg)
{
    g.began = 1;
    CHECK(weft_sem_acquire(g.sem, arg, SIZE) == -ECANCELED);
}

static void acquire_small(void *arg)
{
    (void)arg;
    CHECK(weft_sem_acquire(g.sem, NULL, 1) == 0);
    weft_sem_release(g.sem, 1);
}

/* One that gives up no longer keeps those behind it waiting. */
TASK_TEST(cancel_ends_the_wait)
{
    struct weft_waitgroup wg = {0};
    struct weft_ctx *ctx = weft_ctx_with_cancel(NULL);
    g.sem = weft_sem_new(SIZE);
    CHECK(weft_sem_acquire(g.sem, ctx, 1) == 0);
    CHECK(weft_waitgroup_go(&wg, acquire_cancelled, ctx) == 0);
    while (weft_sem_try_acquire(g.sem, 1) == 0) {
        weft_sem_release(g.sem, 1);
        weft_yield();
    }
    CHECK(weft_waitgroup_go(&wg, acquire_small, NULL) == 0);
    weft_yield();
    weft_ctx_cancel(ctx);
    weft_waitgroup_wait(&wg);
    CHECK(weft_sem_acquire(g.sem, ctx, 1) == -ECANCELED); /* though there is room */
    weft_sem_release(g.sem, 1);
    CHECK(weft_sem_try_acquire(g.sem, SIZE) == 0); /* nothing was lost */
    weft_sem_release(g.sem, SIZE);
    weft_ctx_release(ctx);
    weft_sem_free(g.sem);
}

TASK_TEST(time_ends_the_wait)
{
    g.sem = weft_sem_new(1);
    CHECK(weft_sem_acquire_for(g.sem, 1, 0) == 0);
    CHECK(weft_sem_acquire_for(g.sem, 1, 0) == -ETIMEDOUT);
    int64_t before = weft_now();
    CHECK(weft_sem_acquire_for(g.sem, 1, 2 * WEFT_MS) == -ETIMEDOUT);
    CHECK(weft_now() - before >= 2 * WEFT_MS);
    struct weft_ctx *ctx = weft_ctx_with_timeout(NULL, 2 * WEFT_MS);
    CHECK(weft_sem_acquire(g.sem, ctx, 5) == -ETIMEDOUT); /* more than there will ever be */
    weft_ctx_release(ctx);
    weft_sem_release(g.sem, 1);
    CHECK(weft_sem_try_acquire(g.sem, 1) == 0);
    weft_sem_release(g.sem, 1);
    weft_sem_free(g.sem);
}

static void race(void *arg)
{
    for (int i = 0; i < 50; i++) {
        struct weft_ctx *ctx = weft_ctx_with_timeout(arg, (i % 4) * 20 * WEFT_US);
        int64_t n = 1 + i % 3;
        int r = i % 2 ? weft_sem_acquire(g.sem, ctx, n)
                      : weft_sem_acquire_for(g.sem, n, (i % 5) * 20 * WEFT_US);
        CHECK(r == 0 || r == -ETIMEDOUT);
        if (r == 0) {
            CHECK((g.inside += n) <= 3);
            weft_yield();
            g.inside -= n;
            weft_sem_release(g.sem, n);
        }
        weft_ctx_cancel(ctx);
        weft_ctx_release(ctx);
    }
}

/* Releases, deadlines and cancels at once: no unit is lost and none is given twice. */
TASK_TEST(races)
{
    struct weft_waitgroup wg = {0};
    g.sem = weft_sem_new(3);
    for (int i = 0; i < TASKS; i++)
        CHECK(weft_waitgroup_go(&wg, race, NULL) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(g.inside == 0 && weft_sem_try_acquire(g.sem, 3) == 0);
    weft_sem_release(g.sem, 3);
    weft_sem_free(g.sem);
}

/* ---- what ends the program ---- */

static void release_too_much(void *arg)
{
    (void)arg;
    struct weft_sem *sem = weft_sem_new(3);
    weft_sem_try_acquire(sem, 1);
    weft_sem_release(sem, 2);
}

static void acquire_negative(void *arg)
{
    (void)arg;
    weft_sem_acquire(weft_sem_new(3), NULL, -1);
}

static const struct ending misuses[] = {
    {release_too_much, -SIGABRT, {"weft: semaphore released more than held (task "}},
    {acquire_negative, -SIGABRT, {"weft: negative acquire of a semaphore (task "}},
};

static void misuse(void **state)
{
    (void)state;
    run_endings(misuses, sizeof misuses / sizeof *misuses);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_more_than_its_size),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(a_wait_is_shown),
        cmocka_unit_test(cancel_ends_the_wait),
        cmocka_unit_test(time_ends_the_wait),
        cmocka_unit_test(races),
        cmocka_unit_test(misuse),
    };
    become_ending(argc, argv, misuses);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
