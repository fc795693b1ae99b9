/*
 * busy-nonblock.c - a thread waits for its peer's answer by reading from a socket that does not
 * block, again and again.
 *
 * Look at the loop in answer.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKS 400000 /* in vain; then the peer answers */

static int ends[2];
static sem_t asked;

static char answer(void)
{
    char c = 0;

    for (long asks = 0; recv(ends[0], &c, 1, 0) < 0; asks++) { /* ASK */
        MUST(errno == EAGAIN);
        if (asks == ASKS)
            sem_post(&asked);
    }
    return c;
}

static void *peer(void *arg)
{
    sem_wait(&asked);
    MUST(write(ends[1], "!", 1) == 1);
    return arg;
}

int main(void)
{
    pthread_t thread;

    sem_init(&asked, 0, 0);
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    MUST(pthread_create(&thread, NULL, peer, NULL) == 0);
    putchar(answer());
    pthread_join(thread, NULL);
    return 0;
}
