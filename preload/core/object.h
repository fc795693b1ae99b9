/*
 * object.h - cells of objects: what can be waited for.
 *
 * All of these are called with the guard on. They never fail visibly: without room nothing is
 * kept and the summary counts a lost cell.
 */
#ifndef PRELOAD_CORE_OBJECT_H
#define PRELOAD_CORE_OBJECT_H

#include <stdint.h>

#include "eventlog/events.h"
#include "eventlog/kinds.h"
#include "preload/core/gate.h"

/* The live cell of the object, NULL when it has none. */
PL_HIDDEN struct el_object *pl_object_find(uint64_t object);

/* The live cell of the object, made when there is none: then creator is unknown and the stack 0. */
PL_HIDDEN struct el_object *pl_object_get(struct pl_self *self, enum el_object_kind kind,
                                          uint64_t object);

/* Made by the current actor at `stack`. An earlier life at this address ends. */
PL_HIDDEN struct el_object *pl_object_created(struct pl_self *self, enum el_object_kind kind,
                                              uint64_t object, uint64_t capacity, uint32_t stack);

/* Destroyed: its cell is given back unless an actor waits on it. */
PL_HIDDEN void pl_object_gone(uint64_t object);

/* Signalled, posted, unlocked for somebody: only when it has a cell. */
PL_HIDDEN void pl_object_woken(struct pl_self *self, uint64_t object, uint32_t stack);

/* Static, stack or heap: by the modules and the current stack's bounds. */
PL_HIDDEN enum el_storage pl_storage_of(const struct pl_self *self, uint64_t address);

#endif
