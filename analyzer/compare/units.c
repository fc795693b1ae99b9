/*
 * units.c - see units.h.
 */
#include "analyzer/compare/units.h"

#include <string.h>

static const struct {
    const char *word, *base;
    double factor;
} units[] = {
    {"ns", "ns", 1},
    {"us", "ns", 1e3},
    {"ms", "ns", 1e6},
    {"s", "ns", 1e9},
    {"min", "ns", 60e9},
    {"h", "ns", 3600e9},
    {"B", "bytes", 1},
    {"bytes", "bytes", 1},
    {"K", "bytes", 1024},
    {"KB", "bytes", 1024},
    {"KiB", "bytes", 1024},
    {"M", "bytes", 1048576},
    {"MB", "bytes", 1048576},
    {"MiB", "bytes", 1048576},
    {"G", "bytes", 1073741824},
    {"GB", "bytes", 1073741824},
    {"GiB", "bytes", 1073741824},
};

bool unit_find(const char *word, size_t length, const char **base, double *factor)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strlen(units[i].word) != length || memcmp(units[i].word, word, length) != 0)
            continue;
        *base = units[i].base;
        *factor = units[i].factor;
        return true;
    }
    return false;
}
