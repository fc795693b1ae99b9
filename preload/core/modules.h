/*
 * modules.h - the program and libraries that are mapped, as events and for questions about
 * addresses.
 */
#ifndef PRELOAD_CORE_MODULES_H
#define PRELOAD_CORE_MODULES_H

#include <stdint.h>

#include "preload/core/gate.h"

/* Looks whether modules came or went since the last time, and writes their events. Takes the
 * loader's lock for a moment; holds none of ours. Guard on. */
PL_HIDDEN void pl_modules_refresh(struct pl_self *self);

/* Forgets what was written: a fork child's record starts empty. */
PL_HIDDEN void pl_modules_reset(void);

/* Is the address in a mapped module (its code or its data)? */
PL_HIDDEN int pl_modules_cover(uint64_t address);

/* The module that it is in; 0 and 0 where it is in none. */
PL_HIDDEN void pl_modules_range(uint64_t address, uintptr_t *lo, uintptr_t *hi);

/* Is it in the code of this library? */
PL_HIDDEN int pl_modules_own(uintptr_t address);

/* The library itself; lo == hi while it is not known. */
PL_HIDDEN void pl_modules_own_range(uintptr_t *lo, uintptr_t *hi);

#endif
