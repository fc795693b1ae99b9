/*
 * Looks like the race and is right: tasks that open at once, at one place, what each of them uses;
 * a pool, filled by several at once, whose connections are used by all in turn; and a shared one
 * that is made under a lock.
 *
 * Look at worker.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

#define WORKERS 12
#define TURNS   6

static struct weft_chan *pool;
static struct weft_mutex lock;
static int shared = -1;

static int open_one(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    MUST(fd >= 0);
    weft_sleep(WEFT_MS);
    return fd;
}

static int shared_one(void)
{
    weft_mutex_lock(&lock);
    if (shared < 0) {
        shared = memfd_create("shared", MFD_CLOEXEC);
        MUST(ftruncate(shared, 4096) == 0);
    }
    weft_mutex_unlock(&lock);
    return shared;
}

static int pair_of_pool(void)
{
    int pair[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    close(pair[1]);
    weft_sleep(WEFT_MS);
    return pair[0];
}

static void worker(void *arg)
{
    int own = open_one(), pooled = pair_of_pool();
    char bytes[8];

    (void)arg;
    weft_chan_send(pool, &pooled);
    for (int i = 0; i < TURNS; i++) {
        MUST(read(own, bytes, sizeof bytes) == sizeof bytes);
        MUST(read(shared_one(), bytes, sizeof bytes) == sizeof bytes);
        weft_chan_recv(pool, &pooled);
        MUST(recv(pooled, bytes, 1, 0) == 0);
        weft_sleep(WEFT_US * 50);
        weft_chan_send(pool, &pooled);
    }
    close(own);
}

static void serve(void *arg)
{
    struct weft_waitgroup workers = {0};
    int fd;

    (void)arg;
    pool = weft_chan_new(sizeof(int), WORKERS);
    for (int i = 0; i < WORKERS; i++)
        weft_waitgroup_go(&workers, worker, NULL);
    weft_waitgroup_wait(&workers);
    while (weft_chan_try_recv(pool, &fd) == 0)
        close(fd);
    weft_chan_release(pool);
    close(shared);
    puts("worked");
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
