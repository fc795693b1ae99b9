/*
 * fd-leak-peer.c - a server reads a job from each connection and forgets to close those whose
 * client went away before it had the answer.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 60

static void ask_and_go(const struct sockaddr_in *server)
{
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(s >= 0 && connect(s, (const struct sockaddr *)server, sizeof *server) == 0);
    MUST(write(s, "job\n", 4) == 4);
    close(s);
}

static int take_job(int listener)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC); /* LEAK */
    char job[8];

    MUST(client >= 0);
    while (read(client, job, sizeof job) > 0)
        ;
    return -1; /* nobody is there to be answered */
}

int main(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), lost = 0;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    MUST(listen(listener, CLIENTS) == 0);
    for (int i = 0; i < CLIENTS; i++) {
        ask_and_go(&address);
        lost += take_job(listener) != 0;
    }
    printf("%d went away\n", lost);
    return 0;
}
