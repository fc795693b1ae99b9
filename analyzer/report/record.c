/*
 * record.c - see record.h.
 */
#include "analyzer/report/record.h"

#include <inttypes.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"

/* Beyond these many sentences, one says how many more there are. */
#define REASONS_MAX 20

static void add_reason(struct record *r, char *reason)
{
    r->incomplete = true;
    XGROW(r->reasons, r->nreasons);
    r->reasons[r->nreasons++] = reason;
}

void record_add_reason(struct record *r, const char *reason)
{
    add_reason(r, xstrdup(reason));
}

/* What is missing in one process, to be freed; NULL when nothing is. */
static char *missing_in(const struct model_process *p)
{
    char events[REPORT_WORDS_MAX], cells[REPORT_WORDS_MAX];
    if (p->state == EL_RECORD_NONE)
        return xasprintf("process %u never began to record", p->pid);
    if (p->stop_reason != EL_STOP_NONE)
        return xasprintf("process %u stopped recording: %s", p->pid,
                         el_stop_reason_word(p->stop_reason));
    if (p->lost || p->lost_cells)
        return xasprintf("process %u lost %s and %s", p->pid,
                         report_count(events, p->lost, "event"),
                         report_count(cells, p->lost_cells, "cell"));
    return NULL;
}

void record_judge(struct record *r, const struct model *m, uint64_t bytes)
{
    size_t more = 0;
    *r = (struct record){.processes = m->nprocesses, .bytes = bytes};
    r->empty = m->nprocesses == 0;
    if (r->empty)
        add_reason(r, xstrdup("nothing was recorded"));
    for (size_t i = 0; i < m->nprocesses; i++) {
        const struct model_process *p = &m->processes[i];
        r->events += p->events;
        r->lost += p->lost;
        r->lost_cells += p->lost_cells;
        r->unwinds += p->unwinds;
        char *reason = missing_in(p);
        if (reason && r->nreasons < REASONS_MAX) {
            add_reason(r, reason);
        } else {
            more += reason != NULL;
            free(reason);
        }
    }
    if (more)
        add_reason(r, xasprintf("so did %zu more processes", more));
}

void record_clear(struct record *r)
{
    for (size_t i = 0; i < r->nreasons; i++)
        free(r->reasons[i]);
    free(r->reasons);
    *r = (struct record){0};
}

char *record_ending(const struct model_process *p)
{
    if (p->replaced)
        return xstrdup("became another program (exec)");
    if (p->exited)
        return xasprintf("%s(%d)", el_exit_how_word(p->exit_how), p->exit_status);
    return xstrdup("ended without a word, or runs still");
}
