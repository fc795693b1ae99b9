/*
 * requests.h - requests of 64 KiB that come in, and an audit of who paid what, sent batch by batch.
 */
#include "test-programs/common/sample.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCHES 3

/* Requests in a batch: all of them are waiting at once when it is sent. */
static inline int batch_size(int argc, char **argv, int usually)
{
    return argc > 1 ? atoi(argv[1]) : usually;
}

struct request {
    long user, amount;
    char body[64 * 1024 - 2 * sizeof(long)];
};

static atomic_long audited;

/* As it comes from the network. */
static inline void read_into(struct request *request, int number)
{
    request->user = number;
    request->amount = number % 10;
    memset(request->body, 'a' + number % 26, sizeof request->body);
}

static inline struct request *read_request(int number)
{
    struct request *request = malloc(sizeof *request);

    MUST(request != NULL);
    read_into(request, number);
    return request;
}

static inline void note(long user, long amount)
{
    atomic_fetch_add(&audited, user * amount);
}
