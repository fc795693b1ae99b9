/*
 * Many tasks of all kinds at once, with invariants that hold however they interleave.
 *
 *     weft_stress [--seed N] [--seconds S] [--workers N,N,...] [--part NAME]
 *
 * Rounds follow each other until the time is over: each is a run of the scheduler with other parts
 * at once and other numbers, both from a seed that is printed when it fails (with the same seed and
 * workers the same parts meet again, if not in the same order). A round that does not end within
 * its time limit has lost a wake-up: the tasks are listed then.
 */
#include "runtime/test/stress.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/test/number.h"

enum { SECONDS_MAX = 1000000, WORKERS_MAX = 256 };
enum { ROUND_LIMIT_SECONDS = 100, PARTS_AT_ONCE = 9, COUNTS_MAX = 16, LEAVE_EVERY = 8 };

static uint32_t seed;
static unsigned workers;

static const struct part {
    const char *name;
    void (*run)(void *);
} parts[] = {
    {"flow", stress_flow},
    {"flow", stress_flow},
    {"ring", stress_ring},
    {"exchange", stress_exchange},
    {"exchange", stress_exchange},
    {"closing", stress_closing},
    {"locks", stress_locks},
    {"sem", stress_sem},
    {"contexts", stress_contexts},
    {"flights", stress_flights},
    {"counts", stress_counts},
    {"versions", stress_versions},
    {"pools", stress_pools},
    {"timers", stress_timers},
    {"timer_channels", stress_timer_channels},
    {"shared_timers", stress_shared_timers},
    {"sockets", stress_sockets},
    {"pipes", stress_pipes},
    {"closed_descriptors", stress_closed_descriptors},
    {"blocking", stress_blocking},
    {"threads", stress_threads},
    {"locked_threads", stress_locked_threads},
};

static const char *only; /* this part */

void stress_fail(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: %s (errno %d): --seed %u --workers %u\n", file, line, text, errno, seed,
            workers);
    weft_dump(STDERR_FILENO);
    abort();
}

static void too_late(int signal)
{
    (void)signal;
    char line[128];
    int n = snprintf(line, sizeof line,
                     "stress: a round does not end: a wake-up is lost: --seed %u --workers %u\n",
                     seed, workers);
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        _exit(3);
    weft_dump(STDERR_FILENO);
    abort();
}

static const struct part *choose(uint32_t *random)
{
    enum { PARTS = sizeof parts / sizeof *parts };
    const struct part *part = &parts[next_random(random) % PARTS];
    while (only && strcmp(only, part->name) != 0)
        part = part == parts ? &parts[PARTS - 1] : part - 1;
    return part;
}

static const char *part_named(const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(parts[i].name, name) == 0)
            return name;
    fprintf(stderr, "stress: --part: there is none of this name: \"%s\"\n", name);
    exit(NUMBER_REFUSED);
}

static void one_round(void *arg)
{
    struct weft_waitgroup wg = {0};
    uint32_t random = *(uint32_t *)arg, seeds[PARTS_AT_ONCE];
    for (int i = 0; i < PARTS_AT_ONCE; i++) {
        seeds[i] = next_random(&random);
        CHECK(weft_waitgroup_go(&wg, choose(&random)->run, &seeds[i]) == 0);
    }
    if (*(uint32_t *)arg % LEAVE_EVERY == 0)
        stress_left_behind(NULL);
    weft_waitgroup_wait(&wg);
}

static unsigned read_counts(char *text, unsigned *counts)
{
    unsigned n = 0;
    for (char *at = strtok(text, ","); at && n < COUNTS_MAX; at = strtok(NULL, ","))
        counts[n++] = (unsigned)number_read("--workers", at, 1, WORKERS_MAX);
    return n;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"seconds", required_argument, NULL, 't'},
                                            {"workers", required_argument, NULL, 'w'},
                                            {"part", required_argument, NULL, 'p'},
                                            {0}};
    unsigned counts[COUNTS_MAX] = {1, 2, 3, 4, 8}, n = 5, rounds = 0;
    int64_t seconds = 3;
    seed = (uint32_t)weft_now();
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's')
            seed = (uint32_t)number_read("--seed", optarg, 0, UINT32_MAX);
        else if (c == 't')
            seconds = number_read("--seconds", optarg, 0, SECONDS_MAX);
        else if (c == 'p')
            only = part_named(optarg);
        else if (c != 'w' || (n = read_counts(optarg, counts)) == 0)
            return NUMBER_REFUSED;
    }
    if (optind < argc) {
        fprintf(stderr, "\"%s\" is no option: --seed, --seconds, --workers, --part\n",
                argv[optind]);
        return NUMBER_REFUSED;
    }
    int64_t until = weft_now() + seconds * WEFT_S;
    signal(SIGALRM, too_late);
    do {
        workers = counts[rounds % n];
        struct weft_options run = {.workers = workers};
        uint32_t state = seed;
        alarm(ROUND_LIMIT_SECONDS);
        CHECK(weft_run_with(&run, one_round, &state) == 0);
        seed++;
        rounds++;
    } while (weft_now() < until || rounds < n);
    printf("%u rounds\n", rounds);
    return 0;
}
