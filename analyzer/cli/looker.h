/*
 * looker.h - how much time the program spends inside Loiter's own code, by looking now and then.
 *
 * Each recorded thread says in its memory whether it is inside, and in its record where that word
 * lies. The launcher reads the words of all recorded processes now and then, by process_vm_readv:
 * some twenty times in the first second, and the rarer the longer they run, down to four times a
 * second, for a look wakes the launcher. Where the kernel does not allow that, nothing is known.
 */
#ifndef LOOKER_H
#define LOOKER_H

#include <stdint.h>

/* From one look to the next. */
#define LOOKER_LEAST_S 0.025
#define LOOKER_MOST_S  0.25

struct looker;

/* For the log directory; never NULL. */
struct looker *looker_create(const char *dir);
void looker_destroy(struct looker *l); /* NULL is allowed */

/* Looks at all threads once; the seconds to wait before the next time. */
double looker_look(struct looker *l);

/* How often a thread was looked at, how often it was inside, and the time that stands for. */
struct looker_result {
    int64_t looks, inside, inside_ns;
};
struct looker_result looker_result(const struct looker *l);

#endif
