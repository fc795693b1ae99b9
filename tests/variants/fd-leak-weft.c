/*
 * fd-leak-weft.c - each task opens a file, reads from it and ends without closing it.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <weft.h>

#define REQUESTS 30

static void request(void *path)
{
    char byte;
    int file = open(path, O_RDONLY | O_CLOEXEC); /* LEAK */

    MUST(file >= 0 && read(file, &byte, 1) == 1);
}

static void serve(void *path)
{
    struct weft_waitgroup requests = {0};

    for (int i = 0; i < REQUESTS; i++)
        weft_waitgroup_go(&requests, request, path);
    weft_waitgroup_wait(&requests);
    puts("served");
}

int main(int argc, char **argv)
{
    (void)argc;
    return weft_run(serve, argv[0]) == 0 ? 0 : 1;
}
