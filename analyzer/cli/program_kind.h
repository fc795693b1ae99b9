/*
 * program_kind.h - whether a library can be preloaded into an ELF file.
 */
#ifndef PROGRAM_KIND_H
#define PROGRAM_KIND_H

enum program_kind {
    PROGRAM_KIND_GOOD,
    PROGRAM_KIND_STATIC,     /* asks for no loader */
    PROGRAM_KIND_FOREIGN,    /* another class, byte order or machine; *what names it */
    PROGRAM_KIND_OTHER_LIBC, /* another loader than glibc's; *what is its path */
    PROGRAM_KIND_BROKEN      /* cut short, or no program */
};

/* *what, where set, is to be freed. */
enum program_kind program_kind(int fd, char **what);

/* The machine that this command, and its library, are built for. */
const char *program_kind_host(void);

#endif
