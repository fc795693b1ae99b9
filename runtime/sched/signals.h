/* Signals that the runtime answers while a run is open. */
#ifndef WEFT_SCHED_SIGNALS_H
#define WEFT_SCHED_SIGNALS_H

#include <stddef.h>

/* The run that opens takes the signals nobody else has taken, and gives them back at its end. Not
 * by two threads at once. */
void weft__signals_take(void);
void weft__signals_give_back(void);

/* A worker's stack for signal handlers: that of a task may be full. `low` is NULL if it has one
 * already, or if there is no memory. */
struct weft__signal_stack {
    void *low;
    size_t size;
};

void weft__signal_stack_set(struct weft__signal_stack *s);
void weft__signal_stack_drop(struct weft__signal_stack *s);

#endif
