/*
 * The mend of pitfall: the body of the loop is a function of its own, and closes what it opens.
 *
 * Look at read_one: its block ends at each turn. The argument is the number of files.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weft.h>

static long files = 10000;

static void close_file(void *file)
{
    close((int)(intptr_t)file);
}

static long read_one(const char *path)
{
    char buffer[4096];
    int file = open(path, O_RDONLY | O_CLOEXEC);

    MUST(file >= 0);
    WEFT_DEFER(close_file, (void *)(intptr_t)file);
    return read(file, buffer, sizeof buffer);
}

static long read_all(const char *path)
{
    long bytes = 0;

    for (long i = 0; i < files; i++)
        bytes += read_one(path);
    return bytes;
}

static void serve(void *path)
{
    printf("%s\n", read_all(path) > 0 ? "read" : "nothing to read");
}

int main(int argc, char **argv)
{
    if (argc > 1)
        files = atol(argv[1]);
    allow_descriptors(files + 100);
    return weft_run(serve, argv[0]) == 0 ? 0 : 1;
}
