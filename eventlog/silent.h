/*
 * silent.h - programs that are followed and have recorded nothing: no files of their own, but a
 * line each in the directory of all records.
 */
#ifndef EVENTLOG_SILENT_H
#define EVENTLOG_SILENT_H

/* In the directory that holds the records of processes; a line is "<pid> <mark>". */
#define EL_SILENT_FILE "silent"

#define EL_SILENT_BEGINS  '+' /* a program begins in this process, or goes on: its exec failed */
#define EL_SILENT_BECOMES '-' /* it calls exec */
#define EL_SILENT_RECORDS '*' /* a record begins */

/* For this process. 0; or a negative errno, and nothing was written. May be called where exec may;
 * `root` is absolute. */
int el_silent_note(const char *root, char mark);

#endif
