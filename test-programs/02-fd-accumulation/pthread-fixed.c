/*
 * The mend of pthread-pitfall: a function reads one file, and closes it.
 *
 * Look at first_line. The argument is the number of files.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>

static int first_line(const char *path)
{
    FILE *input = fopen(path, "re");
    char line[256];
    int found;

    MUST(input != NULL);
    found = fgets(line, sizeof line, input) != NULL;
    fclose(input);
    return found;
}

int main(int argc, char **argv)
{
    long files = argc > 1 ? atol(argv[1]) : 10000, lines = 0;

    for (long i = 0; i < files; i++)
        lines += first_line(argv[0]);
    printf("%s\n", lines == files ? "read" : "some are missing");
    return 0;
}
