/* What is known of each descriptor, by its number, and the word that says most of it. */
#include "runtime/io/fd.h"

#include <stdlib.h>

enum { CHUNK = 256, CHUNKS = 4096 };

static struct weft__fd *chunks[CHUNKS];

struct weft__fd *weft__fd_find(int fd)
{
    unsigned n = (unsigned)fd / CHUNK;
    if (fd < 0 || n >= CHUNKS)
        return NULL;
    struct weft__fd *chunk = __atomic_load_n(&chunks[n], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[(unsigned)fd % CHUNK] : NULL;
}

/* Apart, so that what is there already is found without a frame. */
static __attribute__((noinline)) struct weft__fd *make(int fd)
{
    struct weft__fd *none = NULL;
    if (fd < 0 || (unsigned)fd / CHUNK >= CHUNKS)
        return NULL;
    struct weft__fd *chunk = aligned_alloc(alignof(struct weft__fd), CHUNK * sizeof *chunk);
    for (int i = 0; chunk && i < CHUNK; i++)
        chunk[i] =
            (struct weft__fd){.deadline = {INT64_MAX, INT64_MAX}, .fd = fd / CHUNK * CHUNK + i};
    if (chunk && !__atomic_compare_exchange_n(&chunks[(unsigned)fd / CHUNK], &none, chunk, false,
                                              __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        free(chunk);
    return weft__fd_find(fd);
}

struct weft__fd *weft__fd_get(int fd)
{
    struct weft__fd *state = weft__fd_find(fd);
    return __builtin_expect(state != NULL, 1) ? state : make(fd);
}

void weft__fd_each(void (*fn)(struct weft__fd *state))
{
    for (unsigned n = 0; n < CHUNKS; n++) {
        struct weft__fd *chunk = __atomic_load_n(&chunks[n], __ATOMIC_ACQUIRE);
        for (unsigned i = 0; chunk && i < CHUNK; i++)
            fn(&chunk[i]);
    }
}

uint32_t weft__fd_look(const struct weft__fd *state)
{
    return state ? __atomic_load_n(&state->word, __ATOMIC_ACQUIRE) : 0;
}

void weft__fd_move(struct weft__fd *state, uint32_t clear, uint32_t set)
{
    uint32_t word = __atomic_load_n(&state->word, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&state->word, &word,
                                        ((word & ~clear) | set) + WEFT__FD_EVENT, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        ;
}

static void change_from(struct weft__fd *state, uint32_t from, uint32_t to)
{
    __atomic_compare_exchange_n(&state->word, &from, to, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void weft__fd_drained(struct weft__fd *state, uint32_t word)
{
    if (word & WEFT__FD_EDGES)
        change_from(state, word, word & ~(uint32_t)(WEFT__FD_READABLE | WEFT__FD_MORE));
}

void weft__fd_learn(struct weft__fd *state, uint32_t word, uint32_t bits)
{
    change_from(state, word, word | bits);
}
