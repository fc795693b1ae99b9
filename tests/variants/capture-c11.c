/*
 * A picture that was shown is reported when the connection comes back, by a thread of its own. A
 * helper starts it, and its small job points to the whole picture, of which it needs the name.
 *
 * Look at what report makes of its job.
 */
#include "test-programs/common/sample.h"

#include <stdlib.h>
#include <string.h>
#include <threads.h>

#define PICTURES 120

struct picture {
    int name;
    unsigned char pixels[120000];
};

struct job {
    int (*run)(struct picture *picture);
    struct picture *picture;
};

static mtx_t lock;
static cnd_t connected;
static int is_connected;
static long reported;

static int report(struct picture *picture)
{
    mtx_lock(&lock);
    while (!is_connected)
        cnd_wait(&connected, &lock);
    reported += picture->name;
    mtx_unlock(&lock);
    return 0;
}

static int run_job(void *arg)
{
    struct job *job = arg;
    int result = job->run(job->picture);

    free(job->picture);
    free(job);
    return result;
}

static thrd_t start_in_thread(int (*run)(struct picture *picture), struct picture *picture)
{
    struct job *job = malloc(sizeof *job);
    thrd_t thread;

    MUST(job != NULL);
    *job = (struct job){run, picture};
    MUST(thrd_create(&thread, run_job, job) == thrd_success); /* SPAWN */
    return thread;
}

int main(void)
{
    thrd_t threads[PICTURES];

    MUST(mtx_init(&lock, mtx_plain) == thrd_success && cnd_init(&connected) == thrd_success);
    for (int i = 0; i < PICTURES; i++) {
        struct picture *picture = malloc(sizeof *picture);
        MUST(picture != NULL);
        picture->name = i;
        memset(picture->pixels, i, sizeof picture->pixels);
        threads[i] = start_in_thread(report, picture);
    }
    wait_until_others_wait();
    sleep_ms(20);
    mtx_lock(&lock);
    is_connected = 1;
    mtx_unlock(&lock);
    cnd_broadcast(&connected);
    for (int i = 0; i < PICTURES; i++)
        thrd_join(threads[i], NULL);
    return reported == PICTURES * (PICTURES - 1) / 2 ? 0 : 1;
}
