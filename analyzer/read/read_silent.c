/* read_silent.c - see read_silent.h. */
#include "analyzer/read/read_silent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/memory.h"

/* "123 +" */
static bool parse(const char *line, struct model_silent *out)
{
    char end;
    return sscanf(line, "%" SCNu32 " %c%c", &out->pid, &out->mark, &end) == 3 && end == '\n' &&
           strchr("+-*", out->mark) != NULL;
}

struct line {
    struct model_silent said;
    size_t number;
};

static int by_pid_and_number(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->said.pid != y->said.pid)
        return x->said.pid < y->said.pid ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Of each process, what it said last. */
static void keep_last(struct line *lines, size_t n, struct model *m)
{
    if (n > 0)
        qsort(lines, n, sizeof(*lines), by_pid_and_number);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && lines[i + 1].said.pid == lines[i].said.pid)
            continue;
        XGROW(m->silent, m->nsilent);
        m->silent[m->nsilent++] = lines[i].said;
    }
}

uint64_t read_silent(const char *dir, struct model *m)
{
    char *path = xasprintf("%s/" EL_SILENT_FILE, dir), text[64];
    FILE *f = fopen(path, "re");
    struct line *lines = NULL, line = {0};
    size_t n = 0;
    uint64_t wrong = 0;
    free(path);
    for (; f != NULL && fgets(text, sizeof(text), f) != NULL; line.number++) {
        if (!parse(text, &line.said)) {
            wrong++;
            continue;
        }
        XGROW(lines, n);
        lines[n++] = line;
    }
    if (f != NULL)
        fclose(f);
    keep_last(lines, n, m);
    free(lines);
    return wrong;
}
