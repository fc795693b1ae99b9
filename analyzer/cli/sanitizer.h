/*
 * sanitizer.h - programs built with a sanitizer want its runtime before every other library.
 */
#ifndef SANITIZER_H
#define SANITIZER_H

/* The name of the sanitizer's library that the program asks for, to be freed; NULL when it asks for
 * none. A runtime that is linked into the program needs nothing. */
char *sanitizer_runtime(const char *program);

#endif
