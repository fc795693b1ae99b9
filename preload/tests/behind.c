/*
 * behind.c - two threads and a counter under a mutex. Are all their calls seen by the library that
 * stands behind all others, where there is one (behind_lib.c)?
 */
#include <pthread.h>

#include "preload/tests/say.h"

#define OFTEN 1000

extern unsigned behind_seen(void) __attribute__((weak));

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned counter;

static void *count(void *arg)
{
    for (int i = 0; i < OFTEN; i++) {
        MUST(pthread_mutex_lock(&mutex) == 0);
        counter++;
        MUST(pthread_mutex_unlock(&mutex) == 0);
    }
    return arg;
}

int main(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, count, NULL) == 0);
    count(NULL);
    MUST(pthread_join(thread, NULL) == 0);
    SAY((int)counter);
    if (behind_seen != NULL) /* a lock that is waited for may have been tried first */
        printf("%s\n", behind_seen() >= 4 * OFTEN ? "all were seen" : "some were not seen");
    return 0;
}
