/*
 * unrecorded.h - which processes of a log have no record of their own, though they should.
 */
#ifndef UNRECORDED_H
#define UNRECORDED_H

#include "analyzer/cli/judge.h"
#include "analyzer/read/read_log.h"

struct unrecorded {
    const struct model *log; /* whose silent processes count */
    size_t from;             /* the first of its processes in the judged model */
    const struct run_info *run;
};

/* Warns of them; that most of the run is not recorded is a problem. */
void unrecorded_tell(struct judged *j, const struct unrecorded *part,
                     struct read_problems *problems);

#endif
