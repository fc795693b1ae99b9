/*
 * Looks like the pile and is right: a cache of 400 open tables, large and bounded, that are read
 * again and again; and connections to 300 clients, all there until the server stops.
 *
 * Look at serve: each table is read many times after the last was opened, and the clients' sockets
 * are read until the end.
 */
#include "test-programs/common/sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

#define TABLES  400
#define CLIENTS 300

static int table[TABLES], client[CLIENTS][2];

static void serve(void *path)
{
    char byte = 0;

    for (int i = 0; i < TABLES; i++) {
        table[i] = open(path, O_RDONLY | O_CLOEXEC);
        MUST(table[i] >= 0 && read(table[i], &byte, 1) == 1);
    }
    for (int i = 0; i < 5 * TABLES; i++)
        MUST(pread(table[i * 7 % TABLES], &byte, 1, i) == 1);
    for (int i = 0; i < CLIENTS; i++)
        MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, client[i]) == 0);
    for (int i = 0; i < CLIENTS; i++)
        MUST(write(client[i][0], "?", 1) == 1 && read(client[i][1], &byte, 1) == 1);
    for (int i = 0; i < CLIENTS; i++) {
        close(client[i][0]);
        close(client[i][1]);
    }
    for (int i = 0; i < TABLES; i++)
        close(table[i]);
    puts("served");
}

int main(int argc, char **argv)
{
    (void)argc;
    allow_descriptors(TABLES + 2 * CLIENTS + 100);
    return weft_run(serve, argv[0]) == 0 ? 0 : 1;
}
