/*
 * The tasks of the open run, one line each.
 *
 * Design notes
 *
 * It may be called in a signal handler, with any lock held by the code below it, so it takes none:
 * the records of tasks lie in chunks that are never unmapped. While it reads, tasks go on: a line
 * may show the wait of one moment and the object of the next. A name is memory of the program,
 * which may be gone an instant after the task ended: the kernel reads it, and answers with an error
 * where a load would fault. How long a task has waited is not known: no clock is read for that.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/sched/inside.h"
#include "runtime/sched/line.h"

enum { NAME_MAX_SHOWN = 47 };

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

/* A snapshot of a record that others may be writing. */
struct view {
    uint64_t id;
    uint32_t epoch;
    const char *name;
    const void *object;
    unsigned wait;
    bool running;
};

__attribute__((no_sanitize("thread"))) static struct view view_of(const struct weft_task *t)
{
    const struct weft__worker *w = __atomic_load_n(&t->worker, __ATOMIC_RELAXED);
    return (struct view){
        .id = t->loiter.id,
        .epoch = t->epoch,
        .name = __atomic_load_n(&t->name, __ATOMIC_RELAXED),
        .object = __atomic_load_n(&t->object, __ATOMIC_RELAXED),
        .wait = __atomic_load_n(&t->wait, __ATOMIC_RELAXED),
        .running = w && __atomic_load_n(&w->current, __ATOMIC_RELAXED) == t,
    };
}

struct dump {
    int fd, error;
    uint32_t epoch; /* of the tasks wanted */
};

static void dump_task(struct weft_task *t, void *arg)
{
    struct dump *dump = arg;
    struct weft__line line = {0};
    char name[NAME_MAX_SHOWN + 1];
    struct view v = view_of(t);
    if (v.epoch != dump->epoch || dump->error)
        return;
    weft__line_text(&line, "task ");
    weft__line_number(&line, v.id, 10);
    if (v.name) {
        copy_name(v.name, name);
        weft__line_text(&line, " \"");
        weft__line_text(&line, name);
        weft__line_text(&line, "\"");
    }
    if (v.wait == WEFT__WAIT_NONE) {
        weft__line_text(&line, v.running ? " running" : " runnable");
    } else {
        weft__line_text(&line, " waiting [");
        weft__line_text(&line, weft__wait_name(v.wait));
        weft__line_text(&line, "]");
        if (v.object) {
            weft__line_text(&line, " for 0x");
            weft__line_number(&line, (uintptr_t)v.object, 16);
        }
    }
    dump->error = weft__line_write(&line, dump->fd);
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
