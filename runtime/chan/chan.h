/* The inside of a channel, for select and timers. */
#ifndef WEFT_CHAN_CHAN_H
#define WEFT_CHAN_CHAN_H

#include "runtime/chan/waitq.h"

struct weft_chan {
    uint32_t lock; /* of all below but refs */
    uint32_t refs;
    size_t size, capacity;
    size_t count, first; /* elements inside; the oldest one's place */
    bool closed;
    uint8_t kind; /* enum loiter_object, as which it is announced; OTHER: not at all */
    struct weft_waitq receivers, senders;
    alignas(16) unsigned char buffer[];
};

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

/* Whether that step would do anything, seen without the lock. */
bool weft__chan_send_hint(const struct weft_chan *c);
bool weft__chan_recv_hint(const struct weft_chan *c);

/* With what it is announced as: a channel of the program, or a context. Those of timers are not:
 * that their maker ended and nobody else touched them says nothing, as time does. */
struct weft_chan *weft__chan_new(size_t size, size_t capacity, enum loiter_object kind,
                                 const void *caller);
void weft__chan_close(struct weft_chan *c, const void *caller);

#endif
