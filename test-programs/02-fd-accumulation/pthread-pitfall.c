/*
 * A program opens all its files first, as streams, reads the first line of each, and closes them
 * when all are done.
 *
 * Look at main: the loop that closes comes after the loop that reads. The argument is the number of
 * files.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *open_input(const char *path)
{
    FILE *input = fopen(path, "re"); /* PILE */

    MUST(input != NULL);
    return input;
}

int main(int argc, char **argv)
{
    long files = argc > 1 ? atol(argv[1]) : 10000, lines = 0;
    FILE **input = calloc((size_t)files, sizeof *input);
    char line[256];

    allow_descriptors(files + 100);
    for (long i = 0; i < files; i++) {
        input[i] = open_input(argv[0]);
        lines += fgets(line, sizeof line, input[i]) != NULL;
    }
    for (long i = 0; i < files; i++)
        fclose(input[i]);
    free(input);
    printf("%s\n", lines == files ? "read" : "some are missing");
    return 0;
}
