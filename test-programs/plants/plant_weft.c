/*
 * plant_weft.c - a Weft program with one leak, for `loiter doctor`: loiter-plant-weft KIND.
 */
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

static const struct {
    const char *kind;
    void (*plant)(void *arg);
} plants[] = {
    {"task", plant_task}, {"ticker", plant_ticker}, {"lock", plant_lock}, {"spawn", plant_spawn}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof(plants) / sizeof(plants[0]); i++)
        if (strcmp(argv[1], plants[i].kind) == 0)
            return weft_run(plants[i].plant, NULL) == 0 ? 0 : 1;
    fputs("usage: loiter-plant-weft task|ticker|lock|spawn\n", stderr);
    return 2;
}
