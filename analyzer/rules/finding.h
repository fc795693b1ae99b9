/*
 * finding.h - what a rule found: the one thing that rules give and that reporters take.
 *
 * A rule fills in what it knows: ids of stacks, numbers, sentences. symbols/ then names the frames;
 * finding_settle picks the place and makes the fingerprint; gate/ suppresses, merges and compares;
 * report/ prints. A finding owns its strings and arrays; finding_destroy frees it.
 */
#ifndef FINDING_H
#define FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rule;
struct model_process;

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };
enum confidence { CONFIDENCE_PROBABLE, CONFIDENCE_PROVEN };

/* A frame as symbols/ names it. An address can become several frames: inlined calls. */
struct finding_frame {
    uint64_t address;
    char *function;  /* demangled; NULL when unknown */
    char *file;      /* NULL when unknown */
    unsigned line;   /* 0 when unknown */
    char *module;    /* path of the module, NULL when unknown */
    uint64_t offset; /* in the module's file, for frames without a name */
    bool inlined;
    bool in_app; /* of the program, and not of libc, a runtime or Loiter */
};

/* A stack with its role: "blocked at", "created at", "acquired at", ... */
struct finding_stack {
    char *role;
    char *note;     /* a sentence on it, or NULL */
    uint32_t stack; /* id in the process */
    bool primary;   /* the finding's place is in this one */
    struct finding_frame *frames;
    size_t nframes;
};

/* One fact, as name and words: "peer" -> "thread 3 posted it last, 1.2 s before it ended". */
struct finding_evidence {
    char *name;
    char *text;
};

/* A measured cost. The first of a finding is its main one. */
struct finding_cost {
    char *what; /* "tasks leaked" */
    double amount;
    char *unit; /* "tasks", "bytes", "ns", "1/s" */
};

struct finding {
    const struct rule *rule;
    const struct model_process *process;
    enum severity severity;
    enum confidence confidence;
    char *kind;  /* part of the fingerprint: what distinguishes findings of one rule, as "channel
                    send" */
    char *title; /* one sentence, without place or function names */
    char *fix;   /* how to mend it, in a sentence or two */
    struct finding_stack *stacks;
    size_t nstacks;
    struct finding_evidence *evidence;
    size_t nevidence;
    struct finding_cost *costs;
    size_t ncosts;
    uint64_t count; /* how many things this one finding stands for */
    uint64_t first_ns, last_ns;
    double growth_per_s; /* 0 when it does not grow */
    char *mark;          /* the test in force when it began, or NULL */

    /* Set by finding_settle. */
    const struct finding_frame *place; /* NULL when no frame is known */
    char fingerprint[40];              /* "v1:" and hex */
};

struct findings {
    struct finding **items;
    size_t n;
};

/* All that allocate end the program with a clear message when memory is out: the analyzer has
 * nothing to save. Text arguments are copied. */
struct finding *finding_create(const struct rule *rule, const struct model_process *process);
void finding_destroy(struct finding *f);
__attribute__((format(printf, 2, 3))) void finding_set_title(struct finding *f, const char *fmt,
                                                             ...);
__attribute__((format(printf, 2, 3))) void finding_set_fix(struct finding *f, const char *fmt, ...);
void finding_set_kind(struct finding *f, const char *kind);
/* When it was first and last seen, and with the first the mark that was in force; once. */
void finding_set_times(struct finding *f, uint64_t first_ns, uint64_t last_ns);
/* That `n` things came one after the other within these times. */
void finding_set_growth(struct finding *f, uint64_t n);
/* Adds a stack; `note` may be NULL. The first one added as primary gives the place. A stack id of 0
 * is ignored. */
void finding_add_stack(struct finding *f, const char *role, uint32_t stack, bool primary,
                       const char *note);
__attribute__((format(printf, 3, 4))) void finding_add_evidence(struct finding *f, const char *name,
                                                                const char *fmt, ...);
void finding_add_cost(struct finding *f, const char *what, double amount, const char *unit);

void findings_add(struct findings *all, struct finding *f); /* takes ownership */
void findings_clear(struct findings *all);

/* After the stacks have their frames: chooses the place (the innermost in-app frame of the primary
 * stack, else its innermost frame) and computes the fingerprint: "v1:" and the hash of the rule's
 * id, the kind and the function names of the in-app frames of all stacks; no lines, no addresses.
 */
void finding_settle(struct finding *f);

#endif
