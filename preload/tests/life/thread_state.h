/* thread_state.h - what the kernel says a thread of the process does. */
#ifndef LIFE_THREAD_STATE_H
#define LIFE_THREAD_STATE_H

#include <stdio.h>

/* 'S' in a wait, 'R' running, and so on; 0: there is no such thread. */
static inline char state_of(long tid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", tid);
    FILE *f = fopen(path, "r");
    if (f != NULL && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    if (f != NULL)
        fclose(f);
    return state;
}

#endif
