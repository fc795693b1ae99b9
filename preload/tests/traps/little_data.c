/*
 * little_data.c - a program that may have little memory for its data, as a service may that a unit
 * file says it of: it starts, and has for itself what is left of that after a small share.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define MIB         ((size_t)1 << 20)
#define BLOCK_BYTES 10000

static void *use(void *arg)
{
    char **blocks = arg;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 2 * MIB / BLOCK_BYTES; i++) {
            blocks[i] = malloc(BLOCK_BYTES);
            MUST(blocks[i] != NULL);
            memset(blocks[i], round, BLOCK_BYTES);
        }
        for (size_t i = 0; i < 2 * MIB / BLOCK_BYTES; i++)
            free(blocks[i]);
    }
    return NULL;
}

/* Without arenas of their own: the C library reserves much address space for one. */
static int work(void)
{
    static char *blocks[2][2 * MIB / BLOCK_BYTES];
    pthread_attr_t attr;
    pthread_t thread;
    MUST(mallopt(M_ARENA_MAX, 1) == 1 && pthread_attr_init(&attr) == 0 &&
         pthread_attr_setstacksize(&attr, 256 * 1024) == 0);
    MUST(pthread_create(&thread, &attr, use, blocks[0]) == 0);
    use(blocks[1]);
    MUST(pthread_join(thread, NULL) == 0);
    puts("had what it may have");
    return 0;
}

int main(int argc, char **argv)
{
    const struct rlimit limit = {16 * MIB, 16 * MIB};
    if (argc > 1)
        return work();
    MUST(setrlimit(RLIMIT_DATA, &limit) == 0);
    execl("/proc/self/exe", argv[0], "again", NULL);
    perror("exec");
    return 1;
}
