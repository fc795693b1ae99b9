/*
 * units.h - the words people write after a number.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stddef.h>

/* The unit in which such amounts are kept, "ns" or "bytes", and how many of it one is; false for a
 * word that is no time and no size. K, KB and KiB are all 1024 bytes. */
bool unit_find(const char *word, size_t length, const char **base, double *factor);

#endif
