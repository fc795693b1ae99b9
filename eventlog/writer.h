/*
 * writer.h - writes the record of this process from inside it.
 *
 * For code that lives in somebody else's program: nothing here allocates from the heap, takes a
 * lock, waits, prints, exits or changes errno; everything may be called from a signal handler, and
 * no descriptor stays open. What is written lies in shared mappings: it is there after the process
 * is killed at any instant.
 *
 *   log    `struct el_log`, one a process, zeroed static storage of the caller
 *   slot   where one thread appends events: el_slot_acquire when it starts, el_slot_release when
 *          it ends. A slot is used by one thread at a time (and by its signal handlers).
 *   cell   a record of fixed size that its owner updates in place: el_alloc_actor, el_free_actor
 *
 * Recording stops for good, and says why in the summary cell, when the disk is full, a limit is
 * reached or the directory is gone. From then on events and cells are counted as lost; cells that
 * exist stay writable.
 *
 * A signal handler that jumps out of its thread's record in the making (siglongjmp) leaves the slot
 * mute: what its thread writes from then on is counted as lost.
 *
 * The fields of the structs here are the writer's own, but for those said to be readable.
 */
#ifndef EVENTLOG_WRITER_H
#define EVENTLOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#if defined(__x86_64__) || defined(__i386__)
#include <x86intrin.h>
#endif

#include "eventlog/events.h"
#include "eventlog/packet.h"

#define EL_MAX_BYTES_PRESET (UINT64_C(256) << 20)
#define EL_PATH_MOST        4096
#define EL_SLOTS_MOST       16384
#define EL_CHUNKS_MOST      256 /* of cells, for each type */
#define EL_STRIPES          16  /* free lists, for each type of cell */
#define EL_CELL_IDS         24  /* ids 64 and up are cells */

/* The TSC beside CLOCK_MONOTONIC. */
struct el_tsc_reading {
    uint64_t ticks, ns; /* 0: the TSC is no clock */
};

struct el_options {
    const char *root;   /* the directory that holds the records of processes; made if missing */
    uint64_t max_bytes; /* of disk for this process; 0: EL_MAX_BYTES_PRESET */
    uint64_t rough_hz;  /* ticks a second of the TSC, as a launcher measured it in a hurry; 0: find
                           out */
    struct el_tsc_reading since; /* when it began: what has passed since tells it better */
};

enum el_clock { EL_CLOCK_MONOTONIC, EL_CLOCK_TSC, EL_CLOCK_CNTVCT };

struct el_log;

/* One thread's stream of events. */
struct el_slot {
    struct el_log *log;
    struct el_packet *packet;
    char *next;             /* where the next record goes */
    char *limit;            /* and where the last one ends */
    uint64_t last;          /* time of the last record: times never go back in a stream */
    uint64_t lost;          /* events of this stream */
    char *window;           /* the part of the file that is mapped */
    uint64_t file_bytes;    /* up to the end of the window */
    uint32_t window_bytes;  /* 0 until the file was made */
    volatile uint32_t busy; /* a record is being written: who comes in between is a handler */
    uint32_t tid;           /* readable: kernel's thread id of its owner */
    uint32_t number;        /* readable: events-<number> */
    uint32_t link;          /* in the list of free slots */
} __attribute__((aligned(64)));

/* A mapped packet of cells. */
struct el_chunk {
    struct el_packet *packet; /* NULL until it can be used */
    uint32_t *links;          /* of the free lists, by cell */
    uint32_t cells;
    uint32_t handed; /* may exceed cells */
    uint64_t bytes;
} __attribute__((aligned(64)));

/* All cells of one type. */
struct el_pool {
    uint32_t claimed; /* chunks begun */
    uint32_t current; /* chunk that new cells come from */
    uint64_t total;   /* cells in all chunks */
    uint32_t filled;  /* stripes that may have a free cell, a bit each: a hint */
} __attribute__((aligned(64)));

/* A list of cells that were freed. */
struct el_free {
    uint64_t head; /* count of changes << 32 | reference of a cell */
} __attribute__((aligned(64)));

struct el_log {
    /* Read by every event. */
    uint32_t open;              /* readable */
    uint32_t stop;              /* readable: el_stop_reason */
    int32_t stop_error;         /* readable: errno of it, or 0 */
    uint32_t clock;             /* readable: el_clock */
    uint64_t clock_base;        /* of the clock, when the record began */
    uint64_t clock_hz;          /* readable: ticks a second */
    struct el_summary *summary; /* readable: the summary cell; never NULL once the log was opened */
    struct el_slot *slots;      /* EL_SLOTS_MOST of them */
    /* Rarely written. */
    uint64_t max_bytes, used_bytes __attribute__((aligned(64)));
    uint64_t free_slots; /* count of changes << 32 | slot + 1 */
    uint32_t made_slots;
    uint32_t page;
    int32_t kept_dir; /* a descriptor plus one, or 0: see el_log_chown */
    uint64_t kept_id[2];
    uint8_t uuid[16];
    /* The chunks that share the first file, and all their links: see cells.c. */
    struct el_packet *first;
    uint32_t *first_links;
    uint32_t first_bytes, first_cells;
    struct el_summary no_summary; /* stands in where there is no directory */
    /* Each by type, from 64 on. What every process touches lies together: each page is a fault. */
    struct el_pool pools[EL_CELL_IDS];
    char dir[EL_PATH_MOST]; /* readable: absolute path of the process's directory, "" without one */
    struct el_chunk chunks[EL_CHUNKS_MOST][EL_CELL_IDS];
    struct el_free free[EL_CELL_IDS][EL_STRIPES];
};

/* ---- the log ---- */

/* Makes <root>/<pid>.<n>/ and the summary cell. Returns 0 or a negative errno; after an error the
 * log is open but stopped: every call works and counts what is lost. Not thread-safe. */
int el_log_open(struct el_log *log, const struct el_options *options);

/* The record is complete: state and heartbeat of the summary. Others may still write. */
void el_log_end(struct el_log *log);

/* Stops recording, once; `error` is 0 or a negative errno; EL_STOP_NONE stops nothing. Makes no
 * system call where the clock is the TSC. */
void el_stop(struct el_log *log, enum el_stop_reason reason, int error);

/* For a fork's child: unmaps everything, writes nothing, and leaves `log` as if it was never
 * opened. No other thread may use the log. */
void el_log_forget(struct el_log *log);

/* Gives directory and files to another user, before the process gives up the right to reach them
 * (setuid); a gid of -1 leaves the group. A descriptor of the directory is kept from then on, as
 * high as can be: the new user may have no right to walk the path. Returns 0 or a negative errno.
 */
int el_log_chown(struct el_log *log, uint32_t uid, uint32_t gid);

static inline bool el_is_stopped(const struct el_log *log)
{
    return __atomic_load_n(&log->stop, __ATOMIC_RELAXED) != EL_STOP_NONE;
}

/* How full the log is, in sixteenths of its bound. */
static inline unsigned el_fill(const struct el_log *log)
{
    return (unsigned)(__atomic_load_n(&log->used_bytes, __ATOMIC_RELAXED) / (log->max_bytes / 16));
}

/* ---- the clock ---- */

uint64_t el_now_monotonic(const struct el_log *log);

/* Ticks since the record began. */
static inline uint64_t el_now(const struct el_log *log)
{
#if defined(__x86_64__) || defined(__i386__)
    if (__builtin_expect(log->clock == EL_CLOCK_TSC, 1))
        return __rdtsc() - log->clock_base;
#elif defined(__aarch64__)
    if (__builtin_expect(log->clock == EL_CLOCK_CNTVCT, 1)) {
        uint64_t ticks;
        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks - log->clock_base;
    }
#endif
    return el_now_monotonic(log);
}

/* The clocks, read together as closely as can be: for `process` and `clock_sync`. */
struct el_clocks {
    uint64_t at;           /* el_now */
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC then */
    uint64_t realtime_ns;  /* CLOCK_REALTIME then */
};
void el_read_clocks(const struct el_log *log, struct el_clocks *out);

/* Ticks and nanoseconds; good for durations up to years. */
uint64_t el_ticks_to_ns(const struct el_log *log, uint64_t ticks);
uint64_t el_ns_to_ticks(const struct el_log *log, uint64_t ns);

/* Ticks a second of the TSC, measured over `span_ns` (0.4 ms: right to some 8 ppm); 0 where the TSC
 * is no clock or there is none. */
uint64_t el_tsc_measure_hz(uint64_t span_ns);

/* The same in two steps, for who has something to do in between: the second waits for what is left
 * of the span. */
struct el_tsc_reading el_tsc_begin(void);
uint64_t el_tsc_end_hz(struct el_tsc_reading begun, uint64_t span_ns);

/* ---- events ---- */

/* A free slot, for the thread with that id; NULL when there is none, or recording stopped: the
 * caller counts in summary->lost_late what it cannot write. */
struct el_slot *el_slot_acquire(struct el_log *log, uint32_t tid);
void el_slot_release(struct el_slot *slot);

/* Cold sides of el_reserve. */
void *el_slot_drop(struct el_slot *slot);
bool el_slot_turn(struct el_slot *slot, size_t bytes);

/* Room for the `bytes` of a record of that id and time, to be filled and then committed with the
 * same `bytes`. NULL when it is lost, which is counted: full, stopped, or a handler that came in
 * while its thread was writing. */
static inline void *el_reserve(struct el_slot *slot, enum el_id id, uint64_t time, size_t bytes)
{
    if (__builtin_expect(slot->busy | slot->log->stop, 0))
        return el_slot_drop(slot);
    slot->busy = 1;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect((size_t)(slot->limit - slot->next) < sizeof(uint64_t) + bytes, 0) &&
        !el_slot_turn(slot, bytes))
        return NULL;
    if (__builtin_expect(time < slot->last, 0))
        time = slot->last;
    slot->last = time;
    *(uint64_t *)slot->next = EL_WORD((uint64_t)id, time);
    return slot->next + sizeof(uint64_t);
}

static inline void el_commit(struct el_slot *slot, size_t bytes)
{
    char *end = slot->next + sizeof(uint64_t) + bytes;
    slot->next = slot->next + sizeof(uint64_t) + EL_ROUND8(bytes);
    /* The record's bytes before the size that makes them part of the packet. */
    __atomic_store_n(&slot->packet->content_bits, (uint64_t)(end - (char *)slot->packet) * 8,
                     __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    slot->busy = 0;
}

/* A record that ends in a text or a sequence, from its struct: `fixed` bytes, then the tail. */
bool el_write_text(struct el_slot *slot, enum el_id id, uint64_t time, const void *fields,
                   size_t fixed, const char *text);
bool el_write_sequence(struct el_slot *slot, enum el_id id, uint64_t time, const void *fields,
                       size_t fixed, const uint64_t *items, uint64_t count);

/*
 * bool el_write_<name>_at(slot, time, &event)   and   el_write_<name>(slot, &event), at el_now:
 * append one event; false when it was lost (and counted). The slot must not be NULL.
 */
#define EL_EVENT(name, id, class, text, fields) EL_WRITE_##class(name, fields)
#define EL_WRITE_CELL(name, fields)
#define EL_WRITE_EVENT(name, fields)                                                               \
    static inline bool el_write_##name##_at(struct el_slot *slot, uint64_t time,                   \
                                            const struct el_##name *event)                         \
    {                                                                                              \
        const enum el_id id = EL_ID_##name;                                                        \
        const size_t fixed = EL_FIXED_##name;                                                      \
        fields void *to = el_reserve(slot, id, time, fixed);                                       \
        if (to == NULL)                                                                            \
            return false;                                                                          \
        __builtin_memcpy(to, event, fixed);                                                        \
        el_commit(slot, fixed);                                                                    \
        return true;                                                                               \
    }                                                                                              \
    static inline bool el_write_##name(struct el_slot *slot, const struct el_##name *event)        \
    {                                                                                              \
        return el_write_##name##_at(slot, el_now(slot->log), event);                               \
    }
#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t) return el_write_text(slot, id, time, event, fixed, event->n);
#define EL_SEQ64(n, t)                                                                             \
    return el_write_sequence(slot, id, time, event, fixed, event->n, event->n##_count);
#include "eventlog/events.def"

/* ---- cells ---- */

void *el_cell_alloc(struct el_log *log, enum el_id id, size_t bytes);
void el_cell_free(struct el_log *log, enum el_id id, size_t bytes, void *cell);

/*
 * struct el_<name> *el_alloc_<name>(log): a zeroed cell, thus one in state EL_FREE; NULL when there
 * is no room, which is counted. Fill it, its state last, by el_set_state: a reader who finds the
 * process dead in between then sees a free cell.
 * el_free_<name>(log, cell): sets the state to EL_FREE and takes the cell back. NULL is allowed.
 * Any thread may do either.
 */
#define EL_EVENT(name, id, class, text, fields) EL_CELL_##class(name)
#define EL_CELL_EVENT(name)
#define EL_CELL_CELL(name)                                                                         \
    _Static_assert(offsetof(struct el_##name, state) == 0, #name ": the state comes first");       \
    static inline struct el_##name *el_alloc_##name(struct el_log *log)                            \
    {                                                                                              \
        return el_cell_alloc(log, EL_ID_##name, sizeof(struct el_##name));                         \
    }                                                                                              \
    static inline void el_free_##name(struct el_log *log, struct el_##name *cell)                  \
    {                                                                                              \
        el_cell_free(log, EL_ID_##name, sizeof(struct el_##name), cell);                           \
    }
#define EL_U32(n, t)
#define EL_I32(n, t)
#define EL_U64(n, t)
#define EL_I64(n, t)
#define EL_ARR32(n, c, t)
#define EL_ARR64(n, c, t)
#define EL_STR(n, t)
#define EL_SEQ64(n, t)
#include "eventlog/events.def"

/* Stores a cell's state after all that was stored before it. */
static inline void el_set_state(uint32_t *state, uint32_t value)
{
    __atomic_store_n(state, value, __ATOMIC_RELEASE);
}

/* Adds to a counter of the summary, from any thread. */
static inline void el_count(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

#endif
