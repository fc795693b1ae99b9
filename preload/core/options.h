/*
 * options.h - options.def as a struct, read once from the environment.
 */
#ifndef PRELOAD_CORE_OPTIONS_H
#define PRELOAD_CORE_OPTIONS_H

#include <stdint.h>

#include "preload/core/gate.h"

struct pl_options {
#define EL_OPTION(name, preset, least, most, text) uint64_t name;
#include "eventlog/options.def"
#undef EL_OPTION
    char dir[4096]; /* "": do nothing */
    int follow;
    int root_pid;                       /* 0 when not given */
    uint64_t tsc_hz, tsc_ticks, tsc_ns; /* 0 when not given */
};

/* The ones of options.def are unsigned in use; depth is used as a count. */
extern PL_HIDDEN struct pl_options pl_options;

PL_HIDDEN void pl_options_read(void);

/* Calls back with the name and value of each option of options.def. */
PL_HIDDEN void pl_options_each(void (*on)(const char *name, uint64_t value, void *ctx), void *ctx);

/* For tests: sets from a text as LOITER_OPTIONS has it. */
PL_HIDDEN void pl_options_parse(const char *text);

#endif
