/*
 * cells.h - the parts of a comparison as words: what text and Markdown share.
 */
#ifndef CELLS_H
#define CELLS_H

#include "analyzer/compare/comparison.h"

/* All to be freed. */
char *cell_value(const struct comparison_row *r, enum side side); /* "1.02 s ± 3%" */
char *cell_change(const struct comparison_row *r);                /* "-98.8% (p=0.008)" */
char *cell_side(const struct comparison *c, enum side side);      /* "./app (5 runs)" */
/* "error: unbounded-spawn: 10 tasks ..." with its place; of one that was kept, how it changed. */
char *cell_finding(const struct comparison *c, const struct comparison_finding *f);
/* What the reader should know of the figures; NULL when there is nothing. */
char *cell_footnote(const struct comparison *c);

/* "gone", "new", "kept" */
const char *fate_name(enum finding_fate fate);

#endif
