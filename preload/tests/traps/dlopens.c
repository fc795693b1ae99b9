/*
 * dlopens.c - libraries come and go a thousand times, often two at the same address in turn; their
 * code locks, waits, allocates and makes threads, and names a library that only its own run path
 * finds. What a stack was, or who called, must not be taken from the one that was there before.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "preload/tests/say.h"

enum { ROUNDS = 500 };

typedef int work_fn(pthread_mutex_t *lock, int value);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static volatile int over;

static void *contend(void *arg)
{
    while (!over) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static int use(const char *directory, const char *name, int value)
{
    char path[512];
    MUST((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) < sizeof path);
    void *library = dlopen(path, RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    work_fn *work;
    *(void **)&work = dlsym(library, "trap_work");
    MUST(work != NULL);
    int answer = work(&lock, value);
    MUST(dlclose(library) == 0);
    return answer;
}

int main(int argc, char **argv)
{
    pthread_t t;
    long long sum = 0;
    MUST(argc == 2);
    MUST(pthread_create(&t, NULL, contend, NULL) == 0);
    for (int i = 0; i < ROUNDS; i++)
        sum += use(argv[1], i % 2 ? "libtrap_a.so" : "libtrap_b.so", i);
    over = 1;
    pthread_join(t, NULL);
    SAY(dlopen("/nowhere/libabsent.so", RTLD_NOW) == NULL);
    SAY(dlerror() != NULL);
    SAY(dlsym(RTLD_DEFAULT, "no_such_symbol_anywhere") == NULL);
    SAY(dlerror() != NULL);
    printf("sum %lld\n", sum);
    return 0;
}
