/* dlopens_lib.c - see dlopens.c. Built several times: with another DEPTH, and once as the library
 * that the others need and only their run path finds. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef TRAP_HELPER
int trap_help(int value)
{
    void *p = malloc(100);
    free(p);
    return value * 2 + (p == NULL);
}
#else
int trap_help(int value);

static sem_t made;

static void *thread(void *arg)
{
    sem_post(&made);
    return arg;
}

static int descend(pthread_mutex_t *lock, int value, int depth)
{
    if (depth > 0) {
        int below = descend(lock, value, depth - 1);
        return below + (below & 1);
    }
    pthread_t t;
    char *p = malloc((size_t)value + 1);
    sem_init(&made, 0, 0);
    pthread_mutex_lock(lock);
    if (value % 8 == 0)
        usleep(10);
    pthread_mutex_unlock(lock);
    if (value % 16 == 0 && pthread_create(&t, NULL, thread, NULL) == 0) {
        while (sem_wait(&made) != 0) {
        }
        pthread_join(t, NULL);
    }
    sem_destroy(&made);
    free(p);
    return trap_help(value);
}

int trap_work(pthread_mutex_t *lock, int value)
{
    return descend(lock, value, DEPTH);
}
#endif
