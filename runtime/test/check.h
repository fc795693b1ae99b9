/*
 * For the tests of Weft. A failed assertion of cmocka jumps out of the test, which must not be done
 * from a task; CHECK ends the program instead.
 */
#ifndef WEFT_TEST_CHECK_H
#define WEFT_TEST_CHECK_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft.h>

#include <cmocka.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: failed: %s (errno %d)\n", __FILE__, __LINE__, #condition,      \
                    errno);                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The process's threads, and two more: to be compared with what it was before. */
static inline int threads_seen(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/task");
    CHECK(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Runs fn(arg) as the main task with 1, 2 and 4 workers. */
static inline void run_all(void (*fn)(void *), void *arg)
{
    static const unsigned workers[] = {1, 2, 4};
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        struct weft_options options = {.workers = workers[i]};
        CHECK(weft_run_with(&options, fn, arg) == 0);
    }
}

/* Lets others run until `n` tasks of the run wait: for channels, time, descriptors. Orders tests
 * without sleeping. */
static inline void await_waiting(uint64_t n)
{
    struct weft_stats stats;
    do {
        weft_yield();
        CHECK(weft_stats(&stats) == 0);
    } while (stats.tasks_waiting != n);
}

/* Lets others run until they all have ended: a task that was made ready may still be in the queue
 * of an object. */
static inline void await_ends(void)
{
    struct weft_stats stats;
    do {
        weft_yield();
        CHECK(weft_stats(&stats) == 0);
    } while (stats.tasks_waiting + stats.tasks_runnable + stats.tasks_running > 1);
}

/* A cmocka test `name` that runs the task `body`. */
#define TASK_TEST(name)                                                                            \
    static void name##_body(void *arg);                                                            \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        run_all(name##_body, NULL);                                                                \
    }                                                                                              \
    static void name##_body(void *arg __attribute__((unused)))

#endif
