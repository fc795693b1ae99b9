/*
 * pile-dirs.c - the pile of descriptors, as directories that a list keeps until all are done.
 */
#include "test-programs/common/sample.h"

#include <dirent.h>
#include <stdio.h>

#define DIRS 600

static DIR *list_of(const char *path)
{
    DIR *names = opendir(path); /* PILE */

    MUST(names != NULL && readdir(names) != NULL);
    return names;
}

int main(void)
{
    static DIR *open_dirs[DIRS];

    allow_descriptors(DIRS + 50);
    for (int i = 0; i < DIRS; i++)
        open_dirs[i] = list_of("/");
    for (int i = DIRS; i > 0; i--)
        closedir(open_dirs[i - 1]);
    puts("listed");
    return 0;
}
