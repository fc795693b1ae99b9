/*
 * Looks like the mistake and is right: the lock that is held over the waiting belongs to one
 * connection and nobody else wants it meanwhile; the lock that all want covers computing only.
 *
 * Look at query and at account.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <stdio.h>
#include <weft.h>

#define TASKS   4
#define QUERIES 10

struct connection {
    struct weft_mutex lock;
    int fd;
};

static struct weft_mutex totals_lock;
static unsigned char totals[1 << 16];
static int port;

/* The lock makes question and answer one step; each connection has one user. */
static char query(struct connection *connection)
{
    struct sockaddr_in address;
    char answer;

    loopback_address(port, &address);
    weft_mutex_lock(&connection->lock);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(weft_connect(connection->fd, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(weft_read(connection->fd, &answer, 1) == 1);
    weft_close(connection->fd);
    weft_mutex_unlock(&connection->lock);
    return answer;
}

static void account(char answer)
{
    weft_mutex_lock(&totals_lock);
    for (size_t i = 0; i < sizeof totals; i++)
        totals[i] = (unsigned char)(totals[i] * 3 + answer);
    weft_mutex_unlock(&totals_lock);
}

static void client(void *arg)
{
    struct connection connection = {.fd = -1};

    (void)arg;
    for (int i = 0; i < QUERIES; i++)
        account(query(&connection));
}

static void serve(void *arg)
{
    struct weft_waitgroup clients = {0};

    (void)arg;
    for (int i = 0; i < TASKS; i++)
        MUST(weft_waitgroup_go(&clients, client, NULL) == 0);
    weft_waitgroup_wait(&clients);
    printf("%d queries\n", TASKS * QUERIES);
}

int main(void)
{
    port = slow_server_start(5);
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
