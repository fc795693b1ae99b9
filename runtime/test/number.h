/* Numbers on the command lines of stresses and benchmarks. One that is none is refused: read as 0
 * it would make a run that does nothing and passes. */
#ifndef WEFT_TEST_NUMBER_H
#define WEFT_TEST_NUMBER_H

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { NUMBER_REFUSED = 2 }; /* the exit status */

/* `what` is its name on the command line. Ends the program if `text` is no number from least to
 * most. */
static inline long number_read(const char *what, const char *text, long least, long most)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || n < least || n > most) {
        fprintf(stderr, "%s: %s: not a number from %ld to %ld: \"%s\"\n",
                program_invocation_short_name, what, least, most, text);
        exit(NUMBER_REFUSED);
    }
    return n;
}

/* The same for seconds, which may have a fraction. */
static inline double number_read_seconds(const char *what, const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end != '\0' || !(n > 0 && n < 1e6)) {
        fprintf(stderr, "%s: %s: not a number of seconds: \"%s\"\n", program_invocation_short_name,
                what, text);
        exit(NUMBER_REFUSED);
    }
    return n;
}

#endif
