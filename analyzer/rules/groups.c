/* groups.c - see groups.h. */
#include "analyzer/rules/groups.h"

#include <stdlib.h>

#include "analyzer/model/memory.h"

static int by_place(const void *a, const void *b, void *arg)
{
    const struct grouping *how = arg;
    const void *x = *(const void *const *)a, *y = *(const void *const *)b;
    int order = how->place(x, y);
    return order != 0 ? order : how->within(x, y);
}

void groups_walk(const struct grouping *how, const void *things, size_t n, size_t size,
                 const struct group_judge *j)
{
    const void **list = xcalloc(n, sizeof *list);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        const void *thing = (const char *)things + i * size;
        if (how->is_wanted(thing))
            list[kept++] = thing;
    }
    if (kept > 1)
        qsort_r(list, kept, sizeof *list, by_place, (void *)(uintptr_t)how);
    for (size_t i = 0, next; i < kept; i = next) {
        for (next = i + 1; next < kept && how->place(list[i], list[next]) == 0; next++)
            ;
        how->on_group(j, &list[i], next - i);
    }
    free(list);
}
