/*
 * Looks like the mistake and is right: hundreds of tasks wait at the same time, for an answer on a
 * socket; but they wait as tasks do, and hold no thread.
 *
 * Look at weft_read: where the answer is not there yet, the task parks.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <weft.h>

#define REQUESTS 400

static int sockets[2];
static struct weft_waitgroup requests;

static void request(void *arg)
{
    char answer;

    (void)arg;
    MUST(weft_read(sockets[0], &answer, 1) == 1);
    weft_waitgroup_done(&requests);
}

static void serve(void *arg)
{
    static const char answers[REQUESTS];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
    weft_waitgroup_add(&requests, REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        MUST(weft_go(request, arg) == 0);
    weft_sleep(20 * WEFT_MS);
    MUST(write(sockets[1], answers, sizeof answers) == (ssize_t)sizeof answers);
    weft_waitgroup_wait(&requests);
    printf("%d requests\n", REQUESTS);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
