/*
 * record.c - see record.h; and the constructor.
 *
 * A fork child begins a record of its own, as late as can be: most of them only replace themselves
 * or end, and a record is files. Until then pl_log is still the parent's, and only what the child
 * does to begin or to be replaced is counted there. So does a program that is not the one that the
 * launcher started, and says in a line that it was there.
 * Whatever fails here leaves the stage at PL_BOOTSTRAP: the library passes every call through.
 */
#include "preload/core/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "eventlog/silent.h"
#include "preload/core/actor.h"
#include "preload/core/cfi.h"
#include "preload/core/channel.h"
#include "preload/core/children.h"
#include "preload/core/clock.h"
#include "preload/core/context.h"
#include "preload/core/descriptor.h"
#include "preload/core/group.h"
#include "preload/core/modules.h"
#include "preload/core/note.h"
#include "preload/core/object.h"
#include "preload/core/options.h"
#include "preload/core/outcome.h"
#include "preload/core/passing.h"
#include "preload/core/race.h"
#include "preload/core/real.h"
#include "preload/core/spawner.h"
#include "preload/core/spin.h"
#include "preload/core/spread.h"
#include "preload/core/stack_table.h"
#include "preload/core/sys.h"
#include "preload/core/thread.h"
#include "preload/core/timer_brief.h"
#include "preload/core/timer_cell.h"
#include "preload/core/window.h"
#include "preload/core/word.h"
#include "preload/core/young.h"
#include "preload/heap/capture.h"
#include "preload/heap/heap.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define MAIN_STACK_MOST ((uintptr_t)64 << 20)
/* What a record may begin on: some pages for names and for what a signal leaves there. */
#define WAKE_STACK ((size_t)48 << 10)

struct pl_gate pl_gate;
PL_LARGE struct el_log pl_log;
uint32_t pl_epoch = 1;
uint64_t pl_long_wait_ticks;
_Atomic uint64_t pl_coarse;

static int record_pid;    /* who the record belongs to */
static enum el_cause due; /* why a record begins that has not */
static int told_by_parent;
static _Atomic uint32_t exit_written;
static uintptr_t main_lo, main_hi;

extern void *__libc_stack_end;

int pl_record_is_mine(void)
{
    return record_pid == pl_sys_pid();
}

/* What happens after the end was announced is not missed: the cells tell how things stand. */
void pl_record_lost(void)
{
    if (atomic_load_explicit(&exit_written, memory_order_relaxed) == 0)
        el_count(&pl_log.summary->lost_late, 1);
}

/* The main thread's stack: it may grow down to its limit. */
static void main_stack_find(void)
{
    struct rlimit limit = {0, 0};
    main_hi = ((uintptr_t)__libc_stack_end + 4096) & ~(uintptr_t)4095;
    pl_sys6(SYS_prlimit64, 0, RLIMIT_STACK, 0, (long)&limit, 0, 0);
    uintptr_t size = limit.rlim_cur > MAIN_STACK_MOST ? MAIN_STACK_MOST : (uintptr_t)limit.rlim_cur;
    main_lo = main_hi - size;
}

static void command_read(char *text, size_t size)
{
    long n = 0;
    long fd =
        pl_sys6(SYS_openat, AT_FDCWD, (long)"/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0, 0, 0);
    if (fd >= 0) {
        n = pl_sys6(SYS_read, fd, (long)text, (long)size - 1, 0, 0, 0);
        pl_sys6(SYS_close, fd, 0, 0, 0, 0, 0);
    }
    n = n < 0 ? 0 : n;
    text[n] = 0;
    while (n > 0 && text[n - 1] == 0)
        n--;
    for (long i = 0; i < n; i++)
        text[i] = text[i] == 0 ? ' ' : text[i];
}

static void process_write(struct el_slot *slot, enum el_cause cause)
{
    char command[4096];
    uint64_t mask[128] = {0};
    struct el_clocks clocks;
    struct el_process event = {.pid = (uint32_t)record_pid, .cause = cause};
    long bytes = pl_sys6(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask, 0, 0, 0);
    for (long i = 0; i < bytes / 8; i++)
        event.cpus += (uint32_t)__builtin_popcountll(mask[i]);
    command_read(command, sizeof(command));
    el_read_clocks(&pl_log, &clocks);
    event.ppid = (uint32_t)pl_sys6(SYS_getppid, 0, 0, 0, 0, 0, 0);
    event.realtime_ns = clocks.realtime_ns;
    event.monotonic_ns = clocks.monotonic_ns;
    event.at = clocks.at;
    event.main_lo = main_lo;
    event.main_hi = main_hi;
    event.command = command;
    el_write_process(slot, &event);
}

static void option_write(const char *name, uint64_t value, void *ctx)
{
    char text[64], digits[24];
    size_t n = strlen(name), d = 0;
    struct el_option event = {.text = text};
    memcpy(text, name, n);
    text[n++] = '=';
    do
        digits[d++] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    while (d > 0)
        text[n++] = digits[--d];
    text[n] = 0;
    el_write_option(ctx, &event);
}

/* Also where no record follows, as in a fork child that cannot write one: the wrappers look in some
 * tables before they ask whether anything is recorded, and must find none of the parent's. */
static void tables_reset(int no_memory)
{
    pl_arena_reset(no_memory);
    atomic_store_explicit(&pl_coarse, 0, memory_order_relaxed);
    pl_actors_reset();
    pl_young_reset();
    pl_passings_reset();
    pl_notes_reset();
    pl_threads_reset();
    pl_objects_reset();
    pl_timers_reset();
    pl_sites_reset();
    pl_outcomes_reset();
    pl_descriptors_reset();
    pl_spreads_reset();
    pl_groups_reset();
    pl_spins_reset();
    pl_words_reset();
    pl_children_reset();
    pl_modules_reset();
    pl_captures_reset();
}

static int wanted(enum el_cause cause)
{
    if (pl_options.dir[0] == 0)
        return 0;
    if (pl_options.follow)
        return 1;
    if (pl_options.root_pid != 0)
        return record_pid == pl_options.root_pid;
    return cause == EL_CAUSE_START;
}

static void begin(enum el_cause cause)
{
    tables_reset(0);
    struct pl_self *self = pl_self();
    self->guard++;
    struct el_options options = {.root = pl_options.dir,
                                 .max_bytes = pl_options.max_log_bytes,
                                 .rough_hz = pl_options.tsc_hz,
                                 .since = {pl_options.tsc_ticks, pl_options.tsc_ns}};
    pl_thread_reset(self);
    atomic_store(&exit_written, 0);
    /* A log that cannot be written is stopped from the start: nothing to do then. */
    if (el_log_open(&pl_log, &options) != 0 || pl_stack_table_init() != 0) {
        self->guard--;
        return;
    }
    pl_descriptors_limit_note();
    pl_clock_measure();
    pl_long_wait_ticks = pl_ticks_of_ns(pl_options.long_wait_us * 1000);
    pl_heap_start();
    pl_window_init();
    struct pl_actor *actor = pl_thread_actor();
    if (actor == NULL || pl_thread_begin(self, actor, 0) != 0) {
        self->guard--;
        return;
    }
    actor->cell->flags = EL_ACTOR_MAIN | EL_ACTOR_DETACHED;
    atomic_store(&actor->life, PL_LIFE_RELEASED);
    pl_thread_know(actor, pthread_self());
    struct el_slot *slot = pl_thread_slot(self);
    if (slot != NULL) {
        process_write(slot, cause);
        pl_options_each(option_write, slot);
    }
    pl_modules_refresh(self);
    pl_descriptors_early(self);
    atomic_store_explicit(&pl_gate.stage, PL_READY, memory_order_release);
    pl_leave(self);
}

/* Most programs that a program starts do nothing to be recorded. Where each block's stack is wanted
 * the first block is something; and times that are counted from the record's begin count from the
 * program's. */
static int may_be_silent(void)
{
    return pl_options.root_pid != 0 && record_pid != pl_options.root_pid &&
           pl_options.heap != PL_HEAP_FULL && pl_options.delay_ms == 0 && pl_options.window_ms == 0;
}

static void silent_begin(enum el_cause cause)
{
    due = cause;
    tables_reset(1);
    atomic_store(&exit_written, 1);
    atomic_store(&pl_gate.stage, PL_SILENT);
}

void pl_record_start(enum el_cause cause)
{
    record_pid = pl_sys_pid();
    if (!wanted(cause)) {
        tables_reset(0);
    } else if (may_be_silent() && el_silent_note(pl_options.dir, EL_SILENT_BEGINS) == 0) {
        pl_heap_silent();
        silent_begin(cause);
    } else {
        begin(cause);
    }
}

static void log_forget(void)
{
    if (pl_log.summary != NULL)
        el_log_forget(&pl_log);
}

void pl_record_forget(void)
{
    atomic_store(&pl_gate.stage, PL_BOOTSTRAP);
    pl_epoch++;
    log_forget();
    pl_thread_reset(pl_self());
}

void pl_record_forked(int told)
{
    told_by_parent = told;
    pl_epoch++;
    pl_thread_reset(pl_self());
    record_pid = pl_sys_pid();
    if (wanted(EL_CAUSE_FORK)) {
        silent_begin(EL_CAUSE_FORK);
        return;
    }
    tables_reset(1);
    atomic_store(&exit_written, 1);
    log_forget();
}

int pl_record_becomes(int change)
{
    if (atomic_load(&pl_gate.stage) != PL_SILENT || !pl_record_is_mine())
        return 0;
    if (told_by_parent)
        el_count(&pl_log.summary->became, (uint64_t)(int64_t)change);
    if (due == EL_CAUSE_START)
        el_silent_note(pl_options.dir, change > 0 ? EL_SILENT_BECOMES : EL_SILENT_BEGINS);
    return 1;
}

/* A handler's own stack may be too small for what a record begins with. */
static int on_small_stack(void)
{
    stack_t stack = {.ss_flags = SS_DISABLE};
    pl_sys6(SYS_sigaltstack, 0, (long)&stack, 0, 0, 0, 0);
    return (stack.ss_flags & SS_ONSTACK) != 0 && stack.ss_size < WAKE_STACK;
}

int pl_record_wake(void)
{
    /* A vfork child is in our memory, and no record of its own may begin there. */
    if (pl_self()->guard != 0 || !pl_record_is_mine() || on_small_stack())
        return 0;
    const int error = errno;
    atomic_store(&pl_gate.stage, PL_BOOTSTRAP);
    if (told_by_parent)
        el_count(&pl_log.summary->born, 1);
    if (due == EL_CAUSE_START)
        el_silent_note(pl_options.dir, EL_SILENT_RECORDS);
    log_forget();
    begin(due);
    errno = error;
    return pl_is_on();
}

/* The process may end in a thread that has ended as far as the record goes: it borrows a slot. */
static void exit_write(struct pl_self *self, const struct el_exit *event)
{
    struct el_slot *slot = self->thread == NULL ? NULL : pl_thread_slot(self);
    if (slot != NULL)
        pl_heap_flush();
    else
        slot = el_slot_acquire(&pl_log, (uint32_t)pl_sys_tid());
    if (slot != NULL)
        el_write_exit(slot, event);
    else
        el_count(&pl_log.summary->lost_late, 1);
}

/* How things stand now is how they stand at the end. */
static void record_end(struct pl_self *self, enum el_exit_how how)
{
    if (how != EL_EXIT_ABORT) {
        pl_threads_at_end(self);
        pl_channels_at_end();
        pl_contexts_at_end();
        pl_races_at_end();
        pl_descriptors_at_end();
        pl_captures_at_end();
        pl_children_at_end();
        pl_passings_end();
        pl_young_show(0, EL_ACTOR_NEW);
    }
    if (self->thread != NULL)
        pl_notes_show(self, 1);
    el_log_end(&pl_log);
}

void pl_record_exit(enum el_exit_how how, int status)
{
    if (!pl_is_on() || !pl_record_is_mine())
        return;
    struct pl_self *self = pl_self();
    self->guard++;
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_exchange(&exit_written, 1) == 0) {
        pl_spawners_settle();
        pl_briefs_settle();
        pl_outcomes_settle();
        struct el_exit event = {.how = how, .status = status};
        if (self->running != NULL && self->thread != NULL)
            pl_follow(self);
        if (self->actor != NULL)
            event.actor = self->actor->id;
        exit_write(self, &event);
    }
    if (how != EL_EXIT_CALL)
        record_end(self, how);
    pl_leave(self);
}

/*
 * exit() was called, or main returned: the C library tells the status to this one only. Registered
 * before all others, it runs after them, and after every destructor.
 */
static void on_exit_status(int status, void *arg)
{
    (void)arg;
    pl_record_exit(EL_EXIT_CALL, status);
    if (!pl_is_on() || !pl_record_is_mine())
        return;
    struct pl_self *self = pl_self();
    self->guard++;
    if (self->thread != NULL)
        pl_heap_end(self);
    record_end(self, EL_EXIT_CALL);
    pl_leave(self);
}

static int record_can_begin(void)
{
    if (getauxval(AT_SECURE) != 0)
        return 0;
    pl_options_read();
    return pl_options.dir[0] != 0;
}

/* The library's tables take memory by the small page, as the rest of what it maps: where the kernel
 * gives huge pages to all, the first word of one would take 2 MiB in each process. */
static void tables_small_pages(void)
{
    extern char __bss_start[] PL_HIDDEN, _end[] PL_HIDDEN;
    const uintptr_t page = getauxval(AT_PAGESZ);
    const uintptr_t lo = ((uintptr_t)__bss_start + page - 1) & ~(page - 1);
    const uintptr_t hi = (uintptr_t)_end & ~(page - 1);
    if (page != 0 && lo < hi)
        pl_sys_small_pages((void *)lo, hi - lo); /* NOLINT: the linker's bounds */
}

/* This process is never recorded. */
static void rest(void)
{
    pl_heap_rest();
    pl_notes_rest();
}

__attribute__((constructor(101))) static void record_begin(void)
{
    tables_small_pages();
    pl_resolve_all();
    if (!record_can_begin()) {
        rest();
        return;
    }
    pl_sys6(SYS_madvise, (long)&pl_gate, sizeof(pl_gate), MADV_WIPEONFORK, 0, 0, 0);
    main_stack_find();
    struct pl_self *self = pl_self();
    self->stack_lo = main_lo;
    self->stack_hi = main_hi;
    pl_cfi_start();
    on_exit(on_exit_status, NULL);
    pl_record_start(EL_CAUSE_START);
    if (pl_is_deaf())
        rest();
}
