/* A value that is computed once, by whoever asks first. */
#include "runtime/sched/sched.h"

struct computation {
    struct weft_once_value *once;
    void *(*fn)(void *);
    void *arg;
};

static void compute(void *arg)
{
    struct computation *c = arg;
    c->once->value = c->fn(c->arg);
}

void *weft_once_value(struct weft_once_value *once, void *(*fn)(void *), void *arg)
{
    if (__builtin_expect(!__atomic_load_n(&once->once.done, __ATOMIC_ACQUIRE), 0)) {
        struct computation c = {once, fn, arg};
        weft_once_do(&once->once, compute, &c);
    }
    return once->value;
}
