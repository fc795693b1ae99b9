/*
 * real.h - the real functions behind the wrapped ones.
 *
 * PL_REAL(name)(args) calls the next definition of a wrapped symbol. All are looked up in one pass,
 * at the first call of any of them or in the constructor, whichever comes first. While that pass
 * runs (dlsym calls calloc), the allocator's wrappers are called again and find PL_RESOLVING: they
 * serve from their bump pool then. A symbol that the C library lacks becomes a function that
 * answers -1 with ENOSYS; PL_HAVE tells.
 */
#ifndef PRELOAD_CORE_REAL_H
#define PRELOAD_CORE_REAL_H

#include <aio.h>
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "preload/core/gate.h"

struct pl_real {
#define PL_SYMBOL(ret, name, params) ret(*name) params;
#include "preload/wrap/symbols.def"
#undef PL_SYMBOL
};

extern PL_HIDDEN struct pl_real pl_real;

/* Not 0: the process has one thread, as the C library knows. */
extern PL_HIDDEN const char *pl_single_threaded;

static inline int pl_is_single_threaded(void)
{
    return *__atomic_load_n(&pl_single_threaded, __ATOMIC_RELAXED) != 0;
}

enum pl_resolve_state { PL_UNRESOLVED = 0, PL_RESOLVING = 1, PL_RESOLVED = 2 };
extern PL_HIDDEN _Atomic uint32_t pl_resolve_state;

/* Is it the function that stands for what the C library lacks? */
PL_HIDDEN int pl_is_missing(const void *real);

/* Looks up every symbol. Returns at once when another call of it is under way in this thread. */
PL_HIDDEN void pl_resolve_all(void);

#define PL_LOAD(name) __atomic_load_n(&pl_real.name, __ATOMIC_RELAXED)
#define PL_HAVE(name) (PL_LOAD(name) != NULL && !pl_is_missing((const void *)PL_LOAD(name)))
#define PL_REAL(name)                                                                              \
    (*(__builtin_expect(PL_LOAD(name) != NULL, 1) ? PL_LOAD(name)                                  \
                                                  : (pl_resolve_all(), PL_LOAD(name))))

#endif
