/*
 * place.c - frames and processes in words: what the reporters share.
 */
#include <inttypes.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/report.h"

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *below(const char *path, const char *base_dir)
{
    size_t n = base_dir ? strlen(base_dir) : 0;
    if (n > 1 && strncmp(path, base_dir, n) == 0 && path[n] == '/')
        return path + n + 1;
    return path;
}

char *report_place(const struct finding_frame *f, const char *base_dir)
{
    if (f->function && f->file && f->line)
        return xasprintf("%s (%s:%u)", f->function, below(f->file, base_dir), f->line);
    if (f->function && f->module)
        return xasprintf("%s (%s)", f->function, base_name(f->module));
    if (f->function)
        return xstrdup(f->function);
    if (f->file && f->line)
        return xasprintf("%s:%u", below(f->file, base_dir), f->line);
    if (f->module)
        return xasprintf("%s+0x%" PRIx64, base_name(f->module), f->offset);
    return xasprintf("0x%" PRIx64, f->address);
}

char *report_processes(const struct gate_item *item)
{
    enum { SHOWN_MAX = 8 };
    const struct model_process *first = item->processes[0].process;
    const char *command = first->command ? first->command : "";
    if (item->nprocesses == 1)
        return xasprintf("%u (%s)", first->pid, command);
    char *text = xasprintf("%zu processes: %u", item->nprocesses, first->pid);
    for (size_t i = 1; i < item->nprocesses && i < SHOWN_MAX; i++) {
        char *longer = xasprintf("%s, %u", text, item->processes[i].process->pid);
        free(text);
        text = longer;
    }
    char *all = xasprintf("%s%s (%s)", text, item->nprocesses > SHOWN_MAX ? ", ..." : "", command);
    free(text);
    return all;
}
