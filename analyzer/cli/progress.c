/*
 * progress.c - see progress.h.
 */
#include "analyzer/cli/progress.h"

#include <time.h>
#include <unistd.h>

#define SILENT_S 1.0
#define CHANGE_S 0.1

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_begin(struct progress *p)
{
    *p = (struct progress){.begin_s = now_s()};
    if (isatty(STDERR_FILENO))
        p->out = stderr;
}

void progress_show_at(struct progress *p, double now, const char *what, uint64_t done,
                      uint64_t total)
{
    if (!p->out || now - p->begin_s < SILENT_S || now - p->last_s < CHANGE_S)
        return;
    p->last_s = now;
    p->shown = true;
    fprintf(p->out, "\r\033[Kloiter: %s", what);
    if (total)
        fprintf(p->out, ": %u %%", (unsigned)(100.0 * (double)done / (double)total));
    fflush(p->out);
}

void progress_show(struct progress *p, const char *what, uint64_t done, uint64_t total)
{
    if (p->out)
        progress_show_at(p, now_s(), what, done, total);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", p->out);
    p->shown = false;
}
