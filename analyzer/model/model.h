/*
 * model.h - what the log says, as things rather than records.
 *
 * Words used throughout the analyzer:
 *   process  one recorded process; a log directory holds one or many
 *   actor    a thread or a task: whoever can wait
 *   object   what can be waited for: lock, channel, condition, descriptor, ...
 *   stack    a call stack of a process, by id; frames are addresses until symbols/ names them
 *   site     a place in the program with totals
 *   wait     a wait that is over; a wait that is not over is the state of its actor
 *
 * All times here are nanoseconds since the process's record began; durations are nanoseconds. The
 * records are owned by the model and live until model_destroy.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eventlog/kinds.h"
#include "eventlog/spread.h"

struct model_module {
    uint64_t lo, hi, bias;
    uint64_t from_ns, until_ns; /* when it was mapped; until_ns is UINT64_MAX while it is */
    char *path;
    char *build_id; /* hex, NULL when the module has none */
};

struct model_stack {
    uint32_t depth;
    bool truncated;
    uint64_t frames[]; /* return addresses, innermost first */
};

struct model_actor {
    uint64_t id; /* as in the log: EL_ACTOR_TASK is set for a task */
    enum el_actor_state state;
    uint32_t flags; /* el_actor_flags */
    enum el_wait_kind wait_kind;
    uint32_t wait_stack;
    uint64_t object;
    uint64_t since_ns;
    uint64_t creator;
    uint64_t created_ns;
    uint32_t created_stack;
    uint32_t waits_here;
    uint64_t waker;
    uint64_t start;
    uint64_t stack_bytes;
    uint64_t capture_bytes;
    uint32_t run;
    uint32_t tid;
    uint64_t ended_ns; /* 0 while it lives; known for threads, for tasks only that they are gone */
    enum el_thread_how ended_how;    /* of a thread that ended */
    bool has_cell;                   /* it had one at the end: alive, or ended and not joined */
    const struct model_held *held;   /* NULL when it holds nothing */
    const struct model_named *named; /* NULL when it has neither name nor labels */
};

/* What a task calls itself: texts, "" for none. */
struct model_named {
    uint64_t actor;
    char name[48], labels[80];
};

struct model_held {
    uint32_t count; /* may exceed the arrays */
    uint64_t actor;
    struct {
        uint64_t lock;
        enum el_wait_kind kind;
        uint32_t stack;
    } locks[6];
};

struct model_object {
    uint64_t address;
    enum el_object_kind kind;
    enum el_cell_state state;
    enum el_storage storage;
    uint64_t creator;
    uint64_t created_ns;
    uint32_t created_stack;
    uint32_t last_waker_stack, last_waiter_stack;
    uint64_t last_waker, last_waiter;
    uint64_t last_waker_ns;
    uint32_t wakes, waits;
    uint64_t wait_ns, io_ns, wait_io_ns;
    uint64_t items, capacity;
};

struct model_timer {
    uint64_t object;
    enum el_object_kind kind;
    enum el_timer_state state;
    uint32_t flags;
    uint64_t creator;
    uint64_t created_ns, armed_ns, last_used_ns;
    uint32_t created_stack, armed_stack;
    uint64_t period_ns, first_ns;
    uint64_t fires, drops;
    uint64_t last_user;
    uint32_t run;
};

struct model_site {
    enum el_site_kind kind;
    uint32_t stack, stack2;
    uint64_t count, live, peak, peak_ns;
    uint64_t bytes, total_ns, max_ns;
    uint64_t first_ns, last_ns;
    uint64_t backpressure, backpressure_live, run_peak;
};

/* What became of the things of one kind that were made at one place. */
struct model_outcome {
    enum el_object_kind kind;
    uint32_t stack, lost_stack;
    uint32_t how; /* el_left */
    uint64_t made, gone, lost;
    uint64_t peak, peak_ns;
    uint64_t bytes, items;
    uint64_t lost_ns; /* time that those given up lived on */
    uint64_t first_ns, last_ns;
    uint64_t burst; /* most made within a second */
    uint64_t sweep; /* descriptors: most that were closed late in a row */
};

/* A descriptor that was open at the end. */
struct model_descriptor {
    uint32_t fd;
    enum el_fd_kind kind;
    uint32_t flags; /* el_fd_flags */
    uint32_t stack;
    uint32_t idle; /* opened at the same place after its last use */
    uint64_t opener;
    uint64_t opened_ns;
    uint64_t device, inode; /* of the file; 0 where the record does not tell */
};

/* Blocks of memory from one place: estimates from samples, exact where each block was looked at. */
struct model_heap_site {
    uint32_t stack;
    uint64_t samples; /* blocks looked at */
    uint64_t blocks, bytes;
    uint64_t freed_blocks, freed_bytes;
    uint64_t peak_bytes, peak_ns;
    uint64_t size_min, size_max;
    uint64_t rises, beside, jumps; /* from sample to sample, see el_heap_site */
    uint64_t life_bytes[6];        /* of those freed: up to 10 us, 100 us, 1, 10, 100 ms, longer */
    uint64_t first_ns, last_ns;
    uint64_t leaked_blocks[3], leaked_bytes[3]; /* by itself, through such a one, in a ring */
    uint64_t leaked_samples;
    uint64_t leaked_first_ns, leaked_last_ns;
};

/* The program's memory as a whole. */
struct model_heap {
    bool full;            /* each block was looked at */
    bool scanned;         /* unreachable blocks were looked for, and what is lost is as of then */
    bool scanned_at_mark; /* last at a mark of the program's, not at its end */
    uint64_t scanned_ns;  /* when */
    bool exact_roots;     /* and where blocks end was known */
    const char *not_scanned; /* why they were looked for in vain, NULL where they were not */
    uint64_t live_blocks, live_bytes;
    /* What an allocator says of itself; its name is NULL where it says nothing. */
    char *allocator;
    uint64_t arenas, allocated, active, resident, retained, mapped; /* as it was asked last */
    uint64_t readings, resident_most;
};

/* Waits are kept as totals by (kind, stack, object), with the longest. */
struct model_wait {
    enum el_wait_kind kind;
    uint32_t stack;
    uint64_t object;
    uint64_t count, total_ns, max_ns, io_ns;
    uint64_t first_ns, last_ns;
};

/* Calls that waited with a lock held, as totals by (acquired_stack, io_stack). */
struct model_lock_io {
    enum el_wait_kind lock_kind, io_kind;
    uint32_t acquired_stack, io_stack;
    uint64_t lock; /* the one of the longest call */
    uint64_t count, total_ns, max_ns;
    uint64_t first_ns, last_ns;
    uint64_t waiters;   /* waits for these locks that overlapped the calls */
    uint64_t waited_ns; /* time they spent waiting while the holder was in the call */
};

/* Durations at one place; quantiles are exact to half an octave. */
struct model_spread {
    enum el_spread_kind kind;
    uint32_t stack;
    uint64_t every; /* one of so many was measured */
    uint64_t count, total_ns, max_ns;
    uint64_t busiest, busiest_ns; /* most measured within a second, and when */
    uint64_t first_ns, last_ns;
    uint32_t bins[EL_SPREAD_BINS];
};

/* A place whose tasks or threads make further ones there, by generation. */
struct model_lineage {
    enum el_site_kind kind;
    uint32_t stack;
    uint32_t deepest;
    uint64_t parents, awaited;
    uint64_t made[16];
};

/* What tasks or threads of one place hold by their argument, from those that were looked at. */
struct model_capture {
    enum el_site_kind kind;
    uint32_t stack;
    uint64_t every; /* one of so many was looked at, or fewer */
    uint64_t looked, holders, shared, copied, nested;
    uint64_t bytes;            /* of all holders */
    uint64_t written, kept;    /* holders whose blocks were changed, and were not, by the end */
    uint64_t wait_ns;          /* that holders waited, over all */
    uint64_t waiting;          /* of the holders, at the end */
    uint64_t waiting_since_ns; /* sum of the times since when */
    uint64_t peak_bytes;       /* an estimate for all of the place */
    uint64_t peak_ns, peak_waiting, peak_alive, peak_live;
};

/* A place that asks again and again without waiting. */
struct model_spin {
    enum el_spin_kind kind;
    uint32_t stack;
    uint64_t actors, count, longest;
    uint64_t cpu_ns;
    uint64_t between_ns; /* the mean from one call to the next, 0 if not measured */
    uint64_t first_ns, last_ns;
};

/* Groups of tasks that went on after their first error, by where their members are made. */
struct model_group {
    uint32_t stack;
    int error;
    uint64_t failed, cancels;
    uint64_t running, started; /* members at the first error, and begun after it */
    uint64_t wasted_ns, longest_ns;
    uint64_t first_ns, last_ns;
};

struct model_misuse {
    enum el_misuse_kind kind;
    uint64_t at_ns;
    uint64_t actor, object, other;
    uint32_t stack, other_stack;
    char *text;
};

struct model_mark {
    uint64_t at_ns;
    char *text;
};

/* One run of a coroutine runtime; end_ns is 0 while its main task has not returned. */
struct model_run {
    uint32_t run, workers;
    uint32_t left; /* tasks alive at its end */
    uint64_t begin_ns, end_ns;
    char *name;
};

/* A lock and one who holds it; a read lock may have many. */
struct model_holding {
    uint64_t lock;
    uint64_t actor;
    enum el_wait_kind kind;
    uint32_t stack;
};

struct model_process {
    uint32_t pid, ppid;
    uint32_t image; /* 0 for the first program of this process id, 1 after an exec, ... */
    enum el_cause cause;
    uint32_t cpus;
    char *command;
    char *dir;            /* where its record lies */
    uint64_t realtime_ns; /* of the record's begin */
    uint64_t end_ns;      /* last moment the process is known to have lived */
    enum el_record_state state;
    enum el_stop_reason stop_reason;
    bool exited; /* an exit event was seen */
    enum el_exit_how exit_how;
    int exit_status;
    uint64_t exit_actor;
    bool replaced;      /* ended by a successful exec */
    bool alone;         /* its children were not to be recorded */
    uint32_t *children; /* process ids of those it made by fork */
    size_t nchildren;
    uint64_t lost;                                 /* events lost, over all reasons */
    uint64_t lost_reentered, lost_full, lost_late; /* the reasons, see events.def */
    uint64_t lost_cells;
    uint64_t recorded_ns;         /* for so long waits were recorded (--window, --sample, ctl) */
    uint64_t outside;             /* waits that were not recorded, for it was not their time */
    uint64_t thinned, thinned_ns; /* waits only counted, as the log filled, and since when */
    uint64_t unwinds, stack_hits;
    uint64_t events;  /* events read, cells not counted */
    uint32_t workers; /* of its coroutine runtime, 0 for none */
    uint64_t threads_made, tasks_made;
    uint64_t tracked; /* of its children made by fork: so many have a record, or should have */
    uint64_t nofile;  /* RLIMIT_NOFILE when the record began, 0: unknown */
    double pair_ns, clock_ns; /* two locked instructions, a reading of the clock; 0: unknown */

    struct model_module *modules;
    size_t nmodules;
    struct model_stack **stacks; /* by id; NULL for an id never defined */
    size_t nstacks;
    struct model_actor *actors; /* alive at the end, and the last of the threads that ended */
    size_t nactors;
    struct model_object *objects;
    size_t nobjects;
    struct model_timer *timers; /* those whose record was alive at the end */
    size_t ntimers;
    struct model_site *sites;
    size_t nsites;
    struct model_outcome *outcomes;
    size_t noutcomes;
    struct model_descriptor *descriptors;
    size_t ndescriptors;
    struct model_heap heap;
    struct model_heap_site *heap_sites;
    size_t nheap_sites;
    struct model_wait *waits;
    size_t nwaits;
    struct model_lock_io *lock_ios;
    size_t nlock_ios;
    struct model_spread *spreads;
    size_t nspreads;
    struct model_lineage *lineages;
    size_t nlineages;
    struct model_capture *captures;
    size_t ncaptures;
    struct model_spin *spins;
    size_t nspins;
    struct model_group *groups;
    size_t ngroups;
    struct model_misuse *misuses;
    size_t nmisuses;
    struct model_mark *marks;
    size_t nmarks;
    struct model_run *runs;
    size_t nruns;
    struct model_held *helds;
    size_t nhelds;
    struct model_named *nameds;
    size_t nnameds;
    struct model_holding *holdings; /* made from helds, by lock */
    size_t nholdings;
};

/* A process that was followed; `mark` is what it said last: eventlog/silent.h. */
struct model_silent {
    uint32_t pid;
    char mark;
};

struct model {
    struct model_process *processes;
    size_t nprocesses;
    struct model_silent *silent; /* by process id, one each */
    size_t nsilent;
};

/* Frees what the model owns, and the model. NULL is allowed. */
void model_destroy(struct model *m);
/* Frees what the process owns, and zeroes it. */
void model_process_finish(struct model_process *p);
/* Sorts actors, objects and holdings so that they can be found, and gives actors what they hold.
 * Whoever fills a process by hand calls this last. */
void model_process_index(struct model_process *p);

/* Finds by id; NULL when the model has none. */
const struct model_actor *model_find_actor(const struct model_process *p, uint64_t id);
const struct model_object *model_find_object(const struct model_process *p, uint64_t address);
const struct model_stack *model_find_stack(const struct model_process *p, uint32_t id);
/* The actor that holds `lock` now, NULL if none is known. */
const struct model_actor *model_find_holder(const struct model_process *p, uint64_t lock);
/* All that hold it: the first of `*n`, NULL when none is known. */
const struct model_holding *model_find_holdings(const struct model_process *p, uint64_t lock,
                                                size_t *n);
/* NULL when there is no such run. */
const struct model_run *model_find_run(const struct model_process *p, uint32_t run);
/* The mark in force at that time, NULL when there was none. */
const char *model_find_mark(const struct model_process *p, uint64_t at_ns);

/* Of that kind at that place; NULL when there is none. */
const struct model_spread *model_find_spread(const struct model_process *p,
                                             enum el_spread_kind kind, uint32_t stack);
/* The duration below which that share (0 to 1) of them lies; 0 when there are none. */
uint64_t model_spread_quantile(const struct model_spread *s, double share);
/* The share of them, 0 to 1, that is shorter than so much. */
double model_spread_below(const struct model_spread *s, uint64_t ns);
/* Of that kind and place; NULL when there is none. */
const struct model_site *model_find_site(const struct model_process *p, enum el_site_kind kind,
                                         uint32_t stack);

static inline bool model_is_task(uint64_t actor)
{
    return (actor & EL_ACTOR_TASK) != 0;
}

#endif
