/*
 * The tasks of the open run: for each a line, where it began, and where it stands if it waits.
 *
 * Design notes
 *
 * It may be called in a signal handler, with any lock held by the code below it, so it takes none
 * of the runtime's: the records of tasks lie in chunks that are never unmapped. While it reads,
 * tasks go on: a line may show the wait of one moment and the object of the next. A name is memory
 * of the program, which may be gone an instant after the task ended, and a stack may be in use
 * again: the kernel reads both, and answers with an error where a load would fault.
 *
 * How long a task has waited is known without a clock in the way of a wait: each one notes a word
 * of milliseconds that the monitor moves on, and who wakes up.
 *
 * The stack of a task that does not run is followed by its frame pointers, which the runtime has
 * and programs may not have: then it ends with the function that called the runtime.
 */
#include "runtime/sched/dump.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/sched/line.h"
#include "runtime/sched/overtime.h"
#include "runtime/sync/local.h"

enum { NAME_MAX_SHOWN = 47, FRAMES_MAX = 32, AGE_MIN_MS = 10 };

static void copy_name(const char *name, char copy[NAME_MAX_SHOWN + 1])
{
    /* The kernel copies what lies before the end of the mapping, if the two parts are apart. */
    size_t page = weft__stack_page();
    size_t first = page - (uintptr_t)name % page;
    if (first > NAME_MAX_SHOWN)
        first = NAME_MAX_SHOWN;
    char *from = (char *)(uintptr_t)name;
    struct iovec to = {copy, NAME_MAX_SHOWN};
    struct iovec parts[] = {{from, first}, {from + first, NAME_MAX_SHOWN - first}};
    memset(copy, 0, NAME_MAX_SHOWN + 1);
    if (process_vm_readv(getpid(), &to, 1, parts, 2, 0) < 0)
        copy[0] = '\0';
    /* One line a task, whatever the name. */
    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c < ' ')
            *c = '?';
    }
}

static bool read_words(const void *from, void *to, size_t size)
{
    struct iovec local = {to, size}, remote = {(void *)(uintptr_t)from, size};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/* A snapshot of a record that others may be writing. */
struct view {
    uint64_t id;
    uint32_t epoch;
    const char *name;
    const struct weft__labels *labels;
    const void *object;
    const void *start;
    const struct weft__frame *frame;
    unsigned wait;
    uint32_t age_ms; /* of the wait, or of its turn */
    bool running, locked;
};

__attribute__((no_sanitize("thread"))) static struct view view_of(const struct weft_task *t)
{
    const struct weft__worker *w = __atomic_load_n(&t->worker, __ATOMIC_RELAXED);
    struct view v = {
        .id = t->loiter.id,
        .epoch = weft__epoch_of(t),
        .name = __atomic_load_n(&t->name, __ATOMIC_RELAXED),
        .labels = __atomic_load_n(&t->labels, __ATOMIC_RELAXED),
        .object = __atomic_load_n(&t->object, __ATOMIC_RELAXED),
        .start = (const void *)t->fn,
        .frame = __atomic_load_n(&t->context.frame, __ATOMIC_RELAXED),
        .wait = __atomic_load_n(&t->wait, __ATOMIC_RELAXED),
        .running = w && __atomic_load_n(&w->current, __ATOMIC_RELAXED) == t,
        .locked = (__atomic_load_n(&t->epoch, __ATOMIC_RELAXED) & WEFT__BOUND) != 0,
    };
    uint32_t now = __atomic_load_n(&weft__coarse_ms, __ATOMIC_RELAXED);
    if (v.wait != WEFT__WAIT_NONE)
        v.age_ms = now - __atomic_load_n(&t->since, __ATOMIC_RELAXED);
    else if (v.running && !v.locked)
        v.age_ms = weft__overtime_ms(w);
    return v;
}

static void put_name(struct weft__line *line, const char *name)
{
    char copy[NAME_MAX_SHOWN + 1];
    copy_name(name, copy);
    weft__line_text(line, " \"");
    weft__line_text(line, copy);
    weft__line_text(line, "\"");
}

static void put_labels(struct weft__line *line, const struct weft__labels *labels)
{
    char copy[NAME_MAX_SHOWN + 1];
    uint32_t text_at;
    if (!read_words(&labels->text_at, &text_at, sizeof text_at))
        return;
    copy_name(labels->bytes + text_at, copy);
    weft__line_text(line, " {");
    weft__line_text(line, copy);
    weft__line_text(line, "}");
}

static void put_state(struct weft__line *line, const struct view *v)
{
    bool old = v->age_ms >= AGE_MIN_MS;
    if (v->wait == WEFT__WAIT_NONE) {
        weft__line_text(line, v->running ? " running" : " runnable");
        if (v->running && old) {
            weft__line_text(line, " for ");
            weft__line_age(line, v->age_ms);
        }
    } else {
        weft__line_text(line, " waiting [");
        weft__line_text(line, weft__wait_name(v->wait));
        if (old) {
            weft__line_text(line, ", ");
            weft__line_age(line, v->age_ms);
        }
        weft__line_text(line, "]");
        if (v->object) {
            weft__line_text(line, " for 0x");
            weft__line_number(line, (uintptr_t)v->object, 16);
        }
    }
    if (v->locked)
        weft__line_text(line, ", thread locked");
}

static int put_place(const char *what, const void *address, int fd, bool is_return)
{
    struct weft__line line = {0};
    weft__line_text(&line, what);
    if (is_return)
        weft__line_caller(&line, address);
    else
        weft__line_place(&line, address);
    return weft__line_write(&line, fd);
}

static const void *module_of(const void *address)
{
    Dl_info info = {0};
    return dladdr(address, &info) ? info.dli_fbase : NULL;
}

/* A walk from the frame that the switch left, outwards; without the runtime's own frames, where it
 * is a module of its own. */
struct walk {
    const void *own;
    uintptr_t words[2], below; /* the next frame and place, and where they lay */
    int frames;                /* seen; 0: none is to be had */
};

static struct walk walk_from(const struct weft__frame *at, const void *start)
{
    struct walk walk = {.own = module_of((const void *)put_place)};
    struct weft__frame first;
    if (walk.own == module_of(start))
        walk.own = NULL;
    /* `at` need not lie below the frames: AddressSanitizer keeps locals elsewhere. */
    if (at && read_words(at, &first, sizeof first)) {
        walk.words[0] = (uintptr_t)first.fp;
        walk.words[1] = (uintptr_t)first.pc;
        walk.below = (uintptr_t)first.sp;
    }
    return walk;
}

/* The next place outside the runtime; NULL: there is none. */
static const void *walk_on(struct walk *walk)
{
    const void *place = NULL;
    while (!place && walk->words[1] != 0 && walk->frames < FRAMES_MAX) {
        const void *at = (const void *)walk->words[1];
        uintptr_t frame = walk->words[0];
        if (!walk->own || module_of(at) != walk->own)
            place = at;
        if (frame <= walk->below || frame % sizeof(void *) != 0 ||
            !read_words((const void *)frame, walk->words, sizeof walk->words))
            walk->words[1] = 0;
        walk->below = frame;
        walk->frames++;
    }
    return place;
}

static int put_stack(const struct weft__frame *at, const void *start, int fd)
{
    struct walk walk = walk_from(at, start);
    const void *place;
    int r = 0;
    while (r == 0 && (place = walk_on(&walk)))
        r = put_place("    at ", place, fd, walk.frames > 1);
    return r;
}

const void *weft__waits_at(const struct weft_task *t)
{
    struct view v = view_of(t);
    struct walk walk = walk_from(v.running || v.locked ? NULL : v.frame, v.start);
    return walk_on(&walk);
}

int weft__dump_task(const struct weft_task *t, uint32_t epoch, const char *remark, int fd)
{
    struct weft__line line = {0};
    struct view v = view_of(t);
    if (v.epoch != epoch)
        return 0;
    weft__line_text(&line, "task ");
    weft__line_number(&line, v.id, 10);
    if (v.name)
        put_name(&line, v.name);
    if (v.labels)
        put_labels(&line, v.labels);
    put_state(&line, &v);
    weft__line_text(&line, remark);
    int r = weft__line_write(&line, fd);
    if (r == 0 && !v.running && !v.locked)
        r = put_stack(v.frame, v.start, fd);
    return r == 0 ? put_place("    began in ", v.start, fd, false) : r;
}

struct dump {
    int fd, error;
    uint32_t epoch; /* of the tasks wanted */
};

static void dump_task(struct weft_task *t, void *arg)
{
    struct dump *dump = arg;
    if (!dump->error)
        dump->error = weft__dump_task(t, dump->epoch, "", dump->fd);
}

int weft_dump(int fd)
{
    int saved = errno;
    struct dump dump = {.fd = fd};
    dump.epoch = __atomic_load_n(&weft__open_epoch, __ATOMIC_RELAXED);
    if (dump.epoch != 0)
        weft__task_each(dump_task, &dump);
    errno = saved;
    return dump.error;
}
