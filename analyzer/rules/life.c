/* life.c - see life.h. */
#include "analyzer/rules/life.h"

bool life_is_main(const struct model_process *p, uint64_t actor)
{
    const struct model_actor *a = model_find_actor(p, actor);
    if (a != NULL && (a->flags & EL_ACTOR_MAIN) != 0)
        return true;
    /* Both are the first of their kind, whether or not the record still has them. */
    return (actor & ~EL_ACTOR_TASK) == 1;
}

enum life life_of(const struct model_process *p, uint64_t actor)
{
    if (actor == 0)
        return LIFE_UNKNOWN;
    const struct model_actor *a = model_find_actor(p, actor);
    if (model_is_task(actor) && life_is_main(p, actor))
        return LIFE_ALIVE;
    if (a != NULL)
        return a->state == EL_ACTOR_ENDED ? LIFE_ENDED : LIFE_ALIVE;
    return p->lost_cells == 0 ? LIFE_ENDED : LIFE_UNKNOWN;
}
