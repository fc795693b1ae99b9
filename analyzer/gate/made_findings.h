/*
 * made_findings.h - findings made by hand, for tests.
 */
#ifndef MADE_FINDINGS_H
#define MADE_FINDINGS_H

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

/* Adds a stack with one frame, named already. */
static inline struct finding_frame *made_frame(struct finding_stack *s, const char *function,
                                               const char *file, unsigned line, const char *module)
{
    XGROW(s->frames, s->nframes);
    struct finding_frame *f = &s->frames[s->nframes++];
    *f = (struct finding_frame){.function = xstrdup(function),
                                .file = xstrdup(file),
                                .line = line,
                                .module = xstrdup(module),
                                .in_app = true};
    return f;
}

static inline struct finding *made_finding(const struct rule *rule, const struct model_process *p,
                                           const char *function, const char *file)
{
    struct finding *f = finding_create(rule, p);
    f->severity = SEVERITY_ERROR;
    f->count = 1;
    finding_set_kind(f, "made");
    finding_set_title(f, "something lingers");
    finding_set_fix(f, "end it");
    finding_add_stack(f, "blocked at", 1, true, NULL);
    made_frame(&f->stacks[0], function, file, 7, "/opt/app/bin/app");
    finding_settle(f);
    return f;
}

#endif
