/*
 * threads.c - thirty thousand short threads that allocate, a few at a time.
 */
#include <pthread.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define ROUNDS  3750
#define AT_ONCE 8

static void *allocate(void *arg)
{
    char *block = malloc(64);
    block = realloc(block, 5000);
    char *other = calloc(10, 100);
    MUST(block != NULL && other != NULL && other[999] == 0);
    free(block);
    free(other);
    return arg;
}

int main(void)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t t[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++)
            MUST(pthread_create(&t[i], &small, allocate, NULL) == 0);
        for (int i = 0; i < AT_ONCE; i++)
            MUST(pthread_join(t[i], NULL) == 0);
    }
    printf("%d threads\n", ROUNDS * AT_ONCE);
    return 0;
}
