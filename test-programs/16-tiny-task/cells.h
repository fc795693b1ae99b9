/*
 * cells.h - two hundred thousand cells of a table, each to be computed from its number.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <weft.h>

#define CELLS 200000

static long cells[CELLS];

static void compute(int i)
{
    cells[i] = (long)i * i;
}

static void table_done(long began_ms)
{
    long sum = 0;

    for (int i = 0; i < CELLS; i++)
        sum += cells[i];
    fprintf(stderr, "table: %ld ms\n", now_ms() - began_ms);
    printf("%ld\n", sum);
}
