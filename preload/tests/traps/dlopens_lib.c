/* dlopens_lib.c - see dlopens.c. Built several times: with another DEPTH, and twice for what only
 * the run path of these finds, once needed by them and once loaded by them. */
#include <dlfcn.h>
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

/* The same instructions with frames of another size. */
static int descend(pthread_mutex_t *lock, int value, int depth)
{
    volatile char room[DEPTH * 256];
    room[0] = 0;
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
    return trap_help(value) + room[0];
}

int trap_work(pthread_mutex_t *lock, int value)
{
    void *plugin = value % 16 == 0 ? dlopen("libtrap_plugin.so", RTLD_NOW) : NULL;
    if (value % 16 == 0 && plugin == NULL)
        return -1;
    if (plugin != NULL)
        dlclose(plugin);
    return descend(lock, value, DEPTH);
}
#endif
