/*
 * Is a wake-up lost? Short runs, one after the other, with 1 to 8 workers, while other processes
 * take the CPUs away. Each has only a few tasks of a few kinds, so that nobody comes by who would
 * wake a worker for another reason; one that does not end has lost a wake-up.
 *
 *     weft_wake_stress [SECONDS [SEED]]
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/test/number.h"

enum { SECONDS_MAX = 1000000, WORKERS_MAX = 8, LOADS = 3, ROUND_LIMIT_SECONDS = 60, TASKS_MAX = 5 };

static uint32_t seed, round_number;
static unsigned workers;
static char kinds_of_round[TASKS_MAX + 1];
static struct weft_waitgroup group, watching;

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail(__LINE__, #condition);                                                            \
    } while (0)

static void fail(int line, const char *text)
{
    fprintf(stderr, "wake stress: line %d: %s: seed=%u round=%u workers=%u kinds=%s\n", line, text,
            seed, round_number, workers, kinds_of_round);
    _exit(1);
}

static void too_late(int signal)
{
    (void)signal;
    weft_dump(STDERR_FILENO);
    fail(0, "a round does not end: a wake-up is lost");
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* ---- the kinds; each waits for something else ---- */

static void sleeper(uint32_t *random)
{
    weft_sleep(next_random(random) % 100 * WEFT_US);
}

static void nap(void *ns)
{
    struct timespec t = {.tv_nsec = *(long *)ns};
    nanosleep(&t, NULL);
}

static void caller(uint32_t *random)
{
    long ns = next_random(random) % 2 * 20000;
    CHECK(weft_blocking(nap, &ns) == 0);
}

static void yielder(uint32_t *random)
{
    for (uint32_t i = next_random(random) % 2000; i > 0; i--)
        weft_yield();
}

static void post(void *chan)
{
    CHECK(weft_chan_try_send(chan, NULL) == 0);
}

static void timed(uint32_t *random)
{
    struct weft_chan *c = weft_chan_new(0, 1);
    struct weft_timer *t = weft_timer_func(next_random(random) % 60 * WEFT_US, post, c);
    CHECK(weft_chan_recv(c, NULL) == 0);
    CHECK(weft_timer_reset(t, 3600 * WEFT_S) == 0);
    CHECK(weft_timer_stop(t) == 1);
    weft_timer_free(t);
    weft_chan_release(c);
}

static void chooser(uint32_t *random)
{
    struct weft_chan *c = weft_after(next_random(random) % 100 * WEFT_US);
    struct weft_chan *never = weft_chan_new(0, 0);
    struct weft_case cases[] = {WEFT_RECV(c, NULL), WEFT_RECV(never, NULL)};
    int r = weft_select(cases, 2, next_random(random) % 100 * WEFT_US);
    CHECK(r == 0 || r == -ETIMEDOUT);
    weft_chan_release(c);
    weft_chan_release(never);
}

static void write_byte(void *fd)
{
    weft_yield();
    CHECK(weft_write(*(int *)fd, "x", 1) == 1);
}

static void reader(uint32_t *random)
{
    int fd[2];
    char byte;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    bool blocks = next_random(random) % 2;
    if (blocks)
        CHECK(weft_go(write_byte, &fd[1]) == 0);
    else
        CHECK(weft_poll(fd[0], POLLIN, next_random(random) % 100 * WEFT_US) == 0);
    if (!blocks)
        write_byte(&fd[1]);
    CHECK(weft_read(fd[0], &byte, 1) == 1);
    weft_close(fd[0]);
    weft_close(fd[1]);
}

static void *outsider(void *chan)
{
    int value = 1;
    while (weft_chan_try_send(chan, &value) == -EAGAIN)
        sched_yield();
    return NULL;
}

static void called(uint32_t *random)
{
    pthread_t thread;
    struct weft_chan *c = weft_chan_new(sizeof(int), 0);
    (void)random;
    CHECK(pthread_create(&thread, NULL, outsider, c) == 0);
    CHECK(weft_chan_recv(c, NULL) == 0);
    pthread_join(thread, NULL);
    weft_chan_release(c);
}

static const struct {
    char name;
    void (*fn)(uint32_t *random);
} kinds[] = {{'s', sleeper}, {'b', caller}, {'y', yielder}, {'t', timed},
             {'c', chooser}, {'r', reader}, {'o', called}};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- rounds ---- */

/* Waits for a descriptor all the time, so that workers look at those now and then. */
static void watch(void *arg)
{
    char byte;
    CHECK(weft_read(*(int *)arg, &byte, 1) == 1);
    weft_waitgroup_done(&watching);
}

struct part {
    uint32_t random, kind;
};

static void play(void *arg)
{
    struct part p = *(struct part *)arg;
    for (uint32_t i = 1 + next_random(&p.random) % 12; i > 0; i--)
        kinds[p.kind].fn(&p.random);
    weft_waitgroup_done(&group);
}

static void round_main(void *arg)
{
    uint32_t random = *(uint32_t *)arg, tasks = 1 + next_random(&random) % TASKS_MAX;
    int fd[2];
    bool watched = next_random(&random) % 4 != 0;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    if (watched) {
        weft_waitgroup_add(&watching, 1);
        CHECK(weft_go(watch, &fd[0]) == 0);
    }
    memset(kinds_of_round, 0, sizeof kinds_of_round);
    for (uint32_t i = 0; i < tasks; i++) {
        struct part p = {.kind = next_random(&random) % KINDS};
        kinds_of_round[i] = kinds[p.kind].name;
        p.random = next_random(&random);
        weft_waitgroup_add(&group, 1);
        CHECK(weft_go_copy(play, &p, sizeof p) == 0);
    }
    weft_waitgroup_wait(&group);
    CHECK(weft_write(fd[1], "x", 1) == 1);
    weft_waitgroup_wait(&watching);
    weft_close(fd[0]);
    weft_close(fd[1]);
}

static void load(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile uint64_t n = 0;; n++) {
    }
}

int main(int argc, char **argv)
{
    long seconds = argc > 1 ? number_read("SECONDS", argv[1], 1, SECONDS_MAX) : 4;
    pid_t child[LOADS];
    seed = argc > 2 ? (uint32_t)number_read("SEED", argv[2], 0, UINT32_MAX) : (uint32_t)getpid();
    signal(SIGALRM, too_late);
    for (int i = 0; i < LOADS; i++) {
        child[i] = fork();
        if (child[i] == 0)
            load();
    }
    uint32_t random = seed;
    for (time_t end = time(NULL) + seconds; time(NULL) < end; round_number++) {
        uint32_t next = next_random(&random);
        struct weft_options options = {.workers = workers = 1 + next % WORKERS_MAX};
        alarm(ROUND_LIMIT_SECONDS);
        CHECK(weft_run_with(&options, round_main, &random) == 0);
    }
    alarm(0);
    for (int i = 0; i < LOADS; i++) {
        if (child[i] > 0)
            kill(child[i], SIGKILL);
    }
    printf("%u rounds, seed %u\n", round_number, seed);
    return 0;
}
