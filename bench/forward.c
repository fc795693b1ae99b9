/*
 * forward.c - libforward.so: wrappers that do nothing but call the next definition, by a jump.
 *
 * The floor of every interposer: primitives.py and cost.py run with it beside the plain and the
 * recorded run. Of the calls that Loiter wraps it has those that their programs make often.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FORWARDED(X)                                                                               \
    X(int, pthread_mutex_lock, (pthread_mutex_t * mutex), (mutex))                                 \
    X(int, pthread_mutex_unlock, (pthread_mutex_t * mutex), (mutex))                               \
    X(int, pthread_rwlock_rdlock, (pthread_rwlock_t * lock), (lock))                               \
    X(int, pthread_rwlock_unlock, (pthread_rwlock_t * lock), (lock))                               \
    X(int, pthread_create,                                                                         \
      (pthread_t * thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg),         \
      (thread, attr, start, arg))                                                                  \
    X(int, pthread_join, (pthread_t thread, void **result), (thread, result))                      \
    X(int, timer_create, (clockid_t clock, struct sigevent * event, timer_t * id),                 \
      (clock, event, id))                                                                          \
    X(int, timer_delete, (timer_t id), (id))                                                       \
    X(int, pthread_mutex_trylock, (pthread_mutex_t * mutex), (mutex))                              \
    X(int, pthread_cond_wait, (pthread_cond_t * cond, pthread_mutex_t * mutex), (cond, mutex))     \
    X(int, pthread_cond_timedwait,                                                                 \
      (pthread_cond_t * cond, pthread_mutex_t * mutex, const struct timespec *at),                 \
      (cond, mutex, at))                                                                           \
    X(int, pthread_cond_signal, (pthread_cond_t * cond), (cond))                                   \
    X(int, pthread_cond_broadcast, (pthread_cond_t * cond), (cond))                                \
    X(int, sem_wait, (sem_t * sem), (sem))                                                         \
    X(int, sem_trywait, (sem_t * sem), (sem))                                                      \
    X(int, sem_clockwait, (sem_t * sem, clockid_t clock, const struct timespec *at),               \
      (sem, clock, at))                                                                            \
    X(int, sem_post, (sem_t * sem), (sem))                                                         \
    X(int, epoll_wait, (int fd, struct epoll_event *events, int n, int ms), (fd, events, n, ms))   \
    X(int, poll, (struct pollfd * fds, nfds_t n, int ms), (fds, n, ms))                            \
    X(ssize_t, read, (int fd, void *bytes, size_t n), (fd, bytes, n))                              \
    X(ssize_t, recv, (int fd, void *bytes, size_t n, int flags), (fd, bytes, n, flags))            \
    X(ssize_t, send, (int fd, const void *bytes, size_t n, int flags), (fd, bytes, n, flags))      \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))               \
    X(ssize_t, writev, (int fd, const struct iovec *parts, int n), (fd, parts, n))                 \
    X(int, close, (int fd), (fd))                                                                  \
    X(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n))

#define DECLARE(ret, name, params, args) static ret(*real_##name) params;
FORWARDED(DECLARE)
DECLARE(void *, malloc, (size_t), )
DECLARE(void *, calloc, (size_t, size_t), )
DECLARE(void *, realloc, (void *, size_t), )
DECLARE(size_t, malloc_usable_size, (void *), )
DECLARE(void, free, (void *), )

/* dlsym asks for memory in rare cases, before there is any: none. */
__attribute__((constructor)) static void find(void)
{
#define FIND(ret, name, params, args) real_##name = (ret(*) params)dlsym(RTLD_NEXT, #name);
    FORWARDED(FIND)
    FIND(void *, malloc, (size_t), )
    FIND(void *, calloc, (size_t, size_t), )
    FIND(void *, realloc, (void *, size_t), )
    FIND(size_t, malloc_usable_size, (void *), )
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

void *calloc(size_t n, size_t size)
{
    return __builtin_expect(real_calloc == NULL, 0) ? NULL : real_calloc(n, size);
}

void *realloc(void *block, size_t size)
{
    if (__builtin_expect(real_realloc == NULL, 0))
        find();
    return real_realloc == NULL ? NULL : real_realloc(block, size);
}

size_t malloc_usable_size(void *block)
{
    if (__builtin_expect(real_malloc_usable_size == NULL, 0))
        find();
    return real_malloc_usable_size(block);
}

void free(void *block)
{
    if (__builtin_expect(real_free != NULL, 1))
        real_free(block);
}
