/*
 * log_dir.h - the directory of a log: made with care, measured, removed.
 */
#ifndef LOG_DIR_H
#define LOG_DIR_H

#include <stdbool.h>
#include <stdint.h>

struct log_dir_hold {
    bool made; /* the directory was not there before */
    int fd;    /* while it is open no other launcher takes the directory */
};

/* Makes the directory, which only its owner can list, and returns its absolute path, to be freed.
 * One that is there is taken only when it is empty, ours, and no symbolic link; with `replace` also
 * when it holds nothing but records, which are removed. NULL and *error (to be freed) when it
 * cannot be had; then nothing is held. */
char *log_dir_make(const char *path, bool replace, struct log_dir_hold *hold, char **error);
void log_dir_release(struct log_dir_hold *hold);

/* "loiter.NAME.PID" below the working directory; to be freed. */
char *log_dir_default(const char *program, int pid);

/* Disk space of the files below. */
uint64_t log_dir_bytes(const char *dir);

/* Removes all that is in it, and with `all` the directory itself. */
void log_dir_remove(const char *dir, bool all);

#endif
