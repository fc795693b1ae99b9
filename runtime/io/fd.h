/* The table of descriptors, for netpoll.c and use.c. */
#ifndef WEFT_IO_FD_H
#define WEFT_IO_FD_H

#include <stdalign.h>

#include "runtime/io/netpoll.h"

struct poll_waiter;

struct weft__fd {
    alignas(64) uint32_t lock;
    uint32_t word;
    uint64_t users; /* see use.h */
    struct poll_waiter *waiters;
    int64_t deadline[2]; /* INT64_MAX: none */
    struct weft__fd *next_check;
    uint32_t epoch; /* of the run whose epoll has it edge-triggered; 0: none */
    uint32_t round; /* of checks, when the last wait began */
    int fd;
    bool listed;
};

/* Made if need be. NULL: no memory, or no number that a descriptor can have. */
struct weft__fd *weft__fd_get(int fd);

/* For each there is. */
void weft__fd_each(void (*fn)(struct weft__fd *state));

/* Changes bits of the word and moves its number on. */
void weft__fd_move(struct weft__fd *state, uint32_t clear, uint32_t set);

#endif
