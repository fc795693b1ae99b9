/*
 * read_silent.h - which processes were followed and recorded nothing, from the file that they wrote
 * a line each into.
 */
#ifndef READ_SILENT_H
#define READ_SILENT_H

#include <stdint.h>

#include "analyzer/model/model.h"
#include "eventlog/silent.h"

/* Fills m->silent from DIR/EL_SILENT_FILE, if there is one. How many lines make no sense. */
uint64_t read_silent(const char *dir, struct model *m);

#endif
