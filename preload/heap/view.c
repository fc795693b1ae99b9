/* view.c - see view.h. */
#include "preload/heap/view.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "preload/core/actor.h"
#include "preload/core/sys.h"

#define PAGE         UINT64_C(4096)
#define RED_ZONE     128
#define STACK_SLOTS  1024u
#define GUARD_MOST   (UINT64_C(1) << 20) /* a guard larger than this is not a preset one */
#define MAPS_FIRST   ((size_t)1 << 20)
#define MAPS_MOST    ((size_t)256 << 20)
#define SMALL_REGION (UINT64_C(256) << 10) /* all of it is read */
#define LOOK_MOST    (UINT64_C(1) << 30)
#define PAGES_MOST   4096u

/* The stack on which a thread began last, by its top; others may push it out. */
static struct {
    _Atomic uintptr_t lo, top;
} stacks[STACK_SLOTS] PL_LARGE;

void pl_view_stack_seen(uintptr_t lo, uintptr_t top)
{
    size_t i = (size_t)(top * UINT64_C(0x9e3779b97f4a7c15) >> 54) % STACK_SLOTS;
    atomic_store_explicit(&stacks[i].lo, lo, memory_order_relaxed);
    atomic_store_explicit(&stacks[i].top, top, memory_order_relaxed);
}

/* ---- reading ---- */

static long open_file(const char *path, int flags)
{
    return pl_sys6(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | flags, 0, 0, 0);
}

static void close_file(long fd)
{
    pl_sys6(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* A whole file of /proc, with a word of NULs behind it: mapped memory of *bytes. NULL when it
 * cannot be had. */
static char *read_all(const char *path, size_t *bytes)
{
    const size_t rest = sizeof(uint64_t);
    long fd = open_file(path, 0);
    char *text = NULL;
    for (size_t room = MAPS_FIRST; fd >= 0 && room <= MAPS_MOST; room *= 4) {
        size_t used = 0;
        long n = 1;
        text = pl_sys_mmap(room);
        pl_sys6(SYS_lseek, fd, 0, SEEK_SET, 0, 0, 0);
        while (text != NULL && n > 0 && used + rest < room) {
            n = pl_sys6(SYS_read, fd, (long)(text + used), (long)(room - rest - used), 0, 0, 0);
            used += n > 0 ? (size_t)n : 0;
        }
        *bytes = room;
        if (text == NULL || n == 0)
            break;
        pl_sys_munmap(text, room);
        text = NULL;
    }
    if (fd >= 0)
        close_file(fd);
    return text;
}

static uintptr_t hex_read(const char **at)
{
    uintptr_t value = 0;
    for (;; (*at)++) {
        unsigned c = (unsigned char)**at;
        unsigned digit = c - '0' < 10 ? c - '0' : c - 'a' < 6 ? c - 'a' + 10 : 16;
        if (digit == 16)
            return value;
        value = value << 4 | digit;
    }
}

/* Has the word a byte of 0? */
static int has_zero(uint64_t word)
{
    return ((word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080)) != 0;
}

/* A program may have many thousand mappings: eight characters at a time. */
static const char *line_end(const char *at)
{
    typedef uint64_t word __attribute__((aligned(1), may_alias));
    static const uint64_t newlines = UINT64_C(0x0a0a0a0a0a0a0a0a);
    for (uint64_t w; w = *(const word *)at, !has_zero(w) && !has_zero(w ^ newlines);)
        at += sizeof(w);
    while (*at != 0 && *at != '\n')
        at++;
    return at;
}

static const char *next_line(const char *end)
{
    return *end == 0 ? end : end + 1;
}

static int ends_with(const char *line, const char *end, const char *name)
{
    size_t n = strlen(name);
    return (size_t)(end - line) > n && memcmp(end - n, name, n) == 0;
}

static int regions_read(struct pl_view *view)
{
    size_t bytes = 0, lines = 0;
    char *text = read_all("/proc/self/maps", &bytes);
    if (text == NULL)
        return -2;
    for (const char *at = text; *at != 0; lines++)
        at = next_line(line_end(at));
    view->bytes = (lines * sizeof(view->regions[0]) +
                   (PL_OWN_MAX + 2 * PL_STACK_MAX) * sizeof(view->skipped[0]) + PAGE) &
                  ~(PAGE - 1);
    view->regions = pl_sys_mmap(view->bytes);
    view->skipped = (struct pl_range *)(view->regions + lines);
    for (const char *at = text, *end; view->regions != NULL && *at != 0; at = next_line(end)) {
        const char *line = at;
        end = line_end(at);
        struct pl_region *r = &view->regions[view->nregions++];
        r->lo = hex_read(&at);
        at++;
        r->hi = hex_read(&at);
        r->readable = at[1] == 'r' && at[2] == 'w' && at[4] == 'p';
        r->brk = (uint8_t)ends_with(line, end, "[heap]");
    }
    pl_sys_munmap(text, bytes);
    return view->regions == NULL ? -12 : 0;
}

/* ---- what is skipped ---- */

void pl_view_skip(struct pl_view *view, uintptr_t lo, uintptr_t hi)
{
    if (lo < hi && view->nskipped < PL_OWN_MAX + 2 * PL_STACK_MAX)
        view->skipped[view->nskipped++] = (struct pl_range){lo, hi};
}

void pl_view_settle(struct pl_view *view)
{
    struct pl_range *s = view->skipped;
    /* A heap sort: they may be many, and the C library's sort allocates. */
    size_t n = view->nskipped;
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            struct pl_range top = s[--end];
            s[end] = s[0];
            s[0] = top;
        }
        for (size_t i = start, child; (child = 2 * i + 1) < end; i = child) {
            if (child + 1 < end && s[child + 1].lo > s[child].lo)
                child++;
            if (s[i].lo >= s[child].lo)
                break;
            struct pl_range other = s[i];
            s[i] = s[child];
            s[child] = other;
        }
    }
}

static struct pl_region *region_of(struct pl_view *view, uintptr_t address)
{
    size_t lo = 0, hi = view->nregions;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (view->regions[mid].hi <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < view->nregions && view->regions[lo].lo <= address ? &view->regions[lo] : NULL;
}

/* ---- threads ---- */

struct thread_seen {
    long tid;
    uintptr_t sp; /* 0: not known, it runs */
    uintptr_t lo, hi;
};

struct threads {
    struct thread_seen *items;
    size_t n;
};

static void name_add(char **to, const char *more)
{
    while (*more != 0)
        *(*to)++ = *more++;
    **to = 0;
}

/* The stack pointer of a thread that waits in the kernel: the last but one word of its line. */
static uintptr_t sp_of(const char *tid)
{
    char path[64], line[256], *to = path;
    name_add(&to, "/proc/self/task/");
    name_add(&to, tid);
    name_add(&to, "/syscall");
    long fd = open_file(path, 0);
    if (fd < 0)
        return 0;
    long n = pl_sys6(SYS_read, fd, (long)line, sizeof(line) - 1, 0, 0, 0);
    close_file(fd);
    line[n > 0 ? n : 0] = 0;
    uintptr_t last = 0, before = 0;
    for (const char *at = line; *at != 0; at++) {
        if (at[0] == '0' && at[1] == 'x') {
            at += 2;
            before = last;
            last = hex_read(&at);
            at--;
        }
    }
    return before;
}

static void thread_bounds(struct pl_actor *actor, void *ctx)
{
    struct threads *t = ctx;
    if (actor->id == 0 || el_actor_is_task(actor->id) || actor->cell->state == EL_ACTOR_ENDED)
        return;
    for (size_t i = 0; i < t->n; i++) {
        if (t->items[i].tid == (long)actor->cell->tid) {
            t->items[i].lo = actor->stack_lo;
            t->items[i].hi = actor->stack_hi;
        }
    }
}

struct dirent_raw {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

static int threads_read(struct threads *t)
{
    char names[2048] __attribute__((aligned(8)));
    long fd = open_file("/proc/self/task", O_DIRECTORY), n;
    if (fd < 0)
        return -2;
    while ((n = pl_sys6(SYS_getdents64, fd, (long)names, sizeof(names), 0, 0, 0)) > 0) {
        for (long at = 0; at < n;) {
            const struct dirent_raw *d = (const struct dirent_raw *)(const void *)(names + at);
            long tid = 0;
            for (const char *c = d->name; *c >= '0' && *c <= '9'; c++)
                tid = tid * 10 + (*c - '0');
            if (tid != 0 && t->n < PL_STACK_MAX)
                t->items[t->n++] = (struct thread_seen){.tid = tid, .sp = sp_of(d->name)};
            at += d->length;
        }
    }
    close_file(fd);
    pl_actor_each(thread_bounds, t);
    return 0;
}

/* Below its stack pointer a thread has nothing. */
static void stack_skip_below(struct pl_view *view, const struct thread_seen *t)
{
    struct pl_region *r = t->sp == 0 ? NULL : region_of(view, t->sp);
    if (r == NULL || t->sp < t->lo || t->sp >= t->hi)
        return;
    uintptr_t lo = r->lo > t->lo ? r->lo : t->lo;
    pl_view_skip(view, lo, (t->sp - RED_ZONE) & ~(uintptr_t)7);
}

/* A stack that the C library keeps for the next thread: as it was when a thread began on it, with
 * its guard below. */
static void dead_stack_skip(struct pl_view *view, const struct threads *t, uintptr_t lo,
                            uintptr_t top)
{
    struct pl_region *r = top == 0 ? NULL : region_of(view, top - 1);
    if (r == NULL || r == view->regions || r->lo < lo || r->lo - lo > GUARD_MOST ||
        r[-1].hi != r->lo || r[-1].readable)
        return;
    for (size_t i = 0; i < t->n; i++) {
        const struct thread_seen *s = &t->items[i];
        if ((s->sp >= lo && s->sp < top) || (s->lo < top && s->hi > lo))
            return;
        if (s->sp == 0 && s->hi == 0)
            return; /* one that runs, who knows where */
    }
    pl_view_skip(view, r->lo, top);
}

static int stacks_find(struct pl_view *view)
{
    size_t bytes = PL_STACK_MAX * sizeof(struct thread_seen);
    struct threads t = {.items = pl_sys_mmap(bytes)};
    int error = t.items == NULL ? -12 : threads_read(&t);
    long self = pl_sys_tid();
    for (size_t i = 0; error == 0 && i < t.n; i++) {
        if (t.items[i].tid == self)
            t.items[i].sp = view->sp + RED_ZONE;
        stack_skip_below(view, &t.items[i]);
    }
    for (size_t i = 0; error == 0 && t.n < PL_STACK_MAX && i < STACK_SLOTS; i++)
        dead_stack_skip(view, &t, atomic_load(&stacks[i].lo), atomic_load(&stacks[i].top));
    view->threads = t.n;
    if (t.items != NULL)
        pl_sys_munmap(t.items, bytes);
    return error;
}

/* ---- the view ---- */

int pl_view_open(struct pl_view *view)
{
    int error = regions_read(view);
    char probe;
    if (error == 0 && pl_sys_peek((uintptr_t)&error, &probe, 1) != 1)
        error = -1;
    return error != 0 ? error : stacks_find(view);
}

void pl_view_close(struct pl_view *view)
{
    if (view->regions != NULL)
        pl_sys_munmap(view->regions, view->bytes);
}

/* What the kernel said of a row of pages. One thread looks at a time. */
static struct {
    uintptr_t page;
    size_t n;
    uint64_t words[PAGES_MOST];
} pages PL_LARGE;

void pl_view_look_anew(void)
{
    pages.n = 0;
}

/* Asks of the pages from `page` on, below `hi`. Keeps no descriptor: the program closes them. */
static int pages_read(uintptr_t page, uintptr_t hi)
{
    size_t want = (hi - page + PAGE - 1) / PAGE;
    long fd = open_file("/proc/self/pagemap", 0);
    if (fd < 0)
        return -1;
    want = want < PAGES_MOST ? want : PAGES_MOST;
    long n = pl_sys6(SYS_pread64, fd, (long)pages.words, (long)(want * sizeof(pages.words[0])),
                     (long)(page / PAGE * 8), 0, 0);
    close_file(fd);
    pages.page = page;
    pages.n = n < 8 ? 0 : (size_t)n / 8;
    return n < 8 ? -1 : 0;
}

struct pl_range pl_view_touched(uintptr_t at, uintptr_t hi)
{
    static const uint64_t touched = UINT64_C(3) << 62; /* present, or swapped out */
    struct pl_range all = {at, hi};
    if (hi - at <= SMALL_REGION)
        return all;
    hi = hi - at < LOOK_MOST ? hi : at + LOOK_MOST;
    struct pl_range found = {hi, hi};
    for (uintptr_t page = at & ~(PAGE - 1); page < hi; page += PAGE) {
        if ((page - pages.page) / PAGE >= pages.n && pages_read(page, hi) != 0)
            return all;
        int yes = (pages.words[(page - pages.page) / PAGE] & touched) != 0;
        if (yes && found.lo == hi)
            found.lo = page > at ? page : at;
        if (!yes && found.lo != hi)
            return (struct pl_range){found.lo, page};
    }
    return found;
}
