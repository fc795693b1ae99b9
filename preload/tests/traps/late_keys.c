/*
 * late_keys.c - destructors of thread-specific data lock, allocate, read and write, and make values
 * anew until the C library gives up; the same in functions of atexit and in destructors of the
 * program, after those of any library that was loaded before it.
 */
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "preload/tests/say.h"

enum { THREADS = 50, KEYS = 8 };

static pthread_key_t keys[KEYS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static int pipes[2], calls;

/* Wrapped calls of each family; true if all did what they should. */
static int use_everything(void)
{
    char c = 'x';
    void *p = realloc(malloc(100), 5000);
    int ok = p != NULL;
    free(p);
    ok = ok && pthread_mutex_lock(&lock) == 0;
    ok = ok && write(pipes[1], &c, 1) == 1 && read(pipes[0], &c, 1) == 1;
    calls++;
    ok = ok && pthread_mutex_unlock(&lock) == 0;
    ok = ok && pthread_rwlock_rdlock(&rwlock) == 0 && pthread_rwlock_unlock(&rwlock) == 0;
    ok = ok && sem_post(&sem) == 0 && sem_wait(&sem) == 0;
    errno = 99;
    ok = ok && pthread_mutex_trylock(&lock) != EINVAL && errno == 99;
    pthread_mutex_unlock(&lock);
    return ok && usleep(1) == 0;
}

static void on_thread_end(void *value)
{
    MUST(use_everything());
    size_t round = (size_t)value;
    if (round < PTHREAD_DESTRUCTOR_ITERATIONS + 2)
        pthread_setspecific(keys[round % KEYS], (void *)(round + 1));
}

static void *thread(void *arg)
{
    for (size_t i = 0; i < KEYS; i++)
        MUST(pthread_setspecific(keys[i], (void *)1) == 0);
    return arg;
}

static void at_exit(void)
{
    MUST(use_everything());
    puts("atexit: works");
}

__attribute__((destructor)) static void last_of_all(void)
{
    dprintf(STDOUT_FILENO, "destructor: %s\n", use_everything() ? "works" : "broken");
}

int main(void)
{
    MUST(pipe(pipes) == 0 && sem_init(&sem, 0, 0) == 0);
    for (int i = 0; i < KEYS; i++)
        MUST(pthread_key_create(&keys[i], on_thread_end) == 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_t t;
        MUST(pthread_create(&t, NULL, thread, NULL) == 0);
        if (i % 2)
            MUST(pthread_join(t, NULL) == 0);
        else
            MUST(pthread_detach(t) == 0);
    }
    pthread_t last;
    MUST(pthread_create(&last, NULL, thread, NULL) == 0 && pthread_join(last, NULL) == 0);
    MUST(atexit(at_exit) == 0);
    MUST(use_everything());
    puts("main: works");
    fflush(stdout);
    return 0;
}
