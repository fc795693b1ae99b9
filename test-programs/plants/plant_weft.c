/*
 * plant_weft.c - a Weft program with one pitfall, for `loiter doctor`: loiter-plant-weft KIND.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft.h>

#define TASKS   5000
#define WORKERS 4
#define ROUNDS  5
#define MS      INT64_C(1000000)

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "loiter-plant-weft: %s failed\n", what);
        exit(1);
    }
}

/* ---- task: nobody will ever send ---- */

static void receive_from_nobody(void *arg)
{
    char value;
    weft_chan_recv(arg, &value);
}

static void plant_task(void *arg)
{
    (void)arg;
    struct weft_chan *chan = weft_chan_new(1, 0);
    must(chan != NULL, "weft_chan_new");
    must(weft_go(receive_from_nobody, chan) == 0, "weft_go");
    weft_sleep(20 * MS);
}

/* ---- ticker ---- */

static void tick_and_forget(void)
{
    struct weft_ticker *ticker = weft_ticker_new(2 * MS);
    must(ticker != NULL, "weft_ticker_new");
    for (int i = 0; i < 2; i++)
        weft_chan_recv(weft_ticker_chan(ticker), NULL);
}

static void plant_ticker(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        tick_and_forget();
    weft_sleep(20 * MS);
}

/* ---- lock ---- */

static struct weft_mutex table_lock;
static struct weft_waitgroup all;

static void sleep_under_lock(void)
{
    weft_mutex_lock(&table_lock);
    weft_sleep(10 * MS);
    weft_mutex_unlock(&table_lock);
}

static void sleep_rounds(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        sleep_under_lock();
}

static void plant_lock(void *arg)
{
    (void)arg;
    for (int i = 0; i < WORKERS; i++)
        must(weft_waitgroup_go(&all, sleep_rounds, NULL) == 0, "weft_go");
    weft_waitgroup_wait(&all);
}

/* ---- spawn ---- */

static void handle(void *arg)
{
    (void)arg;
    weft_sleep(100 * MS);
    weft_waitgroup_done(&all);
}

static void go_for_each(void)
{
    for (int i = 0; i < TASKS; i++)
        must(weft_go(handle, NULL) == 0, "weft_go");
}

static void plant_spawn(void *arg)
{
    (void)arg;
    weft_waitgroup_add(&all, TASKS);
    go_for_each();
    weft_waitgroup_wait(&all);
}

/* ---- capture: each waits with a whole request behind its argument ---- */

#define REQUESTS     600
#define REQUEST_SIZE 32768

static struct weft_chan *batch;

static void audit(void *arg)
{
    weft_chan_recv(batch, NULL);
    free(arg);
    weft_waitgroup_done(&all);
}

static void go_with_request(void)
{
    char *request = malloc(REQUEST_SIZE);
    must(request != NULL, "malloc");
    memset(request, 1, REQUEST_SIZE);
    must(weft_go(audit, request) == 0, "weft_go");
}

static void plant_capture(void *arg)
{
    (void)arg;
    batch = weft_chan_new(0, 0);
    must(batch != NULL, "weft_chan_new");
    weft_waitgroup_add(&all, REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        go_with_request();
    weft_sleep(100 * MS);
    weft_chan_close(batch);
    weft_waitgroup_wait(&all);
    weft_chan_release(batch);
}

/* ---- items: the receiver leaves before the channel is empty ---- */

static struct weft_waitgroup sent;

static void send_all(void *arg)
{
    for (long i = 0; i < 80; i++)
        weft_chan_send(arg, &i);
    weft_waitgroup_done(&sent);
}

static void take_some(void)
{
    struct weft_chan *jobs = weft_chan_new(sizeof(long), 64);
    long job;
    must(jobs != NULL, "weft_chan_new");
    weft_waitgroup_add(&sent, 1);
    must(weft_go(send_all, jobs) == 0, "weft_go");
    for (int i = 0; i < 20; i++)
        weft_chan_recv(jobs, &job);
    weft_waitgroup_wait(&sent);
    weft_chan_close(jobs);
    weft_chan_release(jobs);
}

static void plant_items(void *arg)
{
    (void)arg;
    take_some();
}

/* ---- contexts: let go of, never cancelled ---- */

static void limit_and_forget(void)
{
    struct weft_ctx *ctx = weft_ctx_with_timeout(NULL, 60 * WEFT_S);
    must(ctx != NULL, "weft_ctx_with_timeout");
    weft_ctx_release(ctx);
}

static void plant_contexts(void *arg)
{
    (void)arg;
    for (int i = 0; i < ROUNDS; i++)
        limit_and_forget();
}

/* ---- tiny: a task for an addition ---- */

static atomic_long cells;

static void fill_cell(void *arg)
{
    (void)arg;
    atomic_fetch_add(&cells, 1);
    weft_waitgroup_done(&all);
}

static void go_for_each_cell(void)
{
    for (int i = 0; i < 30000; i++)
        must(weft_go(fill_cell, NULL) == 0, "weft_go");
}

static void plant_tiny(void *arg)
{
    (void)arg;
    weft_waitgroup_add(&all, 30000);
    go_for_each_cell();
    weft_waitgroup_wait(&all);
}

/* ---- retries: each makes two ---- */

static void attempt(void *arg);

static void retry_twice(long left)
{
    weft_waitgroup_add(&all, 2);
    for (int i = 0; i < 2; i++)
        must(weft_go_copy(attempt, &left, sizeof(left)) == 0, "weft_go_copy");
}

static void attempt(void *arg)
{
    long left = *(long *)arg;
    if (left > 0)
        retry_twice(left - 1);
    weft_waitgroup_done(&all);
}

static void plant_retries(void *arg)
{
    (void)arg;
    retry_twice(7);
    weft_waitgroup_wait(&all);
}

/* ---- group: the others go on after one has failed ---- */

static int fetch_part(void *arg)
{
    if (*(int *)arg == 0)
        return -EIO;
    weft_sleep(150 * MS);
    return 0;
}

static void fetch_all(void)
{
    struct weft_group parts = {0};
    for (int i = 0; i < 20; i++)
        must(weft_group_go_copy(&parts, fetch_part, &i, sizeof(i)) == 0, "weft_group_go");
    must(weft_group_wait(&parts) == -EIO, "weft_group_wait");
}

static void plant_group(void *arg)
{
    (void)arg;
    fetch_all();
}

/* ---- late: it is added when the wait for it is over ---- */

static void add_late(void *arg)
{
    weft_chan_recv(arg, NULL);
    weft_waitgroup_add(&all, 1);
    weft_waitgroup_done(&all);
    weft_chan_send(arg, NULL);
}

static void plant_late(void *arg)
{
    struct weft_chan *turn = weft_chan_new(0, 0);
    (void)arg;
    must(turn != NULL && weft_go(add_late, turn) == 0, "weft_go");
    weft_waitgroup_wait(&all);
    weft_chan_send(turn, NULL);
    weft_chan_recv(turn, NULL);
    weft_chan_release(turn);
}

static const struct {
    const char *kind;
    void (*plant)(void *arg);
} plants[] = {
    {"task", plant_task},   {"ticker", plant_ticker},   {"lock", plant_lock},
    {"spawn", plant_spawn}, {"items", plant_items},     {"contexts", plant_contexts},
    {"tiny", plant_tiny},   {"retries", plant_retries}, {"group", plant_group},
    {"late", plant_late},   {"capture", plant_capture},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(plants) / sizeof(plants[0]); i++)
        if (strcmp(argv[1], plants[i].kind) == 0)
            return weft_run(plants[i].plant, NULL) == 0 ? 0 : 1;
    fputs("usage: loiter-plant-weft KIND, one of", stderr);
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
        fprintf(stderr, " %s", plants[i].kind);
    fputc('\n', stderr);
    return 2;
}
