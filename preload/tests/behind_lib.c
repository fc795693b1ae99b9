/* behind_lib.c - wrappers of the calls of a mutex, as another tool has them, that count. The
 * program is linked with it, so it stands behind whatever is preloaded. */
#include <dlfcn.h>
#include <pthread.h>

unsigned behind_seen(void);

static unsigned seen;

#define COUNTED(name)                                                                              \
    int name(pthread_mutex_t *mutex)                                                               \
    {                                                                                              \
        static int (*real)(pthread_mutex_t *);                                                     \
        if (real == NULL)                                                                          \
            *(void **)&real = dlsym(RTLD_NEXT, #name);                                             \
        __atomic_fetch_add(&seen, 1, __ATOMIC_RELAXED);                                            \
        return real(mutex);                                                                        \
    }
COUNTED(pthread_mutex_lock)
COUNTED(pthread_mutex_trylock)
COUNTED(pthread_mutex_unlock)

unsigned behind_seen(void)
{
    return __atomic_load_n(&seen, __ATOMIC_RELAXED);
}
