/* See fatal.h. Uses no stdio: its locks may be held by the task that failed. */
#include "runtime/sched/fatal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/sched/sched.h"

_Noreturn void weft__fatal(const char *text)
{
    char line[256];
    struct weft_task *t = weft__self();
    int n;
    if (!t)
        n = snprintf(line, sizeof line, "weft: %s (outside a task)\n", text);
    else
        n = snprintf(line, sizeof line, "weft: %s (task %" PRIu64 "%s%s)\n", text, t->loiter.id,
                     t->name ? " " : "", t->name ? t->name : "");
    size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (write(STDERR_FILENO, line, size) < 0) {
        /* Nobody reads it; the signal still says that it failed. */
    }
    abort();
}
