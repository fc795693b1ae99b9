/* record_help.c - see record_help.h. */
#include "preload/tests/record_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char record_dir[] = "/tmp/loiter-test-XXXXXX";

int record_prepare(void)
{
    return mkdtemp(record_dir) != NULL ? 0 : -1;
}

int record_remove(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", record_dir);
    return system(command);
}

static void become_program(const char *library, int out)
{
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0 && dup2(out, STDOUT_FILENO) >= 0) {
        self[length] = 0;
        setenv("LD_PRELOAD", library, 1);
        setenv("LOITER_DIR", record_dir, 1);
        execl(self, self, "program", (char *)NULL);
    }
    _exit(127);
}

int record_run(char *out, size_t size)
{
    const char *library = getenv("LOITER_LIBRARY");
    int p[2], status;
    if (library == NULL || pipe(p) != 0)
        return -1;
    pid_t child = fork();
    if (child < 0)
        return -1;
    if (child == 0)
        become_program(library, p[1]);
    close(p[1]);
    size_t used = 0;
    ssize_t n;
    while (used + 1 < size && (n = read(p[0], out + used, size - 1 - used)) > 0)
        used += (size_t)n;
    out[used] = 0;
    close(p[0]);
    return waitpid(child, &status, 0) == child ? status : -1;
}

static long process_read(const char *dir, void (*on_cell)(const struct el_record *),
                         void (*on_event)(const struct el_record *))
{
    struct el_reader *r;
    struct el_record record;
    long n = 0;
    if (el_reader_open(dir, &r) != EL_READ_OK)
        return -1;
    for (; on_cell != NULL && el_reader_next_cell(r, &record); n++)
        on_cell(&record);
    for (; on_event != NULL && el_reader_next(r, &record); n++)
        on_event(&record);
    if (el_reader_damage(r) != 0)
        n = -1;
    el_reader_close(r);
    return n;
}

long record_read(void (*on_cell)(const struct el_record *),
                 void (*on_event)(const struct el_record *))
{
    struct el_list list;
    long n = 0;
    if (el_list_processes(record_dir, &list) != EL_READ_OK)
        return -1;
    for (size_t i = 0; i < list.n && n >= 0; i++) {
        long more = process_read(list.items[i], on_cell, on_event);
        n = more < 0 ? -1 : n + more;
    }
    el_list_free(&list);
    return n;
}
