/* allocator.c - see allocator.h. */
#include "preload/heap/allocator.h"

#include <dlfcn.h>
#include <string.h>

#include "preload/core/actor.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/heap/starts.h"

typedef int (*mallctl_fn)(const char *name, void *old, size_t *old_bytes, void *fresh,
                          size_t fresh_bytes);

/* Asked for only where the allocator is not the C library's: a name that is not found costs an
 * allocation. */
static mallctl_fn find_mallctl(void)
{
    mallctl_fn found = NULL;
    void *symbol = pl_starts.shift != 0 && !pl_starts.libc ? dlsym(RTLD_DEFAULT, "mallctl") : NULL;
    memcpy(&found, &symbol, sizeof(found));
    return found;
}

static uint64_t read_size(mallctl_fn mallctl, const char *name)
{
    size_t value = 0, bytes = sizeof(value);
    return mallctl(name, &value, &bytes, NULL, 0) == 0 ? value : 0;
}

void pl_allocator_write(struct pl_self *self)
{
    mallctl_fn mallctl = find_mallctl();
    uint64_t epoch = 1;
    size_t bytes = sizeof(epoch), n = sizeof("jemalloc ") - 1;
    const char *version = NULL;
    size_t version_bytes = sizeof(version);
    char name[96] = "jemalloc ";
    unsigned arenas = 0;
    size_t arenas_bytes = sizeof(arenas);
    /* Its figures are as of the last epoch. */
    if (mallctl == NULL || mallctl("epoch", &epoch, &bytes, &epoch, bytes) != 0)
        return;
    if (mallctl("version", &version, &version_bytes, NULL, 0) == 0 && version != NULL)
        for (; *version != 0 && *version != '-' && n + 1 < sizeof(name); version++)
            name[n++] = *version;
    name[n] = 0;
    mallctl("arenas.narenas", &arenas, &arenas_bytes, NULL, 0);
    struct el_allocator event = {.arenas = arenas,
                                 .allocated = read_size(mallctl, "stats.allocated"),
                                 .active = read_size(mallctl, "stats.active"),
                                 .resident = read_size(mallctl, "stats.resident"),
                                 .retained = read_size(mallctl, "stats.retained"),
                                 .mapped = read_size(mallctl, "stats.mapped"),
                                 .name = name};
    PL_WRITE(self, allocator, &event);
}
