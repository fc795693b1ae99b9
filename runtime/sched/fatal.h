/* The end of the program for what it must not do, and the one line that says so. */
#ifndef WEFT_SCHED_FATAL_H
#define WEFT_SCHED_FATAL_H

/* "weft: <text>", which task did it and where, on stderr; then abort(). */
_Noreturn void weft__fatal(const char *text);

/* The same with the object. `caller`: the place in the program, a return address; NULL: it is
 * looked for on the stack. `before`, if not NULL: what happened earlier, at the return address
 * `at`. */
_Noreturn void weft__fatal_object(const char *text, const void *object, const void *caller,
                                  const char *before, const void *at);

#endif
