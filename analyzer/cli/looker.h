/*
 * looker.h - how much time the program spends inside Loiter's own code, by looking now and then.
 *
 * Each recorded thread says in its memory whether it is inside, and in its record where that word
 * lies. The launcher reads the words of all recorded processes a hundred times a second, by
 * process_vm_readv: the program pays nothing for it. Where the kernel does not allow that, nothing
 * is known.
 */
#ifndef LOOKER_H
#define LOOKER_H

#include <stdint.h>

#define LOOKER_PERIOD_S 0.01

struct looker;

/* For the log directory; never NULL. */
struct looker *looker_create(const char *dir);
void looker_destroy(struct looker *l); /* NULL is allowed */

/* Looks at all threads once. */
void looker_look(struct looker *l);

/* How often a thread was looked at, how often it was inside, and the time that stands for. */
struct looker_result {
    int64_t looks, inside, inside_ns;
};
struct looker_result looker_result(const struct looker *l);

#endif
