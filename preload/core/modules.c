/*
 * modules.c - see modules.h.
 *
 * The table is a list of ranges that only grows; a module that went is marked and its place is
 * reused. Readers look without a lock: a range is written before its `hi`, which makes it valid.
 * One thread at a time brings it up to date; who finds that under way leaves it to that one.
 */
#include "preload/core/modules.h"

#include <link.h>
#include <string.h>

#include "eventlog/writer.h"
#include "preload/core/actor.h"
#include "preload/core/record.h"
#include "preload/core/sys.h"
#include "preload/core/unwind.h"

#define MODULES_MAX 4096

struct module {
    _Atomic uint64_t lo, hi; /* hi 0: the place is free */
    uint64_t bias;
    uint32_t seen; /* in round number so and so */
};

static PL_LARGE struct module modules[MODULES_MAX];
static _Atomic uint32_t module_count;
static _Atomic uint64_t known_adds, known_subs;
static _Atomic uint32_t refreshing;
static uint32_t round_number;
static _Atomic uintptr_t own_lo, own_hi;

struct scan {
    struct pl_self *self;
    int changed;
    unsigned seen;
};

static void text_add(char *text, size_t size, size_t *n, const char *more)
{
    while (*more != 0 && *n + 1 < size)
        text[(*n)++] = *more++;
    text[*n] = 0;
}

/* The GNU build-id in hex, "-" when there is none. */
static void build_id(const struct dl_phdr_info *info, char *text, size_t size, size_t *n)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type != PT_NOTE)
            continue;
        const char *at = (const char *)(info->dlpi_addr + ph->p_vaddr);
        const char *end = at + ph->p_memsz;
        size_t align = ph->p_align == 8 ? 8 : 4;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
            const char *name = at + sizeof(*note);
            const char *desc = name + ((note->n_namesz + align - 1) & ~(align - 1));
            if (desc + note->n_descsz > end)
                break;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
                memcmp(name, "GNU", 4) == 0) {
                for (size_t j = 0; j < note->n_descsz && *n + 3 < size; j++) {
                    text[(*n)++] = digits[(uint8_t)desc[j] >> 4];
                    text[(*n)++] = digits[(uint8_t)desc[j] & 15];
                }
                text[*n] = 0;
                return;
            }
            at = desc + ((note->n_descsz + align - 1) & ~(align - 1));
        }
    }
    text_add(text, size, n, "-");
}

static void module_write(struct scan *scan, const struct dl_phdr_info *info, uint64_t lo,
                         uint64_t hi)
{
    char text[4096];
    size_t n = 0;
    build_id(info, text, sizeof(text), &n);
    text_add(text, sizeof(text), &n, " ");
    if (info->dlpi_name != NULL && info->dlpi_name[0] != 0) {
        text_add(text, sizeof(text), &n, info->dlpi_name);
    } else if (sizeof(text) - n > 1) {
        long got = pl_sys6(SYS_readlinkat, -100, (long)"/proc/self/exe", (long)(text + n),
                           (long)(sizeof(text) - n - 1), 0, 0);
        n += got > 0 ? (size_t)got : 0;
        text[n] = 0;
    }
    struct el_module event = {.lo = lo, .hi = hi, .bias = info->dlpi_addr, .text = text};
    struct el_slot *slot = pl_thread_slot(scan->self);
    if (slot != NULL)
        el_write_module(slot, &event);
    uintptr_t here = (uintptr_t)(void *)pl_modules_refresh;
    /* In a test, the core is part of the program itself. */
    if (here >= lo && here < hi && info->dlpi_name != NULL && info->dlpi_name[0] != 0) {
        atomic_store(&own_lo, lo);
        atomic_store(&own_hi, hi);
    }
}

static void module_add(struct scan *scan, const struct dl_phdr_info *info, uint64_t lo, uint64_t hi)
{
    uint32_t n = atomic_load(&module_count);
    struct module *free_place = NULL;
    for (uint32_t i = 0; i < n; i++) {
        struct module *m = &modules[i];
        if (atomic_load(&m->hi) == hi && atomic_load(&m->lo) == lo && m->bias == info->dlpi_addr) {
            m->seen = round_number;
            return;
        }
        if (atomic_load(&m->hi) == 0)
            free_place = m;
    }
    if (free_place == NULL && n == MODULES_MAX)
        return;
    struct module *m = free_place != NULL ? free_place : &modules[n];
    m->bias = info->dlpi_addr;
    m->seen = round_number;
    atomic_store(&m->lo, lo);
    atomic_store(&m->hi, hi);
    if (m == &modules[n])
        atomic_store(&module_count, n + 1);
    module_write(scan, info, lo, hi);
}

static int on_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct scan *scan = arg;
    (void)size;
    if (scan->seen++ == 0) {
        if (info->dlpi_adds == atomic_load(&known_adds) &&
            info->dlpi_subs == atomic_load(&known_subs))
            return 1;
        scan->changed = 1;
        round_number++;
        if (info->dlpi_subs != atomic_load(&known_subs))
            pl_unwind_forget();
        atomic_store(&known_adds, info->dlpi_adds);
        atomic_store(&known_subs, info->dlpi_subs);
    }
    uint64_t lo = UINT64_MAX, hi = 0;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type != PT_LOAD)
            continue;
        uint64_t from = info->dlpi_addr + ph->p_vaddr;
        lo = from < lo ? from : lo;
        hi = from + ph->p_memsz > hi ? from + ph->p_memsz : hi;
    }
    if (hi > lo)
        module_add(scan, info, lo, hi);
    return 0;
}

void pl_modules_refresh(struct pl_self *self)
{
    if (atomic_exchange(&refreshing, 1) != 0)
        return;
    struct scan scan = {.self = self};
    dl_iterate_phdr(on_module, &scan);
    uint32_t n = scan.changed ? atomic_load(&module_count) : 0;
    for (uint32_t i = 0; i < n; i++) {
        struct module *m = &modules[i];
        if (atomic_load(&m->hi) == 0 || m->seen == round_number)
            continue;
        struct el_module_gone event = {.lo = atomic_load(&m->lo)};
        atomic_store(&m->hi, 0);
        struct el_slot *slot = pl_thread_slot(self);
        if (slot != NULL)
            el_write_module_gone(slot, &event);
    }
    atomic_store(&refreshing, 0);
}

void pl_modules_reset(void)
{
    uint32_t n = atomic_load(&module_count);
    for (uint32_t i = 0; i < n; i++)
        atomic_store(&modules[i].hi, 0);
    atomic_store(&module_count, 0);
    atomic_store(&known_adds, 0);
    atomic_store(&known_subs, 0);
    atomic_store(&refreshing, 0);
}

void pl_modules_range(uint64_t address, uintptr_t *lo, uintptr_t *hi)
{
    uint32_t n = atomic_load_explicit(&module_count, memory_order_acquire);
    *lo = *hi = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t end = atomic_load_explicit(&modules[i].hi, memory_order_acquire);
        uint64_t begin = atomic_load_explicit(&modules[i].lo, memory_order_relaxed);
        if (address < end && address >= begin) {
            *lo = begin;
            *hi = end;
            return;
        }
    }
}

int pl_modules_cover(uint64_t address)
{
    uintptr_t lo, hi;
    pl_modules_range(address, &lo, &hi);
    return hi != 0;
}

int pl_modules_own(uintptr_t address)
{
    return address >= atomic_load_explicit(&own_lo, memory_order_relaxed) &&
           address < atomic_load_explicit(&own_hi, memory_order_relaxed);
}

void pl_modules_own_range(uintptr_t *lo, uintptr_t *hi)
{
    *lo = atomic_load(&own_lo);
    *hi = atomic_load(&own_hi);
}
