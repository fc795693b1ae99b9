/*
 * detached-late.c - threads whose last user has left detach themselves as their thread-local data
 * is torn down, when their function is over (GLib's threads do that).
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 30

struct handle {
    atomic_int users;
    pthread_t thread;
};

static pthread_key_t own;
static atomic_int gone;

static void leave(struct handle *handle)
{
    if (atomic_fetch_sub(&handle->users, 1) != 1)
        return;
    pthread_detach(handle->thread);
    free(handle);
    atomic_fetch_add(&gone, 1);
}

static void torn_down(void *handle)
{
    leave(handle);
}

static void *serve(void *arg)
{
    pthread_setspecific(own, arg);
    sleep_ms(2);
    return NULL;
}

int main(void)
{
    MUST(pthread_key_create(&own, torn_down) == 0);
    for (int i = 0; i < THREADS; i++) {
        struct handle *handle = calloc(1, sizeof *handle);
        MUST(handle != NULL);
        atomic_store(&handle->users, 2);
        MUST(pthread_create(&handle->thread, NULL, serve, handle) == 0);
        leave(handle);
    }
    while (atomic_load(&gone) != THREADS)
        sleep_ms(1);
    puts("all gone");
    return 0;
}
