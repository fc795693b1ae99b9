/*
 * dup-c11.c - the resource that several make at once, by C11 threads, through a helper that makes
 * an eventfd.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <threads.h>

#define THREADS 6

static _Atomic int wake_fd = -1;
static _Atomic int opened, stored;

/* However the machine is loaded, all have come here before one goes on. */
static void meet(_Atomic int *come)
{
    for (atomic_fetch_add(come, 1); atomic_load(come) < THREADS;)
        sleep_ms(1);
}

static int make_wake(void)
{
    int fd = eventfd(0, EFD_CLOEXEC); /* TWICE */

    MUST(fd >= 0);
    meet(&opened); /* it takes so long that all come meanwhile */
    return fd;
}

static int wake(void)
{
    if (atomic_load(&wake_fd) < 0)
        atomic_store(&wake_fd, make_wake());
    return atomic_load(&wake_fd);
}

static int work(void *arg)
{
    (void)arg;
    wake();
    meet(&stored);
    for (int i = 0; i < 6; i++) {
        MUST(eventfd_write(wake(), 1) == 0);
        sleep_ms(4);
    }
    return 0;
}

int main(void)
{
    thrd_t thread[THREADS];

    for (int i = 0; i < THREADS; i++)
        MUST(thrd_create(&thread[i], work, NULL) == thrd_success);
    for (int i = 0; i < THREADS; i++)
        thrd_join(thread[i], NULL);
    puts("woken");
    return 0;
}
