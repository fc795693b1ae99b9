/* build_heap.c - what the record says of the program's blocks of memory. */
#include <string.h>

#include "analyzer/model/build.h"
#include "analyzer/model/memory.h"

static void on_heap_site(struct model_builder *b, const struct el_heap_site *c)
{
    struct model_process *p = b->p;
    if (c->state == EL_FREE || c->blocks == 0)
        return;
    XGROW(p->heap_sites, p->nheap_sites);
    struct model_heap_site *s = &p->heap_sites[p->nheap_sites++];
    *s = (struct model_heap_site){
        .stack = c->stack,
        .samples = c->samples > 0 ? c->samples : c->blocks, /* each block was looked at */
        .blocks = c->blocks,
        .bytes = c->bytes,
        .freed_blocks = c->freed_blocks,
        .freed_bytes = c->freed_bytes,
        .peak_bytes = c->peak_bytes,
        .peak_ns = build_cell_ns(b, c->peak_at),
        .size_min = c->size_min,
        .size_max = c->size_max,
        .rises = c->rises,
        .beside = c->beside,
        .jumps = c->jumps,
        .first_ns = build_cell_ns(b, c->first_at),
        .last_ns = build_cell_ns(b, c->last_at),
        .leaked_samples = c->leaked_samples,
        .leaked_first_ns = build_cell_ns(b, c->leaked_first_at),
        .leaked_last_ns = build_cell_ns(b, c->leaked_last_at),
    };
    _Static_assert(sizeof s->life_bytes == sizeof c->life_bytes, "as many bins in the record");
    _Static_assert(sizeof s->leaked_blocks == sizeof c->leaked_blocks, "as many kinds of leaks");
    memcpy(s->life_bytes, c->life_bytes, sizeof s->life_bytes);
    memcpy(s->leaked_blocks, c->leaked_blocks, sizeof s->leaked_blocks);
    memcpy(s->leaked_bytes, c->leaked_bytes, sizeof s->leaked_bytes);
}

bool build_heap_cell(struct model_builder *b, uint32_t id, const union el_any *any)
{
    if (id == EL_ID_heap_site)
        on_heap_site(b, &any->heap_site);
    return id == EL_ID_heap_site;
}

/* One that came to no end leaves what an earlier one found. */
static void on_heap_scan(struct model_builder *b, uint64_t at_ns, const struct el_heap_scan *e)
{
    struct model_heap *h = &b->p->heap;
    if (e->result != EL_SCAN_DONE) {
        h->not_scanned = el_scan_result_word(e->result);
        return;
    }
    h->scanned = true;
    h->scanned_at_mark = !b->p->exited;
    h->scanned_ns = at_ns;
    h->not_scanned = NULL;
    h->exact_roots = e->libc != 0;
    h->live_blocks = e->blocks;
    h->live_bytes = e->bytes;
}

static void on_allocator(struct model_builder *b, const struct el_allocator *e)
{
    struct model_heap *h = &b->p->heap;
    free(h->allocator);
    h->allocator = xstrdup(e->name);
    h->arenas = e->arenas;
    h->allocated = e->allocated;
    h->active = e->active;
    h->resident = e->resident;
    h->retained = e->retained;
    h->mapped = e->mapped;
    h->readings++;
    if (e->resident > h->resident_most)
        h->resident_most = e->resident;
}

void build_heap_event(struct model_builder *b, uint64_t at_ns, uint32_t id, const union el_any *any)
{
    switch (id) {
    case EL_ID_option:
        if (any->option.text != NULL && strcmp(any->option.text, "heap=2") == 0)
            b->p->heap.full = true;
        break;
    case EL_ID_heap_scan:
        on_heap_scan(b, at_ns, &any->heap_scan);
        break;
    case EL_ID_allocator:
        on_allocator(b, &any->allocator);
        break;
    default:
        break;
    }
}
