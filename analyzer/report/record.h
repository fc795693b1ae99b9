/*
 * record.h - how much of what happened the record holds, and what making it took.
 *
 * "Nothing found" means nothing unless the record is complete: this says whether it is.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/model/model.h"

struct record {
    bool empty;      /* no process was recorded */
    bool incomplete; /* empty, or something is missing that findings may hang on */
    char **reasons;  /* sentences on what is missing */
    size_t nreasons;
    size_t more;              /* reasons beyond those */
    size_t processes, silent; /* silent: others, which had nothing to record */
    uint64_t events, lost, lost_cells;
    uint64_t unwinds;               /* stacks walked */
    uint64_t lived_ns, recorded_ns; /* of all processes; that of it in which waits were recorded */
    uint64_t outside;               /* waits in the rest of it */
    uint64_t bytes;                 /* of the log directory */
};

/* From what the model knows; the words for it, and what else is wrong, the reader of the log has.
 */
void record_judge(struct record *r, const struct model *m, uint64_t bytes);
/* Adds a reason that makes it incomplete; copied. */
void record_add_reason(struct record *r, const char *reason);
void record_clear(struct record *r);

/* How the process ended, in words, to be freed: "exited with 0", "did not say goodbye: ...". */
char *record_ending(const struct model_process *p);

#endif
