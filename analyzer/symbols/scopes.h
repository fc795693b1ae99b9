/*
 * scopes.h - the scopes of a unit's debug information that enclose an address.
 *
 * libdw's dwarf_getscopes goes on, past an inlined call, where the inlined function was defined,
 * and gives up where that is another unit, as in programs that were optimised at link time. This
 * keeps to where the code lies.
 */
#ifndef LOITER_SYMBOLS_SCOPES_H
#define LOITER_SYMBOLS_SCOPES_H

#include <elfutils/libdw.h>
#include <stddef.h>

#define SCOPES_MAX 128

struct scopes {
    Dwarf_Die at[SCOPES_MAX]; /* the outermost first */
    size_t n;
};

void scopes_find(struct scopes *s, Dwarf_Die *unit, Dwarf_Addr pc);

#endif
