/*
 * cu_index.h - which compilation unit covers an address, where the file has no .debug_aranges.
 *
 * Clang writes none by default, and libdw before 0.192 finds units by nothing else.
 */
#ifndef CU_INDEX_H
#define CU_INDEX_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

struct cu_index;

/* Reads the head of each unit once. `dwarf` may be NULL: then nothing is found. */
struct cu_index *cu_index_create(Dwarf *dwarf);
void cu_index_destroy(struct cu_index *ix);
/* The unit at that address, as counted in the debug information. */
bool cu_index_find(const struct cu_index *ix, uint64_t address, Dwarf_Die *unit);

#endif
