/*
 * forks.c - forks while other threads allocate: the children allocate too, and end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define THREADS 4
#define FORKS   100

static _Atomic int done;

static void *allocate(void *arg)
{
    unsigned seed = (unsigned)(size_t)arg;
    void *kept[64] = {NULL};
    while (!atomic_load(&done)) {
        unsigned i = (seed = seed * 1103515245u + 12345u) >> 16 & 63u;
        free(kept[i]);
        kept[i] = malloc(1 + (seed >> 8 & 8191u));
    }
    for (int i = 0; i < 64; i++)
        free(kept[i]);
    return NULL;
}

static int in_child(void)
{
    for (int i = 0; i < 100; i++) {
        void *p = realloc(malloc(100), 10000);
        void *aligned = NULL;
        if (p == NULL || posix_memalign(&aligned, 64, 1000) != 0)
            return 1;
        free(p);
        free(aligned);
    }
    return 0;
}

int main(void)
{
    pthread_t t[THREADS];
    int good = 0;
    for (size_t i = 0; i < THREADS; i++)
        MUST(pthread_create(&t[i], NULL, allocate, (void *)(i + 1)) == 0);
    for (int i = 0; i < FORKS; i++) {
        int status;
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            alarm(200); /* a child that hangs is a failure, not a hang of the test */
            _exit(in_child());
        }
        MUST(waitpid(child, &status, 0) == child);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    atomic_store(&done, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    printf("%d children of %d did well\n", good, FORKS);
    return 0;
}
