/*
 * moby_7559, with threads: a loop goes on after a dial error without giving up the lock; the second
 * turn waits for itself, and main waits for the loop: the program hangs.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static bool fixed;

static int dial(void)
{
    return -1;
}

static void *proxy_loop(void *arg)
{
    for (int turn = 0; turn < 3; turn++) {
        pthread_mutex_lock(&table_lock); /* LEAK */
        if (dial() < 0) {
            if (fixed)
                pthread_mutex_unlock(&table_lock);
            continue;
        }
        pthread_mutex_unlock(&table_lock);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    (void)argv;
    fixed = argc > 1;
    MUST(pthread_create(&thread, NULL, proxy_loop, NULL) == 0); /* SPAWN */
    pthread_join(thread, NULL);
    puts("proxied");
    return 0;
}
