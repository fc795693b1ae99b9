/*
 * log_replace.c - see log_replace.h. Nothing here follows a symbolic link.
 */
#include "analyzer/cli/log_replace.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "analyzer/cli/live_record.h"
#include "analyzer/cli/log_dir.h"
#include "analyzer/model/memory.h"
#include "eventlog/reader.h"
#include "eventlog/silent.h"

#define DIGITS "0123456789"

/* What a directory is, by its name; what may be in it follows from that. */
enum place { GIVEN, SIDE, RUN, PROCESS, STRANGER };

/* 12.0, and what it becomes where nothing could be written. */
static bool is_process(const char *name)
{
    size_t pid = strspn(name, DIGITS);
    return pid > 0 && name[pid] == '.' && isdigit((unsigned char)name[pid + 1]);
}

/* A record is GIVEN or, of `loiter compare`, GIVEN/before/1. */
static enum place place_of(const char *name, enum place above)
{
    const bool is_side = strcmp(name, "before") == 0 || strcmp(name, "after") == 0;
    if (above != PROCESS && is_process(name))
        return PROCESS;
    if (above == GIVEN && is_side)
        return SIDE;
    if ((above == GIVEN || above == SIDE) && name[strspn(name, DIGITS)] == '\0')
        return RUN;
    return STRANGER;
}

static bool is_file_of(enum place above, const char *name)
{
    if (above == PROCESS) {
        const char *done = name + (name[0] == '.'); /* one that is being made has a dot */
        return strcmp(done, "metadata") == 0 || strncmp(done, "cells-", 6) == 0 ||
               strncmp(done, "events-", 7) == 0;
    }
    return strcmp(name, "run.json") == 0 || strcmp(name, EL_SILENT_FILE) == 0 ||
           strcmp(name, "output") == 0;
}

static char *stranger_in(const char *dir, enum place what)
{
    DIR *d = opendir(dir);
    char *stranger = d ? NULL : xstrdup(dir);
    for (struct dirent *e; d && !stranger && (e = readdir(d));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        char *path = xasprintf("%s/%s", dir, e->d_name);
        struct stat st = {0};
        const bool is_there = lstat(path, &st) == 0 || errno != ENOENT;
        const enum place deeper = S_ISDIR(st.st_mode) ? place_of(e->d_name, what) : STRANGER;
        if (deeper != STRANGER)
            stranger = stranger_in(path, deeper);
        else if (is_there && !(S_ISREG(st.st_mode) && is_file_of(what, e->d_name)))
            stranger = xstrdup(path);
        free(path);
    }
    if (d)
        closedir(d);
    return stranger;
}

char *log_stranger(const char *dir)
{
    return stranger_in(dir, GIVEN);
}

/* A process that writes to a record in the directory, to be freed; NULL when there is none. */
static char *writer_of(const char *dir)
{
    struct el_list list;
    char *found = NULL;
    if (el_list_processes(dir, &list) != EL_READ_OK)
        return NULL;
    for (size_t i = 0; i < list.n && !found; i++)
        if (live_record_is(list.items[i]))
            found = xstrdup(list.items[i]);
    el_list_free(&list);
    return found;
}

char *log_replace(const char *dir)
{
    char *stranger = log_stranger(dir), *writer = stranger ? NULL : writer_of(dir), *wrong = NULL;
    if (stranger)
        wrong = xasprintf("%s: is no record, and --force replaces records only: choose another "
                          "directory with -o",
                          stranger);
    else if (writer)
        wrong = xasprintf("%s: its process still runs and records: choose another directory "
                          "with -o",
                          writer);
    free(stranger);
    free(writer);
    if (wrong)
        return wrong;
    log_dir_remove(dir, false);
    return NULL;
}
