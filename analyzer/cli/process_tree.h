/*
 * process_tree.h - a process and its descendants, as they are at one moment.
 */
#ifndef PROCESS_TREE_H
#define PROCESS_TREE_H

#include <stddef.h>
#include <sys/types.h>

struct process_tree {
    struct process_tree_entry {
        pid_t pid;
        unsigned long long started; /* tells it from a later process of that number */
    } * items;
    size_t n;
};

void process_tree_find(struct process_tree *t, pid_t root);
/* Sent to those that are still the same processes. */
void process_tree_signal(const struct process_tree *t, int signal);
void process_tree_clear(struct process_tree *t);

#endif
