/*
 * unrecorded.c - see unrecorded.h.
 */
#include "analyzer/cli/unrecorded.h"

#include <inttypes.h>

#include "analyzer/model/memory.h"
#include "eventlog/silent.h"

static int by_pid(const void *a, const void *b)
{
    const struct model_silent *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* What a process of the log said last of itself; 0 where it had a record from the start. */
static char silent_mark(const struct model *log, uint32_t pid)
{
    const struct model_silent key = {.pid = pid}, *found = NULL;
    if (log->nsilent > 0)
        found = bsearch(&key, log->silent, log->nsilent, sizeof(key), by_pid);
    return found ? found->mark : '\0';
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The process ids of a log's processes, in order; to be freed. */
static uint32_t *pids_sorted(const struct model *m, size_t from)
{
    uint32_t *pids = xcalloc(m->nprocesses - from + 1, sizeof(*pids));
    for (size_t i = from; i < m->nprocesses; i++)
        pids[i - from] = m->processes[i].pid;
    qsort(pids, m->nprocesses - from, sizeof(*pids), by_number);
    return pids;
}

static bool has_pid(const struct model *m, size_t from, const uint32_t *pids, uint32_t pid)
{
    return bsearch(&pid, pids, m->nprocesses - from, sizeof(pid), by_number) != NULL;
}

static bool has_image(const struct model *m, size_t from, uint32_t pid, uint32_t image)
{
    for (size_t i = from; i < m->nprocesses; i++)
        if (m->processes[i].pid == pid && m->processes[i].image == image)
            return true;
    return false;
}

/* A process became a program that the library is not in. If it is the one that was started, most
 * of the run is not recorded. */
static void check_execs(struct judged *j, const struct unrecorded *part,
                        struct read_problems *problems)
{
    for (size_t i = part->from; i < j->model->nprocesses; i++) {
        const struct model_process *p = &j->model->processes[i];
        if (!p->replaced || has_image(j->model, part->from, p->pid, p->image + 1) ||
            silent_mark(part->log, p->pid) == EL_SILENT_BEGINS)
            continue;
        char *text = xasprintf("process %u (%s) became another program, which was not recorded: it "
                               "may be static, setuid, or not followed",
                               p->pid, p->command ? p->command : "?");
        if (part->run->command && (int64_t)p->pid == part->run->pid) {
            XGROW(problems->items, problems->n);
            problems->items[problems->n++] = text;
        } else {
            judged_warn(j, text);
        }
    }
}

/* The same of one that had recorded nothing until then. */
static void check_silent_execs(struct judged *j, const struct unrecorded *part,
                               const uint32_t *pids)
{
    size_t n = 0;
    for (size_t i = 0; i < part->log->nsilent; i++) {
        const struct model_silent *s = &part->log->silent[i];
        n += s->mark == EL_SILENT_BECOMES && !has_pid(j->model, part->from, pids, s->pid);
    }
    if (n > 0)
        judged_warn(j,
                    xasprintf("%zu process%s with nothing recorded became another program, which "
                              "was not recorded: it may be static, setuid, or not followed",
                              n, n > 1 ? "es" : ""));
}

/* First processes of namespaces of their own, which their parents know by another number: they see
 * no parent. */
static uint64_t count_namespaces(const struct model *m, const struct unrecorded *part)
{
    const char first = silent_mark(part->log, 1);
    uint64_t n = first != '\0' && first != EL_SILENT_RECORDS;
    for (size_t i = part->from; i < m->nprocesses; i++) {
        const struct model_process *p = &m->processes[i];
        n += p->ppid == 0 && !p->replaced && (int64_t)p->pid != part->run->pid;
    }
    return n;
}

/* Processes that were forked and have no record, though they had something to record, or became
 * another program. */
static void check_forks(struct judged *j, const struct unrecorded *part, const uint32_t *pids)
{
    const struct model *m = j->model;
    const struct model_process *first = NULL;
    uint64_t n = 0;
    for (size_t i = part->from; i < m->nprocesses; i++) {
        const struct model_process *p = &m->processes[i];
        uint64_t found = 0;
        for (size_t k = 0; k < p->nchildren; k++)
            found += silent_mark(part->log, p->children[k]) != '\0' ||
                     has_pid(m, part->from, pids, p->children[k]);
        if (p->alone || found >= p->tracked)
            continue;
        first = first ? first : p;
        n += p->tracked - found;
    }
    const uint64_t elsewhere = n > 0 ? count_namespaces(m, part) : 0;
    n -= elsewhere < n ? elsewhere : n;
    if (n > 0)
        judged_warn(j,
                    xasprintf("%" PRIu64 " process%s made by fork %s no record (by process %u, "
                              "%s%s): it became a program that is static, setuid or not followed, "
                              "may not write into the log's directory (as another user), or was "
                              "killed at once",
                              n, n > 1 ? "es" : "", n > 1 ? "have" : "has", first->pid,
                              first->command ? first->command : "?", n > 1 ? "; ..." : ""));
}

void unrecorded_tell(struct judged *j, const struct unrecorded *part,
                     struct read_problems *problems)
{
    uint32_t *pids = pids_sorted(j->model, part->from);
    check_execs(j, part, problems);
    check_silent_execs(j, part, pids);
    check_forks(j, part, pids);
    free(pids);
}
