/*
 * many-ports.c - looks like a client that does not take no for an answer: it asks each of many
 * ports whether somebody is there, and is refused nearly everywhere.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS 12000

static int is_there(int port)
{
    struct sockaddr_in address;
    loopback_address(port, &address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    MUST(fd >= 0);
    int result = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return result == 0;
}

int main(void)
{
    int there = 0;

    for (int port = 1; port <= PORTS; port++)
        there += is_there(port);
    MUST(there < PORTS);
    puts("asked");
    return 0;
}
