/*
 * scopes.c - see scopes.h.
 */
#include "analyzer/symbols/scopes.h"

#include <dwarf.h>
#include <stdbool.h>

/* Of namespaces and types in each other. */
#define NESTED_MAX 64

static bool has_code(int tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_entry_point || tag == DW_TAG_try_block ||
           tag == DW_TAG_catch_block;
}

static bool has_functions(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_union_type || tag == DW_TAG_module;
}

/* The entry below `parent` with code at `pc`: true, and *found is it. */
static bool find_below(Dwarf_Die *parent, Dwarf_Addr pc, unsigned nested, Dwarf_Die *found)
{
    Dwarf_Die child;
    if (dwarf_child(parent, &child) != 0)
        return false;
    do {
        int tag = dwarf_tag(&child);
        if (has_code(tag) && dwarf_haspc(&child, pc) > 0) {
            *found = child;
            return true;
        }
        if (has_functions(tag) && nested < NESTED_MAX && find_below(&child, pc, nested + 1, found))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

void scopes_find(struct scopes *s, Dwarf_Die *unit, Dwarf_Addr pc)
{
    Dwarf_Die *parent = unit;
    s->n = 0;
    while (s->n < SCOPES_MAX && find_below(parent, pc, 0, &s->at[s->n]))
        parent = &s->at[s->n++];
}
