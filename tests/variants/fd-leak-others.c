/*
 * fd-leak-others.c - a file for each upload, which nobody closes: each is another one, as they are
 * in a cache of open files.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define UPLOADS 40

static void upload(int number)
{
    char name[64];

    snprintf(name, sizeof name, "/tmp/upload.%d.%d", (int)getpid(), number);
    int file = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600); /* LEAK */
    MUST(file >= 0 && write(file, "data", 4) == 4);
    unlink(name);
}

int main(void)
{
    for (int i = 0; i < UPLOADS; i++)
        upload(i);
    puts("uploaded");
    return 0;
}
