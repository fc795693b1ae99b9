/*
 * lost-weft-struct.c - the context in a struct: each session that replaces another forgets the one
 * before, context and all. A helper makes them.
 */
#include "test-programs/common/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <weft.h>

#define SESSIONS 25

struct session {
    struct weft_ctx *ctx;
    int number;
};

static struct weft_ctx *context_of(struct weft_ctx *server)
{
    return weft_ctx_with_cancel(server); /* LOST */
}

static void begin(struct session *s, struct weft_ctx *server, int number)
{
    s->ctx = context_of(server);
    s->number = number;
    MUST(weft_ctx_err(s->ctx) == 0);
}

static void serve(void *arg)
{
    struct weft_ctx *server = weft_ctx_with_cancel(NULL);
    struct session current = {NULL, 0};

    (void)arg;
    for (int i = 0; i < SESSIONS; i++)
        begin(&current, server, i);
    printf("session %d\n", current.number);
}

int main(void)
{
    return weft_run(serve, NULL) == 0 ? 0 : 1;
}
