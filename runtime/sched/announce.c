/* Tasks that are made, waits and wakings, for whoever listens. Most are like the last ones, and
 * need not be told. */
#include "runtime/sched/inside.h"

static bool may_pass(const struct weft_task *t, bool timed)
{
    return __builtin_expect(loiter_waits_pass != NULL && !timed && !weft__holds_noted(t->worker),
                            1);
}

void weft__tell_wait(struct weft_task *t, enum loiter_wait why, const void *object, bool timed,
                     const void *caller)
{
    if (may_pass(t, timed) &&
        loiter_wait_passes(&t->loiter, why, object, caller, __builtin_dwarf_cfa()))
        return;
    loiter_task_park(&t->loiter, why, &object, object ? 1 : 0, timed, caller);
}

void weft__tell_select(struct weft_task *t, enum loiter_wait why, const void *const *objects,
                       unsigned n, bool timed, const void *caller)
{
    if (may_pass(t, timed) && n != 0 &&
        loiter_select_passes(&t->loiter, objects, n, caller, __builtin_dwarf_cfa()))
        return;
    loiter_task_park(&t->loiter, why, objects, n, timed, caller);
}

void weft__tell_ready(struct weft_task *t, const void *object, const struct weft__worker *w)
{
    if (__builtin_expect(w->current != NULL, 1) && loiter_waits_pass != NULL &&
        loiter_waking_passes(&t->loiter, object, &w->current->loiter, __builtin_dwarf_cfa()))
        return;
    loiter_task_ready(&t->loiter, object);
}

void weft__tell_created(struct weft_task *t, const struct weft__spawn *spawn,
                        const struct weft_task *maker, size_t stack_bytes, const void *caller)
{
    void (*start)(void) = (void (*)(void))spawn->start;
    if (__builtin_expect(maker != NULL, 1) &&
        loiter_making_passes(&maker->worker->making, &t->loiter, &maker->loiter, start, stack_bytes,
                             spawn->size, caller, __builtin_dwarf_cfa()))
        return;
    loiter_task_created(&t->loiter, start, stack_bytes, spawn->size, caller,
                        t->capture_kind == WEFT__CAPTURE_HERE ? t->capture : t->arg);
}
