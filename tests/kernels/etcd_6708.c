/*
 * etcd_6708: Sync takes the client's lock for writing and calls, through an interface, a function
 * that takes it for reading.
 */
#include "tests/kernels/kernel.h"

struct client {
    struct weft_rwmutex lock;
    int (*send)(struct client *client);
    int endpoints;
};

static int send_locked(struct client *client)
{
    return client->endpoints;
}

static int send_request(struct client *client)
{
    int endpoints;

    weft_rwmutex_rlock(&client->lock); /* LEAK */
    endpoints = client->endpoints;
    weft_rwmutex_runlock(&client->lock);
    return endpoints;
}

static void synchronize(void *arg)
{
    struct client *client = arg;

    weft_rwmutex_lock(&client->lock); /* HELD */
    client->endpoints = client->send(client) + 1;
    weft_rwmutex_unlock(&client->lock);
}

static void test(void *arg)
{
    static struct client client;

    (void)arg;
    client.send = fixed ? send_locked : send_request;
    spawn(synchronize, &client); /* SPAWN */
    settle();
    puts("synchronized");
}

KERNEL(test)
