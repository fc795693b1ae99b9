/*
 * demangle.h - names of C++ and Rust functions as people write them.
 *
 * Parameters are left out: reports and suppressions speak of `app::Pool::grow`.
 */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

/* The readable name of a symbol, to be freed. Removes what compilers append to clones
 * (`.constprop.0`, `.cold`, ...) and a symbol version, so that a name is the same with and without
 * debug information. A name that is not mangled comes back as it is. */
char *demangle(const char *symbol);

#endif
