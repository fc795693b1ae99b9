/* See heap.h. */
#include "runtime/time/heap.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/time/timers.h"

/* The children of n are 4n + 1 to 4n + 4. Three empty entries before the first put each such group
 * of 64 bytes at the beginning of a cache line. */
enum { CHILDREN = 4, PAD = 3, ENTRIES_FIRST = 64, LINE = 64 };

static void put(struct weft__heap *h, uint32_t at, struct weft__heap_entry e)
{
    h->entries[at] = e;
    if (!(e.what & WEFT__SLEEPER))
        ((struct weft__timer *)e.what)->place = at + 1;
}

static void sift_up(struct weft__heap *h, uint32_t at, struct weft__heap_entry e)
{
    while (at > 0) {
        uint32_t parent = (at - 1) / CHILDREN;
        if (h->entries[parent].key <= e.key)
            break;
        put(h, at, h->entries[parent]);
        at = parent;
    }
    put(h, at, e);
}

static void sift_down(struct weft__heap *h, uint32_t at, struct weft__heap_entry e)
{
    for (;;) {
        uint64_t first = (uint64_t)at * CHILDREN + 1;
        if (first >= h->count)
            break;
        uint32_t least = (uint32_t)first;
        uint32_t end = h->count - least < CHILDREN ? h->count : least + CHILDREN;
        int64_t key = h->entries[least].key;
        for (uint32_t i = least + 1; i < end; i++) {
            bool less = h->entries[i].key < key;
            key = less ? h->entries[i].key : key;
            least = less ? i : least;
        }
        if (key >= e.key)
            break;
        put(h, at, h->entries[least]);
        at = least;
    }
    put(h, at, e);
}

bool weft__heap_reserve(struct weft__heap *h)
{
    if (h->count < h->room)
        return true;
    size_t entries = h->room ? ((size_t)h->room + PAD) * 2 : ENTRIES_FIRST;
    if (entries > UINT32_MAX)
        return false;
    struct weft__heap_entry *block = aligned_alloc(LINE, entries * sizeof *block);
    if (!block)
        return false;
    if (h->room) {
        memcpy(block + PAD, h->entries, h->count * sizeof *block);
        free(h->entries - PAD);
    }
    h->entries = block + PAD;
    h->room = (uint32_t)(entries - PAD);
    return true;
}

void weft__heap_push(struct weft__heap *h, struct weft__timer *timer, int64_t key)
{
    sift_up(h, h->count++, (struct weft__heap_entry){key, (uintptr_t)timer});
}

void weft__heap_push_sleeper(struct weft__heap *h, struct weft_task *task, int64_t key)
{
    sift_up(h, h->count++, (struct weft__heap_entry){key, (uintptr_t)task | WEFT__SLEEPER});
}

/* Whatever stands at `at` goes; `e`, which is in no place now, fills the gap. */
static void fill(struct weft__heap *h, uint32_t at, struct weft__heap_entry e)
{
    if (at > 0 && e.key < h->entries[(at - 1) / CHILDREN].key)
        sift_up(h, at, e);
    else
        sift_down(h, at, e);
}

void weft__heap_remove(struct weft__heap *h, struct weft__timer *timer)
{
    uint32_t at = timer->place - 1;
    struct weft__heap_entry last = h->entries[--h->count];
    timer->place = 0;
    if (at != h->count)
        fill(h, at, last);
}

void weft__heap_move(struct weft__heap *h, struct weft__timer *timer, int64_t key)
{
    fill(h, timer->place - 1, (struct weft__heap_entry){key, (uintptr_t)timer});
}

void weft__heap_pop(struct weft__heap *h)
{
    struct weft__heap_entry first = h->entries[0];
    struct weft__heap_entry last = h->entries[--h->count];
    if (!(first.what & WEFT__SLEEPER))
        ((struct weft__timer *)first.what)->place = 0;
    if (h->count)
        sift_down(h, 0, last);
}

void weft__heap_delay(struct weft__heap *h, int64_t key)
{
    sift_down(h, 0, (struct weft__heap_entry){key, h->entries[0].what});
}

void weft__heap_free(struct weft__heap *h)
{
    if (h->room)
        free(h->entries - PAD);
    *h = (struct weft__heap){0};
}
