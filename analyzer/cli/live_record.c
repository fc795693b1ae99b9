/*
 * live_record.c - see live_record.h.
 */
#include "analyzer/cli/live_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/memory.h"

char *live_record_of(const char *pid)
{
    static const char file[] = "/cells-summary-0\n";
    char *path = xasprintf("/proc/%s/maps", pid), *line = NULL, *found = NULL;
    FILE *maps = fopen(path, "re");
    size_t room = 0;
    free(path);
    while (maps && !found && getline(&line, &room, maps) > 0) {
        size_t n = strlen(line);
        char *name = strchr(line, '/');
        if (name && n > sizeof(file) && strcmp(line + n - sizeof(file) + 1, file) == 0)
            found = xstrndup(name, (size_t)(line + n - sizeof(file) + 1 - name));
    }
    free(line);
    if (maps)
        fclose(maps);
    return found;
}

bool live_record_is(const char *dir)
{
    const char *name = strrchr(dir, '/');
    char *pid = xstrndup(name + 1, strspn(name + 1, "0123456789"));
    char *mapped = *pid ? live_record_of(pid) : NULL, *full = realpath(dir, NULL);
    bool alive = mapped && full && strcmp(mapped, full) == 0;
    free(pid);
    free(mapped);
    free(full);
    return alive;
}
