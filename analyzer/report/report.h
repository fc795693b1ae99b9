/*
 * report.h - the forms in which findings are told: text for people, JSON, JUnit XML, SARIF.
 *
 * A reporter prints what it is given and decides nothing.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analyzer/gate/gate.h"
#include "analyzer/report/record.h"
#include "analyzer/report/run_info.h"

struct rule;

struct report {
    const char *version; /* of the command */
    const char *log;     /* directory of the log; NULL when it was removed */
    const struct gate *gate;
    const struct model *model;
    const struct record *record;
    const struct run_info *run;
    const struct rule *const *rules; /* those that ran; ends with NULL */
    const char *const *warnings;     /* on suppressions, symbols, the log */
    size_t nwarnings;
    const char *(*page)(const char *rule); /* the rule's page in Markdown; may be NULL */
};

struct text_options {
    bool color;
    bool notes;           /* show notes too */
    bool quiet;           /* nothing but findings */
    unsigned excerpt;     /* source lines on either side of the place, 0: none at all */
    unsigned frames_max;  /* frames of a stack */
    unsigned columns;     /* of the terminal, 0: unknown */
    const char *base_dir; /* paths below it are shown from there; may be NULL */
};

void report_text(FILE *out, const struct report *r, const struct text_options *o);
/* docs/schema/findings-1.json. */
void report_json(FILE *out, const struct report *r);
void report_junit(FILE *out, const struct report *r);
/* Takes notes and base_dir of the options. */
void report_sarif(FILE *out, const struct report *r, const struct text_options *o);

/* Shared by the reporters. "function (file:line)", or what is known of a frame; to be freed. Paths
 * below `base_dir` are shown from there. */
char *report_place(const struct finding_frame *f, const char *base_dir);
/* "process 12 (app --x)" or "3 processes: 12 (app), ..."; to be freed. */
char *report_processes(const struct gate_item *item);

#endif
