/* See fatal.h. Uses no stdio: its locks may be held by the task that failed. */
#include "runtime/sched/fatal.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/sched/line.h"
#include "runtime/sched/sched.h"

enum { FRAMES_MAX = 16, FRAME_BYTES_MAX = 64 * 1024 };

static const void *module_of(const void *address)
{
    Dl_info info = {0};
    return dladdr(address, &info) ? info.dli_fbase : NULL;
}

/* The first return address outside the runtime, whose frames have frame pointers; NULL where the
 * runtime is no module of its own. */
static const void *find_caller(void)
{
    const void *own = module_of((const void *)weft__fatal);
    void *const *frame = __builtin_frame_address(0);
    for (int i = 0; i < FRAMES_MAX; i++) {
        const void *at = frame[1];
        if (module_of(at) != own)
            return at;
        void *const *next = *frame;
        if (next <= frame || (size_t)((const char *)next - (const char *)frame) > FRAME_BYTES_MAX)
            break;
        frame = next;
    }
    return NULL;
}

static void put_task(struct weft__line *line)
{
    struct weft_task *t = weft__self();
    if (!t) {
        weft__line_text(line, " (outside a task)");
        return;
    }
    weft__line_text(line, " (task ");
    weft__line_number(line, t->loiter.id, 10);
    if (t->name) {
        weft__line_text(line, " \"");
        weft__line_text(line, t->name);
        weft__line_text(line, "\"");
    }
    weft__line_text(line, ")");
}

_Noreturn void weft__fatal_object(const char *text, const void *object, const void *caller,
                                  const char *before, const void *at)
{
    struct weft__line line = {0};
    weft__line_text(&line, "weft: ");
    weft__line_text(&line, text);
    put_task(&line);
    if (object) {
        weft__line_text(&line, ": 0x");
        weft__line_number(&line, (uintptr_t)object, 16);
    }
    if (!caller)
        caller = find_caller();
    if (caller) {
        weft__line_text(&line, ", at ");
        weft__line_caller(&line, caller);
    }
    if (before && at) {
        weft__line_text(&line, "; ");
        weft__line_text(&line, before);
        weft__line_text(&line, " at ");
        weft__line_caller(&line, at);
    }
    weft__line_write(&line, STDERR_FILENO); /* where nobody reads it, the signal says it too */
    abort();
}

_Noreturn void weft__fatal(const char *text)
{
    weft__fatal_object(text, NULL, NULL, NULL, NULL);
}
