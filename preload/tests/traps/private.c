/*
 * private.c - reads, writes, sends and hands to threads a text that nobody else may see, with waits
 * and a held lock in between, so that much is recorded. The text comes from a file.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "preload/tests/say.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int pair[2];

static void *thread(void *text)
{
    char got[64];
    pthread_mutex_lock(&lock);
    MUST(recv(pair[0], got, sizeof got, 0) > 0);
    MUST(strstr(got, text) != NULL);
    pthread_mutex_unlock(&lock);
    return NULL;
}

int main(void)
{
    char path[256], text[64] = "";
    pthread_t t;
    int fd = open(scratch_path(path, sizeof path, "text"), O_RDONLY);
    MUST(fd >= 0 && read(fd, text, sizeof text - 1) > 8);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    MUST(pthread_create(&t, NULL, thread, text) == 0);
    poll(NULL, 0, 20); /* the thread waits meanwhile, with the lock */
    MUST(send(pair[1], text, strlen(text) + 1, 0) > 0);
    MUST(pthread_join(t, NULL) == 0);
    char *copy = strdup(text);
    MUST(copy != NULL && setenv("PRIVATE", copy, 1) == 0);
    free(copy);
    puts("done");
    return 0;
}
