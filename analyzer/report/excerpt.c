/*
 * excerpt.c - see excerpt.h. The name comes out of a log: it may be anything.
 */
#include "analyzer/report/excerpt.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"

#define FILE_SIZE_MAX (64 << 20) /* larger ones are not written by people */
#define COLUMNS_MAX   160
#define TAB_WIDTH     4

static FILE *open_source(const char *file)
{
    struct stat st;
    int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_SIZE_MAX) {
        close(fd);
        return NULL;
    }
    FILE *in = fdopen(fd, "r");
    if (!in)
        close(fd);
    return in;
}

/* Without the line's end, tabs expanded, cut to what a terminal shows. */
static char *clean_line(const char *text)
{
    char wide[COLUMNS_MAX + TAB_WIDTH + 1];
    size_t n = 0;
    for (; *text && *text != '\n' && *text != '\r' && n < COLUMNS_MAX; text++) {
        if (*text != '\t') {
            wide[n++] = *text;
            continue;
        }
        do
            wide[n++] = ' ';
        while (n % TAB_WIDTH);
    }
    wide[n] = '\0';
    return report_clean(wide);
}

void excerpt_read(const char *file, unsigned line, unsigned around, excerpt_fn fn, void *arg)
{
    FILE *in = line ? open_source(file) : NULL;
    if (!in)
        return;
    struct {
        unsigned number;
        char *text;
    } *found = xcalloc(2 * around + 1, sizeof(*found));
    char *text = NULL;
    size_t room = 0, n = 0;
    unsigned number = 1;
    bool reached = false;
    for (; number <= line + around && getline(&text, &room, in) >= 0; number++) {
        if (number + around < line)
            continue;
        found[n].number = number;
        found[n++].text = clean_line(text);
        reached = reached || number == line;
    }
    for (size_t i = 0; i < n; i++) {
        if (reached)
            fn(arg, found[i].number, found[i].text);
        free(found[i].text);
    }
    free(found);
    free(text);
    fclose(in);
}
