/*
 * cu_index.c - see cu_index.h.
 */
#include "analyzer/symbols/cu_index.h"

#include "analyzer/model/memory.h"

struct range {
    uint64_t lo, hi;
    Dwarf_Off unit;
};

struct cu_index {
    Dwarf *dwarf;
    struct range *ranges; /* by `lo` */
    size_t n;
};

static void add_unit(struct cu_index *ix, Dwarf_Die *unit)
{
    Dwarf_Addr base, lo, hi;
    ptrdiff_t next = 0;
    while ((next = dwarf_ranges(unit, next, &base, &lo, &hi)) > 0) {
        if (lo >= hi)
            continue;
        XGROW(ix->ranges, ix->n);
        ix->ranges[ix->n++] = (struct range){lo, hi, dwarf_dieoffset(unit)};
    }
}

static int by_lo(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

struct cu_index *cu_index_create(Dwarf *dwarf)
{
    struct cu_index *ix = xcalloc(1, sizeof(*ix));
    Dwarf_CU *cu = NULL;
    Dwarf_Die unit;
    uint8_t type;
    ix->dwarf = dwarf;
    while (dwarf && dwarf_get_units(dwarf, cu, &cu, NULL, &type, &unit, NULL) == 0)
        add_unit(ix, &unit);
    if (ix->n)
        qsort(ix->ranges, ix->n, sizeof(*ix->ranges), by_lo);
    return ix;
}

void cu_index_destroy(struct cu_index *ix)
{
    if (!ix)
        return;
    free(ix->ranges);
    free(ix);
}

bool cu_index_find(const struct cu_index *ix, uint64_t address, Dwarf_Die *unit)
{
    size_t lo = 0, hi = ix->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ix->ranges[mid].lo <= address)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0 || address >= ix->ranges[lo - 1].hi)
        return false;
    return dwarf_offdie(ix->dwarf, ix->ranges[lo - 1].unit, unit) != NULL;
}
