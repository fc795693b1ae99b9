/*
 * Memory that readers look at without a lock, and when it may be given back.
 *
 * A reader is inside a section between enter and leave; it writes nothing that others read often.
 * Who has made a piece of memory unreachable asks weft__reclaim_passed(): once it says yes, nobody
 * is inside a section that began before, and the memory may be freed.
 *
 * A section must not wait, switch tasks, or nest.
 */
#ifndef WEFT_SYNC_RECLAIM_H
#define WEFT_SYNC_RECLAIM_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one OS thread. Never freed, used again by a later thread. */
struct weft__reader {
    alignas(64) uint64_t inside; /* odd in a section; written by its thread alone */
    uint32_t taken;
    struct weft__reader *next;
};

extern __thread struct weft__reader *weft__reader __attribute__((tls_model("initial-exec")));

/* Set once it is known that the kernel can order all threads' memory accesses at the reclaimer's
 * request; else each section begins with a full barrier. */
extern bool weft__asymmetric;

static inline void weft__full_barrier(void)
{
#if defined(__x86_64__)
    __asm__ volatile("lock orl $0, (%%rsp)" ::: "memory", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("dmb ish" ::: "memory");
#else
    __sync_synchronize();
#endif
}

struct weft__reader *weft__reader_new(void);

/* Begins a section; NULL: no memory, and there is none. */
static inline struct weft__reader *weft__read_enter(void)
{
    struct weft__reader *r = weft__reader;
    if (__builtin_expect(!r, 0) && !(r = weft__reader_new()))
        return NULL;
    __atomic_store_n(&r->inside, r->inside + 1, __ATOMIC_RELAXED);
    if (__builtin_expect(!weft__asymmetric, 0))
        weft__full_barrier();
    __asm__ volatile("" ::: "memory");
    return r;
}

static inline void weft__read_leave(struct weft__reader *r)
{
    __atomic_store_n(&r->inside, r->inside + 1, __ATOMIC_RELEASE);
}

/* Orders the caller's accesses, and those of every thread of the process, before and after. False:
 * the kernel cannot. */
bool weft__barrier_everywhere(void);

/* Whether all sections that were open at the call are over. `wait`: returns only then. */
bool weft__reclaim_passed(bool wait);

#endif
