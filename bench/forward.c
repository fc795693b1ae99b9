/*
 * forward.c - libforward.so: wrappers that do nothing but call the next definition, by a jump.
 *
 * The floor of every interposer: primitives.py runs with it beside the plain and the recorded run.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FORWARDED(X)                                                                               \
    X(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))                                 \
    X(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))                               \
    X(int, pthread_create,                                                                         \
      (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg),         \
      (thread, attr, start, arg))                                                                  \
    X(int, pthread_join, (pthread_t thread, void **result), (thread, result))                      \
    X(int, timer_create, (clockid_t clock, struct sigevent * event, timer_t * id),                 \
      (clock, event, id))                                                                          \
    X(int, timer_delete, (timer_t id), (id))                                                       \
    X(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))

#define DECLARE(ret, name, params, args) static ret(*real_##name) params;
FORWARDED(DECLARE)
DECLARE(void *, malloc, (size_t), )
DECLARE(void, free, (void *), )

/* dlsym asks for memory in rare cases, before there is any: none. */
__attribute__((constructor)) static void find(void)
{
#define FIND(ret, name, params, args) real_##name = (ret(*) params)dlsym(RTLD_NEXT, #name);
    FORWARDED(FIND)
    FIND(void *, malloc, (size_t), )
    FIND(void, free, (void *), )
}

#define DEFINE(ret, name, params, args)                                                            \
    ret name params                                                                                \
    {                                                                                              \
        if (__builtin_expect(real_##name == NULL, 0))                                              \
            find();                                                                                \
        return real_##name args;                                                                   \
    }
FORWARDED(DEFINE)

void *malloc(size_t size)
{
    if (__builtin_expect(real_malloc == NULL, 0))
        find();
    return real_malloc == NULL ? NULL : real_malloc(size);
}

void free(void *block)
{
    if (__builtin_expect(real_free != NULL, 1))
        real_free(block);
}
