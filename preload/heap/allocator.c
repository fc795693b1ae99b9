/* allocator.c - see allocator.h. */
#include "preload/heap/allocator.h"

#include <stddef.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/heap/starts.h"

/* jemalloc's, where it serves the program: the loader binds the name, or leaves it NULL. Asking for
 * it by dlsym would take the loader's lock, and memory where it is not found. */
extern int mallctl(const char *name, void *old, size_t *old_bytes, void *fresh, size_t fresh_bytes)
    __attribute__((weak));

static _Atomic uint64_t next_at;

/* Of an allocator beside the one that serves the program its figures say nothing. */
static int can_be_asked(void)
{
    return &mallctl != NULL && pl_starts.shift != 0 && !pl_starts.libc;
}

static uint64_t read_size(const char *name)
{
    size_t value = 0, bytes = sizeof(value);
    return mallctl(name, &value, &bytes, NULL, 0) == 0 ? value : 0;
}

void pl_allocator_write(struct pl_self *self)
{
    uint64_t epoch = 1;
    size_t bytes = sizeof(epoch), n = sizeof("jemalloc ") - 1;
    const char *version = NULL;
    size_t version_bytes = sizeof(version);
    char name[96] = "jemalloc ";
    unsigned arenas = 0;
    size_t arenas_bytes = sizeof(arenas);
    /* Its figures are as of the last epoch. */
    if (!can_be_asked() || mallctl("epoch", &epoch, &bytes, &epoch, bytes) != 0)
        return;
    if (mallctl("version", &version, &version_bytes, NULL, 0) == 0 && version != NULL)
        for (; *version != 0 && *version != '-' && n + 1 < sizeof(name); version++)
            name[n++] = *version;
    name[n] = 0;
    mallctl("arenas.narenas", &arenas, &arenas_bytes, NULL, 0);
    struct el_allocator event = {.arenas = arenas,
                                 .allocated = read_size("stats.allocated"),
                                 .active = read_size("stats.active"),
                                 .resident = read_size("stats.resident"),
                                 .retained = read_size("stats.retained"),
                                 .mapped = read_size("stats.mapped"),
                                 .name = name};
    PL_WRITE(self, allocator, &event);
}

void pl_allocator_tick(struct pl_self *self, uint64_t now)
{
    uint64_t due = atomic_load_explicit(&next_at, memory_order_relaxed);
    uint64_t period = pl_ticks_of_ns(pl_options.allocator_ms * 1000000);
    /* A time beyond the period is one of the record before a fork. */
    if (!can_be_asked() || (now < due && due - now <= period))
        return;
    if (atomic_compare_exchange_strong(&next_at, &due, now + period))
        pl_allocator_write(self);
}
