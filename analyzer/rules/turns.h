/*
 * turns.h - locks that are whose turn it is to wait for the next connection: a fact for the rules
 * on locks. Those that wait for such a lock would only wait for a connection too.
 */
#ifndef RULES_TURNS_H
#define RULES_TURNS_H

#include "analyzer/model/model.h"

/* Taken at one place, or known to be one lock that is taken at several. */
bool turns_of_one_lock(const struct model_lock_io *a, const struct model_lock_io *b);

/* Is that call the waiting whose turn the lock is? */
bool turns_is(const struct model_process *p, const struct model_lock_io *io);

/* Is the lock at that address one, by any such call? */
bool turns_lock(const struct model_process *p, uint64_t lock);

#endif
