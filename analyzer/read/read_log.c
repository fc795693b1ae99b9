/* read_log.c - see read_log.h. */
#include "analyzer/read/read_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/model/build.h"
#include "analyzer/model/memory.h"
#include "analyzer/read/read_silent.h"
#include "eventlog/reader.h"

/* Records between two calls of the progress function. */
#define PROGRESS_EVERY 65536u
/* Before this version each child had a record at once. */
#define CHILDREN_COUNTED_SINCE 3u

__attribute__((format(printf, 2, 3))) static void problem(struct read_problems *problems,
                                                          const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    XGROW(problems->items, problems->n);
    problems->items[problems->n++] = xvasprintf(fmt, ap);
    va_end(ap);
}

void read_problems_clear(struct read_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++)
        free(problems->items[i]);
    free(problems->items);
    *problems = (struct read_problems){0};
}

static bool has_done_nothing(const struct model_process *p)
{
    return p->events == 0 && p->nactors <= 1 && p->nsites == 0;
}

/* Killed while its record began, as a child may be by its parent: there is nothing to tell. */
static bool ended_at_birth(const struct model_process *p)
{
    return has_done_nothing(p) && p->state == EL_RECORD_ON;
}

/* Why a record lacks what each begins with. */
static const char *why_not_begun(const char *dir, const char *otherwise)
{
    return el_has_failed(dir)
               ? "no record could be begun: no room on the disk, or no more files allowed"
               : otherwise;
}

/* What the reader and the builder met, and what the writer says it lost. */
static void note_problems(const struct el_reader *r, const struct model_process *p,
                          uint64_t rejected, struct read_problems *problems)
{
    uint64_t damage = el_reader_damage(r), told = 0;
    for (const char *text; (text = el_reader_damage_text(r, told)) != NULL; told++)
        problem(problems, "%s: %s", p->dir, text);
    if (damage > told)
        problem(problems, "%s: and %" PRIu64 " more places are damaged", p->dir, damage - told);
    if (rejected > 0)
        problem(problems, "%s: %" PRIu64 " records say what cannot be", p->dir, rejected);
    if (p->stop_reason != EL_STOP_NONE)
        problem(problems, "%s: recording stopped early: %s", p->dir,
                el_stop_reason_word(p->stop_reason));
    const struct {
        uint64_t n;
        const char *why;
    } losses[] = {
        {p->lost_full, "events were lost: no room in the log"},
        {p->lost_late, "events were lost: their threads had no place in the log"},
        {p->lost_reentered, "events were lost: a signal handler came in while one was written"},
        {p->lost_cells, "threads, tasks, objects or timers are not in the log: no room"},
    };
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        if (losses[i].n > 0)
            problem(problems, "%s: %" PRIu64 " %s", p->dir, losses[i].n, losses[i].why);
    if (p->thinned > 0)
        problem(problems,
                "%s: after %.3g s the log came near its bound (--max-log-size): from then on "
                "%" PRIu64 " waits were counted, and not written one by one",
                p->dir, (double)p->thinned_ns / 1e9, p->thinned);
    if (p->command == NULL && !ended_at_birth(p))
        problem(problems, "%s: %s", p->dir, why_not_begun(p->dir, "the record has no beginning"));
    if (p->state == EL_RECORD_NONE)
        problem(problems, "%s: the record has no summary of its own state", p->dir);
}

/* "/some/log/123.1" -> 1, and so is "/some/log/123.1.failed" */
static uint32_t image_number(const char *dir)
{
    const char *slash = strrchr(dir, '/');
    const char *dot = strchr(slash != NULL ? slash : dir, '.');
    return dot != NULL ? (uint32_t)strtoul(dot + 1, NULL, 10) : 0;
}

struct reading {
    struct el_reader *reader;
    read_progress progress;
    void *arg;
    uint64_t records;
    uint64_t base_bytes, total_bytes;
};

static void step(struct reading *in)
{
    if (in->progress != NULL && ++in->records % PROGRESS_EVERY == 0)
        in->progress(in->arg, in->base_bytes + el_reader_bytes_done(in->reader), in->total_bytes);
}

static void read_process(struct reading *in, const char *dir, struct model_process *p,
                         struct read_problems *problems)
{
    struct model_builder b;
    struct el_record record;
    p->dir = xstrdup(dir);
    p->image = image_number(dir);
    model_builder_init(&b, p, el_reader_clock_hz(in->reader));
    while (el_reader_next(in->reader, &record)) {
        model_builder_event(&b, record.time, record.info->id, &record.any);
        step(in);
    }
    while (el_reader_next_cell(in->reader, &record)) {
        model_builder_cell(&b, record.info->id, &record.any);
        step(in);
    }
    uint64_t rejected = b.rejected;
    model_builder_finish(&b);
    if (el_reader_version_minor(in->reader) < CHILDREN_COUNTED_SINCE)
        p->tracked = p->nchildren;
    if (has_done_nothing(p) && p->state == EL_RECORD_NONE && !el_has_begun(dir))
        p->state = EL_RECORD_ON; /* what would have been said first of all */
    note_problems(in->reader, p, rejected, problems);
    if (p->command == NULL)
        p->command = xstrdup("?");
}

/* Opens the reader of each in turn: only one is open at a time. */
static void read_all(const struct el_list *list, struct reading *in, struct model *m,
                     struct read_problems *problems)
{
    const char *unborn = NULL;
    for (size_t i = 0; i < list->n; i++) {
        enum el_read_error error = el_reader_open(list->items[i], &in->reader);
        if (error == EL_READ_NO_METADATA && !el_has_begun(list->items[i])) {
            unborn = list->items[i];
            continue;
        }
        if (error != EL_READ_OK) {
            problem(problems, "%s: %s", list->items[i],
                    why_not_begun(list->items[i], el_read_error_text(error)));
            continue;
        }
        in->total_bytes = in->base_bytes + el_reader_bytes_total(in->reader);
        XGROW(m->processes, m->nprocesses);
        struct model_process *p = &m->processes[m->nprocesses++];
        *p = (struct model_process){0};
        read_process(in, list->items[i], p, problems);
        in->base_bytes += el_reader_bytes_total(in->reader);
        el_reader_close(in->reader);
    }
    if (m->nprocesses == 0 && unborn != NULL)
        problem(problems, "%s: the process ended before it recorded anything", unborn);
    if (in->progress != NULL)
        in->progress(in->arg, in->base_bytes, in->base_bytes);
}

int read_log(const char *dir, read_progress progress, void *arg, struct model **out,
             struct read_problems *problems)
{
    struct el_list list = {0};
    struct reading in = {.progress = progress, .arg = arg};
    struct stat status;
    *out = NULL;
    if (stat(dir, &status) != 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return -ENOTDIR;
    enum el_read_error error = el_list_processes(dir, &list);
    if (error == EL_READ_NO_MEMORY)
        return -ENOMEM;
    if (error != EL_READ_OK)
        return -EACCES;
    *out = xcalloc(1, sizeof **out);
    read_all(&list, &in, *out, problems);
    el_list_free(&list);
    const uint64_t wrong = read_silent(dir, *out);
    if (wrong > 0)
        problem(problems, "%s/" EL_SILENT_FILE ": %" PRIu64 " lines are damaged", dir, wrong);
    return 0;
}
