/*
 * locate.h - finds the file of a module that was mapped where the record was made.
 *
 * The log gives a path and a build-id. The file at that path counts only if its build-id is the
 * one that ran; otherwise the debug directories are searched.
 */
#ifndef LOCATE_H
#define LOCATE_H

#include <stddef.h>

enum locate_result {
    LOCATE_EXACT,     /* the build-id is that of the log */
    LOCATE_UNCHECKED, /* found by path; the log gives no build-id to compare */
    LOCATE_MISMATCH,  /* there is a file, but it is not the one that ran */
    LOCATE_MISSING,   /* there is no such file here */
    LOCATE_NO_FILE    /* never was a file: the vdso and the like */
};

/* Searches, in this order: the path; in each of `dirs` (`ndirs` of them, /usr/lib/debug last) the
 * build-id link to the program, the path below it, the bare name, the build-id's debug file.
 * With EXACT and UNCHECKED, *file is the file to open, to be freed. `build_id` is hex or NULL. */
enum locate_result locate_module(const char *const *dirs, size_t ndirs, const char *path,
                                 const char *build_id, char **file);

/* The build-id of an ELF file as hex, to be freed; NULL when it has none or is no ELF file. */
char *locate_build_id(const char *file);

#endif
