/* The end of the program for what it must not do, and the one line that says so. */
#ifndef WEFT_SCHED_FATAL_H
#define WEFT_SCHED_FATAL_H

/* "weft: <text>" and who did it, on stderr; then abort(). */
_Noreturn void weft__fatal(const char *text);

#endif
