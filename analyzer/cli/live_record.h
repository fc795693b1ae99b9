/*
 * live_record.h - which record a process that runs writes to, as its memory map tells.
 */
#ifndef LIVE_RECORD_H
#define LIVE_RECORD_H

#include <stdbool.h>

/* The directory of the record that the process maps now, to be freed; NULL when there is none. */
char *live_record_of(const char *pid);

/* "/log/12.0" is of process 12, which maps it while it lives. */
bool live_record_is(const char *dir);

#endif
