/*
 * See reclaim.h.
 *
 * Design notes
 *
 * Reader:      inside = odd;  barrier;  load the pointer, use it;  inside = even (release).
 * Reclaimer:   store another pointer;  barrier;  look at each `inside`.
 *
 * One of the two barriers must take effect: either the reclaimer sees `inside` odd, or the reader
 * loads the other pointer. Readers are frequent and reclaimers rare, so the reader's is a compiler
 * barrier only, and the reclaimer asks the kernel for one on every thread (membarrier).
 */
#include "runtime/sync/reclaim.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/sched/lock.h"

enum { SPINS_BEFORE_YIELD = 100 };

__thread struct weft__reader *weft__reader __attribute__((tls_model("initial-exec")));
bool weft__asymmetric;

static struct weft__reader *readers;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;

static void thread_ends(void *arg)
{
    struct weft__reader *r = arg;
    weft__reader = NULL;
    __atomic_store_n(&r->taken, 0, __ATOMIC_RELEASE);
}

/* The other threads do not exist here, whatever they were about. */
static void in_child(void)
{
    struct weft__reader *r = __atomic_load_n(&readers, __ATOMIC_ACQUIRE);
    for (; r; r = r->next) {
        if (r == weft__reader)
            continue;
        __atomic_store_n(&r->inside, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&r->taken, 0, __ATOMIC_RELAXED);
    }
}

static void prepare(void)
{
    pthread_key_create(&at_exit, thread_ends);
    pthread_atfork(NULL, NULL, in_child);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0)
        __atomic_store_n(&weft__asymmetric, true, __ATOMIC_RELEASE);
}

bool weft__barrier_everywhere(void)
{
    pthread_once(&once, prepare);
    if (!weft__asymmetric)
        return false;
    return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

static struct weft__reader *adopt(void)
{
    struct weft__reader *r = __atomic_load_n(&readers, __ATOMIC_ACQUIRE);
    for (; r; r = r->next) {
        uint32_t no = 0;
        if (__atomic_compare_exchange_n(&r->taken, &no, 1, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return r;
    }
    r = aligned_alloc(64, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct weft__reader){.taken = 1};
    r->next = __atomic_load_n(&readers, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&readers, &r->next, r, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
    }
    return r;
}

struct weft__reader *weft__reader_new(void)
{
    pthread_once(&once, prepare);
    struct weft__reader *r = adopt();
    if (!r)
        return NULL;
    weft__reader = r;
    pthread_setspecific(at_exit, r);
    weft__full_barrier(); /* a reclaimer that did not see it here has made its change before */
    return r;
}

static bool is_over(const struct weft__reader *r, bool wait)
{
    uint64_t inside = __atomic_load_n(&r->inside, __ATOMIC_ACQUIRE);
    for (int i = 0; inside % 2 == 1; i++) {
        if (__atomic_load_n(&r->inside, __ATOMIC_ACQUIRE) != inside)
            break;
        if (i < SPINS_BEFORE_YIELD)
            weft__relax();
        else if (wait)
            sched_yield();
        else
            return false;
    }
    return true;
}

bool weft__reclaim_passed(bool wait)
{
    weft__full_barrier();
    struct weft__reader *first = __atomic_load_n(&readers, __ATOMIC_SEQ_CST);
    bool alone = true;
    for (struct weft__reader *r = first; r; r = r->next)
        alone &= r == weft__reader || !__atomic_load_n(&r->taken, __ATOMIC_ACQUIRE);
    if (alone)
        return true;
    if (weft__asymmetric)
        weft__barrier_everywhere();
    for (struct weft__reader *r = first; r; r = r->next) {
        if (r != weft__reader && !is_over(r, wait))
            return false;
    }
    return true;
}
