/* blocked.c - see blocked.h. */
#include "analyzer/rules/blocked.h"

/* A call that takes less does not hold a thread: it uses it. */
#define HOLDS_NS UINT64_C(1000000)
/* So many held at once are a matter of threads, whoever made them. */
#define HELD_MANY 64

bool blocked_are_threads(const struct model_process *p, const struct model_site *blocked)
{
    return model_find_site(p, EL_SITE_THREAD, blocked->stack) != NULL;
}

uint64_t blocked_mean_ns(const struct model_process *p, const struct model_site *blocked)
{
    uint64_t over = blocked->count > blocked->live ? blocked->count - blocked->live : 0;
    uint64_t since = p->end_ns > blocked->first_ns ? p->end_ns - blocked->first_ns : 0;
    return over > 0 ? blocked->total_ns / over : since;
}

const struct model_site *blocked_of_spawn(const struct model_process *p,
                                          const struct model_site *spawn)
{
    for (size_t i = 0; i < p->nsites; i++) {
        const struct model_site *s = &p->sites[i];
        if (s->kind != EL_SITE_BLOCKED || 2 * s->count < spawn->count || s->peak <= HELD_MANY ||
            blocked_mean_ns(p, s) < HOLDS_NS)
            continue;
        bool threads = blocked_are_threads(p, s);
        if (spawn->kind == EL_SITE_THREAD ? threads && s->stack == spawn->stack
                                          : !threads && s->stack2 == spawn->stack)
            return s;
    }
    return NULL;
}
