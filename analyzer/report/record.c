/*
 * record.c - see record.h.
 */
#include "analyzer/report/record.h"

#include <inttypes.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"
#include "eventlog/silent.h"

/* Beyond these many sentences, one says how many more there are. */
#define REASONS_MAX 24

void record_add_reason(struct record *r, const char *reason)
{
    r->incomplete = true;
    if (r->nreasons >= REASONS_MAX) {
        r->more++;
        return;
    }
    XGROW(r->reasons, r->nreasons);
    r->reasons[r->nreasons++] = xstrdup(reason);
}

void record_judge(struct record *r, const struct model *m, uint64_t bytes)
{
    *r = (struct record){.processes = m->nprocesses, .bytes = bytes};
    r->empty = m->nprocesses == 0;
    if (r->empty)
        record_add_reason(r, "nothing was recorded");
    for (size_t i = 0; i < m->nsilent; i++)
        r->silent += m->silent[i].mark != EL_SILENT_RECORDS;
    for (size_t i = 0; i < m->nprocesses; i++) {
        const struct model_process *p = &m->processes[i];
        r->events += p->events;
        r->lost += p->lost;
        r->lost_cells += p->lost_cells;
        r->unwinds += p->unwinds;
        r->lived_ns += p->end_ns;
        r->recorded_ns += p->recorded_ns;
        r->outside += p->outside;
        r->incomplete = r->incomplete || p->lost || p->lost_cells || p->thinned ||
                        p->state == EL_RECORD_NONE || p->stop_reason != EL_STOP_NONE;
    }
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
