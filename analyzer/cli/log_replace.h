/*
 * log_replace.h - the old records in a directory that is to take another: told from what is none,
 * and removed.
 */
#ifndef LOG_REPLACE_H
#define LOG_REPLACE_H

/* The path of what is in the directory and is no part of a record, or of the runs of `loiter
 * compare`; NULL when there is nothing of the kind. To be freed. */
char *log_stranger(const char *dir);

/* Removes the records, as far as that can be done. What speaks against it, to be freed, and then
 * nothing was removed; else NULL. */
char *log_replace(const char *dir);

#endif
