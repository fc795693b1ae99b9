/*
 * fd-leak-open.c - a descriptor left open on the path of an error: each file that does not begin as
 * it should.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILES 60

static int open_for(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC); /* LEAK */
}

static int load(const char *path)
{
    char magic[4];
    int file = open_for(path);

    MUST(file >= 0);
    if (read(file, magic, sizeof magic) != sizeof magic || magic[0] == 0x7f)
        return -1;
    close(file);
    return 0;
}

int main(int argc, char **argv)
{
    int bad = 0;

    (void)argc;
    for (int i = 0; i < FILES; i++)
        bad += load(argv[0]) != 0;
    printf("%d bad\n", bad);
    return 0;
}
