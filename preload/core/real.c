/* real.c - see real.h. */
#include "preload/core/real.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "preload/core/sys.h"

struct pl_real pl_real;
extern char __libc_single_threaded __attribute__((weak));
static const char never;
const char *pl_single_threaded = &never;
_Atomic uint32_t pl_resolve_state;

static _Atomic int resolver_tid;

/* In place of what the C library lacks: a wrapper that somebody found by dlsym does not jump to 0.
 */
static long missing(void)
{
    errno = ENOSYS;
    return -1;
}

struct symbol {
    const char *name;
    void **to;
};

static const struct symbol symbols[] = {
#define PL_SYMBOL(ret, name, params) {#name, (void **)(void *)&pl_real.name},
#include "preload/wrap/symbols.def"
#undef PL_SYMBOL
};

static const struct {
    const char *version;
    void **to;
} versions[] = {
#define PL_VERSION(name, version) {version, (void **)(void *)&pl_real.name},
#include "preload/wrap/versions.def"
#undef PL_VERSION
    {NULL, NULL},
};

static void *lookup(const struct symbol *symbol)
{
    for (size_t i = 0; versions[i].version != NULL; i++) {
        if (versions[i].to != symbol->to)
            continue;
        void *found = dlvsym(RTLD_NEXT, symbol->name, versions[i].version);
        if (found != NULL)
            return found;
    }
    return dlsym(RTLD_NEXT, symbol->name);
}

void pl_resolve_all(void)
{
    uint32_t state = PL_UNRESOLVED;
    if (atomic_compare_exchange_strong(&pl_resolve_state, &state, PL_RESOLVING))
        atomic_store(&resolver_tid, pl_sys_tid());
    else if (state == PL_RESOLVED || atomic_load(&resolver_tid) == pl_sys_tid())
        return;
    /* A second thread that comes in meanwhile does the same work: the answers are the same. */
    int saved = errno;
    if (&__libc_single_threaded != NULL)
        __atomic_store_n(&pl_single_threaded, &__libc_single_threaded, __ATOMIC_RELAXED);
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        if (__atomic_load_n(symbols[i].to, __ATOMIC_RELAXED) != NULL)
            continue;
        void *found = lookup(&symbols[i]);
        if (found != NULL)
            __atomic_store_n(symbols[i].to, found, __ATOMIC_RELAXED);
    }
    /* Only when all lookups are over: until then a NULL tells the allocator to use its pool. */
    long (*stub)(void) = missing;
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        if (__atomic_load_n(symbols[i].to, __ATOMIC_RELAXED) == NULL)
            memcpy(symbols[i].to, &stub, sizeof(stub));
    }
    errno = saved;
    atomic_store(&pl_resolve_state, PL_RESOLVED);
}

int pl_is_missing(const void *real)
{
    long (*stub)(void) = missing;
    return memcmp(&stub, &real, sizeof(stub)) == 0;
}
