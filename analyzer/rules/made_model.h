/*
 * made_model.h - for the tests of rules: a process filled by hand, a thing a line.
 *
 * Times are milliseconds here. Call made_judge when all is in.
 */
#ifndef RULES_MADE_MODEL_H
#define RULES_MADE_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

#define MS      UINT64_C(1000000)
#define TASK(n) (EL_ACTOR_TASK | (n))

struct made {
    struct model_process p;
    struct findings found;
};

#define MADE(m, array, n, ...)                                                                     \
    do {                                                                                           \
        XGROW((m)->p.array, (m)->p.n);                                                             \
        (m)->p.array[(m)->p.n++] = (__typeof__(*(m)->p.array)){__VA_ARGS__};                       \
    } while (0)

#define MADE_ACTOR(m, ...)   MADE(m, actors, nactors, __VA_ARGS__)
#define MADE_OBJECT(m, ...)  MADE(m, objects, nobjects, __VA_ARGS__)
#define MADE_TIMER(m, ...)   MADE(m, timers, ntimers, __VA_ARGS__)
#define MADE_SITE(m, ...)    MADE(m, sites, nsites, __VA_ARGS__)
#define MADE_HEAP(m, ...)    MADE(m, heap_sites, nheap_sites, __VA_ARGS__)
#define MADE_LOCK_IO(m, ...) MADE(m, lock_ios, nlock_ios, __VA_ARGS__)
#define MADE_SPREAD(m, ...)  MADE(m, spreads, nspreads, __VA_ARGS__)
#define MADE_GROUP(m, ...)   MADE(m, groups, ngroups, __VA_ARGS__)
#define MADE_MISUSE(m, ...)  MADE(m, misuses, nmisuses, __VA_ARGS__)
#define MADE_SPIN(m, ...)    MADE(m, spins, nspins, __VA_ARGS__)
#define MADE_CAPTURE(m, ...) MADE(m, captures, ncaptures, __VA_ARGS__)
#define MADE_LINEAGE(m, ...) MADE(m, lineages, nlineages, __VA_ARGS__)
#define MADE_RUN(m, ...)     MADE(m, runs, nruns, __VA_ARGS__)
#define MADE_OUTCOME(m, ...) MADE(m, outcomes, noutcomes, __VA_ARGS__)
#define MADE_HELD(m, who, address, lock_kind, at)                                                  \
    MADE(m, helds, nhelds, .count = 1, .actor = (who),                                             \
         .locks = {{.lock = (address), .kind = (lock_kind), .stack = (at)}})

/* A process of 10 s that exited; its main thread runs. */
static inline struct made made_process(void)
{
    struct made m = {.p = {.pid = 1, .cpus = 4, .end_ns = 10000 * MS, .exited = true}};
    MADE_ACTOR(&m, .id = 1, .state = EL_ACTOR_RUNNING, .flags = EL_ACTOR_MAIN, .has_cell = true);
    return m;
}

/* A process that was killed, as after a hang. */
static inline struct made made_killed(void)
{
    struct made m = made_process();
    m.p.exited = false;
    return m;
}

/* An actor that waits without a time limit. */
static inline void made_waiter(struct made *m, uint64_t id, enum el_wait_kind kind, uint64_t object,
                               uint64_t created_ms, uint64_t since_ms)
{
    MADE_ACTOR(m, .id = id,
               .state = model_is_task(id) && m->p.nruns > 0 ? EL_ACTOR_ABANDONED : EL_ACTOR_WAITING,
               .wait_kind = kind, .wait_stack = 20, .object = object, .since_ns = since_ms * MS,
               .creator = model_is_task(id) ? TASK(1) : 1, .created_ns = created_ms * MS,
               .created_stack = 10, .waits_here = 1, .stack_bytes = 65536, .has_cell = true,
               .run = model_is_task(id) ? 1 : 0);
}

/* `n` more of so many ns in the spread that was made last. */
static inline void made_durations(struct made *m, uint64_t ns, uint32_t n)
{
    struct model_spread *s = &m->p.spreads[m->p.nspreads - 1];
    s->bins[el_spread_bin(ns)] += n;
    s->count += n;
    s->total_ns += ns * n;
    s->max_ns = ns > s->max_ns ? ns : s->max_ns;
}

/* Judged by one rule; gives the number of findings. */
static inline size_t made_judge(struct made *m, const char *rule)
{
    model_process_index(&m->p);
    findings_clear(&m->found);
    rule_find(rule)->judge(rule_find(rule), &m->p, &m->found);
    return m->found.n;
}

static inline const char *made_evidence(const struct finding *f, const char *name)
{
    for (size_t i = 0; i < f->nevidence; i++)
        if (strcmp(f->evidence[i].name, name) == 0)
            return f->evidence[i].text;
    return "";
}

static inline uint32_t made_stack(const struct finding *f, const char *role)
{
    for (size_t i = 0; i < f->nstacks; i++)
        if (strcmp(f->stacks[i].role, role) == 0)
            return f->stacks[i].stack;
    return 0;
}

static inline void made_finish(struct made *m)
{
    findings_clear(&m->found);
    model_process_finish(&m->p);
}

#endif
