/* The OS threads of a run, and who drives which worker. */
#ifndef WEFT_SCHED_THREAD_H
#define WEFT_SCHED_THREAD_H

#include "runtime/sched/inside.h"

/* Threads that are started before the run is open wait at its gate. */
enum weft__gate { WEFT__GATE_WAIT = 0, WEFT__GATE_GO = 1, WEFT__GATE_NO_RUN = 2 };
void weft__gate_open(enum weft__gate state);

/* A thread that drives `w`: a spare one, or a thread is started. 0, -EAGAIN, -ENOMEM. */
int weft__thread_drive(struct weft__run *run, struct weft__worker *w);

/* A thread that runs `fn` and no tasks. 0, -EAGAIN, -ENOMEM. */
int weft__thread_serve(struct weft__run *run, void (*fn)(struct weft__run *run));

/* The run has ended (or never began): wakes the threads that wait for something to do. */
void weft__threads_wake(struct weft__run *run);

/* Waits until all have ended. False: the time (no limit if below 0) is over and some still run. */
bool weft__threads_wait(struct weft__run *run, int64_t ns);

/* Reaps those that have ended and leaves the others to themselves. */
void weft__threads_reap(struct weft__run *run);

/* In the child of a fork: no run is open, no thread serves. run.c, blocking.c */
void weft__run_forget(void);
void weft__blocking_forget(void);

/* A task that has its own thread goes to sleep, or ended: who looks for a deadlock must know. */
void weft__bound_rests(struct weft__run *run);

/* Leaves a task of a run that is over; never comes back. */
_Noreturn void weft__thread_abandon(struct weft_task *t);

#endif
