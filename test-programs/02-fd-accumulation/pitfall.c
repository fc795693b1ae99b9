/*
 * A function reads many files and defers the close of each. What is deferred happens when the
 * function is left, not at the end of the loop's turn: all files are open at once then.
 *
 * Look at read_all: the scope is the function's. The argument is the number of files.
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

static long read_all(const char *path)
{
    char buffer[4096];
    long bytes = 0;
    WEFT_DEFERS(scope);

    for (long i = 0; i < files; i++) {
        int file = open(path, O_RDONLY | O_CLOEXEC); /* PILE */

        MUST(file >= 0);
        weft_defer(&scope, close_file, (void *)(intptr_t)file);
        bytes += read(file, buffer, sizeof buffer);
    }
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
