/*
 * ending.h - all the ways a process can end, by name. The two programs of this folder make a leak
 * and then end as their argument says: what was leaked must be reported each time.
 */
#ifndef ENDING_H
#define ENDING_H

/* Ends the process in the way called `name`; does not return, except for "return". */
void end_by(const char *name);

/* Whether the argument list holds `word`. */
int has_word(char **argv, const char *word);

#endif
