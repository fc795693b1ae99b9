/*
 * gate.h - from what the rules found to what is reported, and whether it fails the run.
 *
 * Findings with one fingerprint become one, over all processes; then suppressions and the baseline
 * take theirs out. What is left and is as severe as the bar fails.
 */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/gate/baseline.h"
#include "analyzer/gate/suppress.h"
#include "analyzer/rules/finding.h"

/* A process in which the finding was made. */
struct gate_process {
    const struct model_process *process;
    uint64_t count;
};

struct gate_item {
    struct finding *finding;
    struct gate_process *processes;
    size_t nprocesses;
    double heaviest; /* the largest main cost of those that became this one; its words are told */
    const struct suppression *suppressed; /* NULL when it is not */
    const struct baseline_entry *known;   /* in the baseline, and not suppressed; NULL else */
};

struct gate {
    struct gate_item *items; /* the most severe first */
    size_t n;
    size_t active[3]; /* by enum severity: neither suppressed nor known */
    size_t suppressed, known;
    size_t failing; /* active ones at or above the bar */
    enum severity bar;
};

/* Takes the findings over: `all` is empty afterwards. They must be settled. */
void gate_judge(struct gate *g, struct findings *all, struct suppressions *suppressions,
                const struct baseline *baseline, enum severity bar);
void gate_clear(struct gate *g);

static inline bool gate_is_active(const struct gate_item *item)
{
    return !item->suppressed && !item->known;
}

/* "error", "warning", "note"; and back, -1 for another word. */
const char *severity_name(enum severity s);
int severity_find(const char *name);

#endif
