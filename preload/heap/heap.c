/* heap.c - see heap.h: samples, their sites, their ends. */
#include "preload/heap/heap.h"

#include <errno.h>

#include "preload/core/actor.h"
#include "preload/core/arena.h"
#include "preload/core/clock.h"
#include "preload/core/options.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/site.h"
#include "preload/core/stack.h"
#include "preload/core/sys.h"
#include "preload/heap/allocator.h"
#include "preload/heap/blocks.h"
#include "preload/heap/capture.h"
#include "preload/heap/sample.h"
#include "preload/heap/scan.h"
#include "preload/heap/sites.h"

/* Not recording, or nothing is looked at: the counts are added up this often. */
#define UNWATCHED_BYTES (UINT64_C(16) << 20)
/* Not recording yet: looked at again this soon. */
#define EARLY_BYTES 4096u

static int settled; /* it is known whether there is a record */

__thread struct pl_heap_thread pl_heap_thread __attribute__((tls_model("initial-exec")));

void pl_heap_flush(void)
{
    struct pl_heap_thread *t = &pl_heap_thread;
    uint64_t calls = t->calls, bytes = t->bytes + t->drawn - t->left;
    if (calls == 0)
        return;
    t->calls = t->bytes = 0;
    t->drawn = t->left;
    struct pl_site *site = pl_site_get(EL_SITE_ALLOC, 0, 0);
    if (site == NULL)
        return;
    el_count(&site->cell->count, calls);
    el_count(&site->cell->bytes, bytes);
}

/* The distance to the next sample, and what was left of the last one is counted. */
static void distance_set(struct pl_heap_thread *t, uint64_t distance)
{
    t->bytes += t->drawn - t->left;
    t->drawn = t->left = distance;
}

void pl_heap_start(void)
{
    settled = 1;
    if (pl_options.heap != PL_HEAP_OFF &&
        (pl_heap_sites_init() != 0 || pl_blocks_init(pl_options.heap == PL_HEAP_FULL) != 0))
        pl_options.heap = PL_HEAP_OFF;
    if (pl_options.heap == PL_HEAP_OFF)
        pl_heap_rest();
    /* What the thread had before does not put off its first look, nor does it bring it on. */
    distance_set(&pl_heap_thread, 0);
    pl_heap_thread.random = 0;
}

void pl_heap_silent(void)
{
    settled = 1;
    if (pl_options.heap == PL_HEAP_OFF)
        pl_heap_rest();
    distance_set(&pl_heap_thread, 0);
}

void pl_heap_rest(void)
{
    settled = 1;
    pl_starts.off = 1;
}

/* Whether this block is a sample. It may have the first bytes that the thread ever asked for: then
 * the first distance is drawn only now. */
static int chosen(struct pl_heap_thread *t, uint64_t size)
{
    if (pl_options.heap == PL_HEAP_FULL) {
        distance_set(t, 0);
        return 1;
    }
    if (pl_options.heap == PL_HEAP_OFF) {
        distance_set(t, UNWATCHED_BYTES);
        return 0;
    }
    int first = t->random == 0;
    if (first)
        t->random = (pl_now() ^ (uintptr_t)t ^ (uint64_t)pl_sys_tid() << 32) | 1;
    distance_set(t, pl_sample_distance(&t->random, pl_options.heap_period));
    if (!first)
        return 1;
    if (size >= t->left) {
        distance_set(t, pl_sample_distance(&t->random, pl_options.heap_period));
        return 1;
    }
    return 0;
}

static void sample(struct pl_self *self, uintptr_t address, uint64_t size, struct pl_call call)
{
    size = size != 0 ? size : 1; /* what an empty block takes at least, and as others count it */
    struct pl_block block = {.size = size, .at = pl_now(), .stack = pl_stack(self, call)};
    struct el_heap_site *site = pl_heap_site(block.stack);
    if (site == NULL || pl_blocks_add(address, &block) != 0) {
        el_count(&pl_log.summary->lost_cells, 1);
        return;
    }
    pl_heap_site_born(site, size, address, block.at);
    if (!pl_heap_thread.enlarges) /* who knows whether it was copied */
        pl_heap_site_step(site, size, address);
    pl_allocator_tick(self, block.at);
}

void *pl_heap_got(void *got, uint64_t size, struct pl_call call)
{
    struct pl_heap_thread *t = &pl_heap_thread;
    /* Whose block is noted, or who has a distance, asks no more whether free is known, nor whether
     * blocks are looked at. */
    if (pl_starts.off ||
        atomic_load_explicit(&pl_resolve_state, memory_order_acquire) != PL_RESOLVED)
        return got;
    pl_heap_note(got);
    t->calls++;
    t->bytes += got != NULL ? size : 0;
    /* No record begins for a block that is no sample. */
    const int due = pl_is_silent();
    if (due && t->random == 0 && !chosen(t, size))
        return got;
    struct pl_self *self = pl_enter_here();
    if (self == NULL) {
        distance_set(t, pl_is_on() ? t->left : settled ? UNWATCHED_BYTES : EARLY_BYTES);
        return got;
    }
    int error = errno;
    if ((chosen(t, size) | due) != 0 && got != NULL)
        sample(self, (uintptr_t)got, size, call);
    if (t->calls >= PL_HEAP_FLUSH_CALLS || pl_options.heap != PL_HEAP_FULL)
        pl_heap_flush();
    errno = error;
    pl_leave(self);
    return got;
}

void pl_heap_gone(void *address)
{
    struct pl_block block;
    uint8_t *byte = pl_starts_byte((uintptr_t)address);
    if (byte == NULL)
        return;
    if (!pl_is_on()) {
        *byte = 0;
        return;
    }
    /* Not pl_enter: a thread that is over as far as the record goes frees its blocks all the same.
     */
    struct pl_self *self = &pl_self_block;
    self->guard++;
    atomic_signal_fence(memory_order_seq_cst);
    pl_capture_freed((uintptr_t)address);
    if (pl_blocks_take((uintptr_t)address, &block)) {
        struct el_heap_site *site = pl_heap_site(block.stack);
        if (site != NULL)
            pl_heap_site_died(site, &block, (uintptr_t)address, pl_now());
    }
    pl_leave(self);
}

/* Of its own frame up, the stack is the program's. */
static __attribute__((noinline)) void look(struct pl_self *self, enum pl_scan_when when)
{
    int error = errno;
    pl_heap_scan(self, (uintptr_t)__builtin_frame_address(0), when);
    pl_allocator_write(self);
    errno = error;
}

void pl_heap_end(struct pl_self *self)
{
    look(self, PL_SCAN_AT_END);
}

/* Unlike at the end, the program's pointers may be in registers: this frame has them all. */
__attribute__((noinline)) void pl_heap_mark(struct pl_self *self)
{
    __builtin_unwind_init();
    look(self, PL_SCAN_AT_MARK);
    __asm__ volatile("" ::: "memory"); /* no jump in place of the call */
}
