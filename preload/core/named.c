/* named.c - see named.h. */
#include "preload/core/named.h"

#include "preload/core/record.h"

/* What is behind the text is cleared, and the last byte stays 0 whenever somebody looks. */
static void put_text(uint64_t *words, size_t bytes, const char *text)
{
    char *to = (char *)words;
    size_t n = 0;
    for (; text != NULL && text[n] != '\0' && n < bytes - 1; n++)
        to[n] = text[n];
    while (n < bytes)
        to[n++] = '\0';
}

void pl_named_set(struct pl_actor *task, const char *name, const char *labels)
{
    struct el_named *cell = task->named;
    if (name == NULL && labels == NULL) {
        pl_named_ends(task);
        return;
    }
    if (cell == NULL)
        cell = el_alloc_named(&pl_log);
    if (cell == NULL)
        return;
    put_text(cell->name, sizeof(cell->name), name);
    put_text(cell->labels, sizeof(cell->labels), labels);
    cell->actor = task->id;
    el_set_state(&cell->state, EL_LIVE);
    task->named = cell;
    task->cell->flags |= EL_ACTOR_NAMED;
}

void pl_named_free(struct pl_actor *task)
{
    el_free_named(&pl_log, task->named);
    task->named = NULL;
    task->cell->flags &= ~(uint32_t)EL_ACTOR_NAMED;
}
