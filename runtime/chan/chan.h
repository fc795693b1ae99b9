/* The inside of a channel, for select and timers. */
#ifndef WEFT_CHAN_CHAN_H
#define WEFT_CHAN_CHAN_H

#include "runtime/chan/waitq.h"
#include "runtime/sched/solo.h"

struct weft_chan {
    alignas(8) uint32_t lock; /* of all below but refs */
    uint32_t version;
    size_t count; /* elements inside */
    size_t capacity, size;
    struct weft_waitq receivers, senders;
    size_t first; /* the oldest element's place */
    const void *closed_at;
    uint32_t refs;
    uint8_t closed;
    uint8_t kind;  /* enum loiter_object, as which it is announced; OTHER: not at all */
    bool of_after; /* of weft_after: once the program lets go of it, its timer fires for nobody */
    alignas(16) unsigned char buffer[];
};

/* Each time the lock is taken the version changes. What is written under it and read without is
 * stored with release order: who reads that sees the version as well, and if that did not change
 * and nobody held the lock, several channels were seen as they were at one moment. */
static inline void weft__chan_locked(struct weft_chan *c)
{
    __atomic_store_n(&c->version, c->version + 1, __ATOMIC_RELEASE);
}

/* Both in one load: the version above, the lock below. */
static inline uint64_t weft__chan_stamp(const struct weft_chan *c)
{
#ifdef WEFT_MODEL_EXPLORE_H /* its memory has no halves of words */
    uint32_t version = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
    return (uint64_t)version << 32 | __atomic_load_n(&c->lock, __ATOMIC_ACQUIRE);
#else
    return __atomic_load_n((const uint64_t *)(const void *)c, __ATOMIC_ACQUIRE);
#endif
}

static inline bool weft__chan_try_lock(struct weft_chan *c)
{
    if (!weft__solo_try_lock(&c->lock))
        return false;
    weft__chan_locked(c);
    return true;
}

/* Calls nothing; false: weft__chan_lock has to be called. */
static inline bool weft__chan_try_quickly(struct weft_chan *c)
{
    if (!weft__solo_try_quickly(&c->lock))
        return false;
    weft__chan_locked(c);
    return true;
}

static inline void weft__chan_lock(struct weft_chan *c)
{
    weft__solo_lock(&c->lock);
    weft__chan_locked(c);
}

/* What one side did. */
enum weft__step {
    WEFT__MUST_WAIT = 0,
    WEFT__DONE,   /* a value went over */
    WEFT__CLOSED, /* received from a closed and empty channel; or sent on a closed one */
};

/* A send or receive as far as it can go without waiting, with the lock held. *wake is then the task
 * to be made ready once the lock is given up, or NULL. */
enum weft__step weft__chan_send_step(struct weft_chan *c, const void *value,
                                     struct weft_task **wake);
enum weft__step weft__chan_recv_step(struct weft_chan *c, void *value, struct weft_task **wake);

/* Whether that step would do anything, seen without the lock. False is right at some moment of the
 * call: a channel stays closed, and the other two do not both matter. True may come from a waiter
 * that is one no more. */
static inline bool weft__chan_send_hint(const struct weft_chan *c)
{
    return (__atomic_load_n(&c->count, __ATOMIC_ACQUIRE) < c->capacity) |
           (__atomic_load_n(&c->receivers.head, __ATOMIC_ACQUIRE) != NULL) |
           __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE);
}

static inline bool weft__chan_recv_hint(const struct weft_chan *c)
{
    return (__atomic_load_n(&c->count, __ATOMIC_ACQUIRE) |
            (uintptr_t)__atomic_load_n(&c->senders.head, __ATOMIC_ACQUIRE) |
            __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE)) != 0;
}

/* With what it is announced as: a channel of the program, or a context. Those of timers are not:
 * that their maker ended and nobody else touched them says nothing, as time does. */
struct weft_chan *weft__chan_new(size_t size, size_t capacity, enum loiter_object kind,
                                 const void *caller);

/* The same in memory of the caller from malloc, of sizeof *c and the buffer; announces nothing. The
 * last release frees it. */
void weft__chan_init(struct weft_chan *c, size_t size, size_t capacity, enum loiter_object kind);

/* Its timer, as it is announced: behind it in the same memory. */
enum { WEFT__TIMED_CHAN_BYTES = (sizeof(struct weft_chan) + sizeof(int64_t) + 15) / 16 * 16 };

/* Drops what is inside: true if there was anything. Nobody may wait to send. */
bool weft__chan_drain(struct weft_chan *c);

/* For the runtime's own functions on behalf of their caller. */
void weft__chan_close(struct weft_chan *c, const void *caller);
int weft__chan_recv(struct weft_chan *c, void *value, const void *caller);
int weft__select(struct weft_case *cases, unsigned n, int64_t timeout_ns, const void *caller);

/* Ends the program. */
_Noreturn void weft__chan_sent_on_closed(struct weft_chan *c, const void *caller);

#endif
