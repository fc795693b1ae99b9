/*
 * process_tree.c - see process_tree.h. Read from /proc: descendants whose parent has ended belong
 * to init and are not found.
 */
#include "analyzer/cli/process_tree.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>

#include "analyzer/model/memory.h"

#define PROCESSES_MAX 4096

/* Parent and start time of a process. False when it is gone. */
static bool read_stat(pid_t pid, pid_t *parent, unsigned long long *started)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *in = fopen(path, "re");
    size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
    if (in)
        fclose(in);
    text[n] = '\0';
    /* The name, in parentheses, may hold anything, parentheses too. */
    const char *after = strrchr(text, ')');
    int p;
    if (!after || sscanf(after + 1,
                         " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                         "%*d %*d %llu",
                         &p, started) != 2)
        return false;
    *parent = p;
    return true;
}

static void add(struct process_tree *t, pid_t pid, unsigned long long started)
{
    XGROW(t->items, t->n);
    t->items[t->n++] = (struct process_tree_entry){pid, started};
}

static bool contains(const struct process_tree *t, pid_t pid)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->items[i].pid == pid)
            return true;
    return false;
}

/* One pass over /proc; true when it found a child of one in the tree. */
static bool add_children(struct process_tree *t)
{
    bool found = false;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && t->n < PROCESSES_MAX && (e = readdir(d));) {
        pid_t pid = atoi(e->d_name), parent;
        unsigned long long started;
        if (pid <= 0 || contains(t, pid) || !read_stat(pid, &parent, &started) ||
            !contains(t, parent))
            continue;
        add(t, pid, started);
        found = true;
    }
    if (d)
        closedir(d);
    return found;
}

void process_tree_find(struct process_tree *t, pid_t root)
{
    pid_t parent;
    unsigned long long started;
    *t = (struct process_tree){0};
    if (!read_stat(root, &parent, &started))
        return;
    add(t, root, started);
    while (add_children(t))
        continue;
}

void process_tree_signal(const struct process_tree *t, int signal)
{
    for (size_t i = 0; i < t->n; i++) {
        pid_t parent;
        unsigned long long started;
        if (read_stat(t->items[i].pid, &parent, &started) && started == t->items[i].started)
            kill(t->items[i].pid, signal);
    }
}

void process_tree_clear(struct process_tree *t)
{
    free(t->items);
    *t = (struct process_tree){0};
}
