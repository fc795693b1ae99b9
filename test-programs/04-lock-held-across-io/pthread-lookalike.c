/*
 * Looks like the mistake and is right: the lock that is held over the waiting belongs to one
 * connection and nobody else wants it meanwhile; the lock that all want covers copying and
 * computing only.
 *
 * Look at query and at account.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS 4
#define QUERIES 10

struct connection {
    pthread_mutex_t lock;
    int fd;
};

static pthread_mutex_t totals_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned char totals[1 << 16];
static int port;

/* The lock makes question and answer one step; each connection has one user. */
static char query(struct connection *connection)
{
    struct sockaddr_in address;
    char answer;

    loopback_address(port, &address);
    pthread_mutex_lock(&connection->lock);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(connect(connection->fd, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(read(connection->fd, &answer, 1) == 1);
    close(connection->fd);
    pthread_mutex_unlock(&connection->lock);
    return answer;
}

static void account(char answer)
{
    static unsigned char copy[sizeof totals];

    pthread_mutex_lock(&totals_lock);
    for (int turn = 0; turn < 8; turn++) {
        memcpy(copy, totals, sizeof copy);
        for (size_t i = 0; i < sizeof totals; i++)
            totals[i] = (unsigned char)(copy[i] + answer);
    }
    pthread_mutex_unlock(&totals_lock);
}

static void *client(void *arg)
{
    struct connection connection = {.lock = PTHREAD_MUTEX_INITIALIZER};

    for (int i = 0; i < QUERIES; i++)
        account(query(&connection));
    pthread_mutex_destroy(&connection.lock);
    return arg;
}

int main(void)
{
    pthread_t threads[THREADS];

    port = slow_server_start(5);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, client, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    printf("%d queries\n", THREADS * QUERIES);
    return 0;
}
