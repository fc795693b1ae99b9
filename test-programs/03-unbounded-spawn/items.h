/* items.h - the input of pitfall and fixed, and what an item takes. */
#ifndef ITEMS_H
#define ITEMS_H

#include <stdlib.h>

#define ITEMS_DEFAULT 10000

static int items = ITEMS_DEFAULT;

/* Some ten microseconds of work. */
static inline void handle_item(void)
{
    for (volatile int i = 0; i < 30000; i++)
        ;
}

static inline void read_arguments(int argc, char **argv)
{
    if (argc > 1)
        items = atoi(argv[1]);
}

#endif
