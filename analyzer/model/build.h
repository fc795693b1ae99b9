/*
 * build.h - makes the model of one process from its events, in the order of time, and then from its
 * cells. Knows nothing of files.
 *
 * Memory is bounded by what is alive and by the number of places: of threads that ended the last
 * MODEL_ENDED_MOST are kept, of the objects waited for at one place MODEL_OBJECTS_MOST, the others
 * counting together as object 0. Numbers out of a damaged log are checked before they size
 * anything.
 */
#ifndef MODEL_BUILD_H
#define MODEL_BUILD_H

#include "analyzer/model/model.h"
#include "analyzer/model/table.h"
#include "eventlog/events.h"

#define MODEL_ENDED_MOST   4096u
#define MODEL_OBJECTS_MOST 64u
#define MODEL_STACKS_MOST  (UINT32_C(1) << 22)
#define MODEL_MARKS_MOST   65536u
#define MODEL_RUNS_MOST    4096u
#define MODEL_MISUSES_MOST 4096u
#define MODEL_LOCKS_MOST   65536u

/* The last calls that waited with a given lock held. */
#define BUILD_CALLS 8
struct build_lock {
    uint64_t lock;
    uint64_t credited_ns; /* waiting that was put to the account of a call */
    uint32_t next;
    uint32_t ncalls;
    struct {
        uint64_t began_ns, ended_ns;
        uint32_t lock_io; /* index */
    } calls[BUILD_CALLS];
};

/* When waits are recorded, and what is counted of it so far. */
struct build_window {
    uint64_t delay_ns, window_ns, on_ns, every_ns; /* 0: not limited so */
    uint64_t since_ns;                             /* counted up to then */
    uint32_t word;                                 /* el_control in force since */
};

struct model_builder {
    struct model_process *p;
    uint64_t hz;
    struct table actors;      /* id -> actor */
    struct table waits;       /* place, object -> wait */
    struct table wait_places; /* place -> objects seen there */
    struct table lock_ios;    /* acquired_stack, io_stack -> lock_io */
    struct table locks;       /* lock -> build_lock */
    struct build_lock *build_locks;
    size_t nbuild_locks;
    uint32_t *ended; /* ring of actors that ended */
    size_t nended;
    struct build_window window;
    uint64_t latest_ns; /* of what the cells say */
    uint64_t exit_ns;   /* exit() had run all handlers; 0: it did not come to that */
    uint64_t rejected;  /* records that cannot be true */
};

/* `p` is zeroed, and filled from here on; `hz` is of the log's clock, not 0. */
void model_builder_init(struct model_builder *b, struct model_process *p, uint64_t hz);
void model_builder_event(struct model_builder *b, uint64_t ticks, uint32_t id,
                         const union el_any *any);
/* After all events. */
void model_builder_cell(struct model_builder *b, uint32_t id, const union el_any *any);
/* Sorts, closes what is open, and frees what only building needed. */
void model_builder_finish(struct model_builder *b);

/* ---- between the files of the builder ---- */

uint64_t build_ns(const struct model_builder *b, uint64_t ticks);
/* The actor of that id, made when it is not there. */
struct model_actor *build_actor(struct model_builder *b, uint64_t id);
void build_lock_io(struct model_builder *b, const struct el_lock_io *e);
void build_wait(struct model_builder *b, const struct el_wait *e);
void build_lock_io_site(struct model_builder *b, const struct model_site *s);
/* A time in a cell. The process lived at least until then. */
uint64_t build_cell_ns(struct model_builder *b, uint64_t ticks);
void build_task_cell(struct model_builder *b, uint32_t id, const union el_any *any);
/* The end is known. */
void build_settle_captures(struct model_process *p);
void build_misuse(struct model_builder *b, uint64_t at_ns, const struct el_misuse *e);
void build_option(struct model_builder *b, const struct el_option *e);
void build_recording(struct model_builder *b, uint64_t at_ns, const struct el_recording *e);
/* The end is known. */
void build_window_close(struct model_builder *b);
/* Cells of build_heap.c; false for others. And events, many of which others look at too. */
bool build_heap_cell(struct model_builder *b, uint32_t id, const union el_any *any);
void build_heap_event(struct model_builder *b, uint64_t at_ns, uint32_t id,
                      const union el_any *any);
/* Objects know of waits for which no event was written. */
void build_settle_locks(struct model_builder *b);

#endif
