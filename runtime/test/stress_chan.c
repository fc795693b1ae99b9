/* The stress of channels: many senders and receivers, selects on both ends, closes. */
#include "runtime/test/stress.h"

enum { PRODUCERS_MAX = 8, CONSUMERS_MAX = 8, RING_SIZE = 40 };

/* ---- values through one channel: each arrives once, and in the order of its producer ---- */

struct value {
    uint32_t producer, number;
};

struct flow {
    struct weft_chan *chan, *quit;
    struct weft_waitgroup producing, consuming;
    uint32_t seed, producers, consumers, items;
    uint8_t *seen; /* producers x items */
    _Atomic uint32_t received, next_producer, next_consumer;
};

static void produce(void *arg)
{
    struct flow *f = arg;
    struct value v = {.producer = f->next_producer++};
    uint32_t random = f->seed + v.producer;
    for (; v.number < f->items; v.number++) {
        uint32_t how = next_random(&random) % 8;
        struct weft_case cases[] = {WEFT_SEND(f->chan, &v), WEFT_RECV(f->quit, NULL)};
        if (how < 3) {
            CHECK(weft_chan_send(f->chan, &v) == 0);
        } else if (how < 6) {
            CHECK(weft_select(cases, 2, WEFT_FOREVER) == 0);
        } else if (how == 6) {
            while (weft_select(cases, 2, 50 * WEFT_US) == -ETIMEDOUT) {
            }
        } else {
            while (weft_chan_try_send(f->chan, &v) == -EAGAIN)
                weft_yield();
        }
    }
}

static int receive(struct flow *f, struct value *v, uint32_t how)
{
    struct weft_case cases[] = {WEFT_RECV(f->quit, NULL), WEFT_RECV(f->chan, v)};
    if (how < 4)
        return weft_chan_recv(f->chan, v);
    if (how < 7) {
        int r;
        while ((r = weft_select(cases, 2, how == 6 ? 70 * WEFT_US : WEFT_FOREVER)) == -ETIMEDOUT) {
        }
        CHECK(r == 1);
        return cases[1].ok ? 0 : -EPIPE;
    }
    for (int i = 0; i < 20; i++) { /* not for ever: a sender may be trying too */
        int r = weft_chan_try_recv(f->chan, v);
        if (r != -EAGAIN)
            return r;
        weft_yield();
    }
    return weft_chan_recv(f->chan, v);
}

static void consume(void *arg)
{
    struct flow *f = arg;
    int64_t last[PRODUCERS_MAX];
    memset(last, -1, sizeof last);
    uint32_t random = f->seed * 7 + f->next_consumer++;
    struct value v;
    while (receive(f, &v, next_random(&random) % 8) == 0) {
        CHECK(v.producer < f->producers && v.number < f->items);
        CHECK(last[v.producer] < (int64_t)v.number); /* first in, first out */
        last[v.producer] = v.number;
        uint8_t *seen = &f->seen[v.producer * f->items + v.number];
        CHECK(__atomic_exchange_n(seen, 1, __ATOMIC_RELAXED) == 0);
        f->received++;
    }
}

void stress_flow(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    static const size_t capacities[] = {0, 0, 1, 2, 16, 128};
    struct flow *f = calloc(1, sizeof *f);
    f->seed = random;
    f->producers = 1 + next_random(&random) % PRODUCERS_MAX;
    f->consumers = 1 + next_random(&random) % CONSUMERS_MAX;
    f->items = 200 + next_random(&random) % 1000;
    f->seen = calloc(f->producers, f->items);
    f->chan = weft_chan_new(sizeof(struct value), capacities[next_random(&random) % 6]);
    f->quit = weft_chan_new(0, 0);
    for (uint32_t i = 0; i < f->consumers; i++)
        CHECK(weft_waitgroup_go(&f->consuming, consume, f) == 0);
    for (uint32_t i = 0; i < f->producers; i++)
        CHECK(weft_waitgroup_go(&f->producing, produce, f) == 0);
    weft_waitgroup_wait(&f->producing);
    weft_chan_close(f->chan);
    weft_waitgroup_wait(&f->consuming);
    CHECK(f->received == f->producers * f->items);
    weft_chan_release(f->chan);
    weft_chan_release(f->quit);
    free(f->seen);
    free(f);
}

/* ---- a token that goes round a ring: a lost wake-up stops it ---- */

struct ring {
    struct weft_chan *chan[RING_SIZE];
    struct weft_waitgroup wg;
    _Atomic int next;
};

static void pass(void *arg)
{
    struct ring *ring = arg;
    int me = ring->next++;
    int64_t hops;
    while (weft_chan_recv(ring->chan[me], &hops) == 0) {
        if (hops-- == 0)
            break;
        CHECK(weft_chan_send(ring->chan[(me + 1) % RING_SIZE], &hops) == 0);
    }
    for (int i = 0; hops < 0 && i < RING_SIZE; i++) {
        if (i != me)
            weft_chan_close(ring->chan[i]);
    }
}

void stress_ring(void *arg)
{
    (void)arg;
    struct ring *ring = calloc(1, sizeof *ring);
    int64_t hops = 3000;
    for (int i = 0; i < RING_SIZE; i++)
        ring->chan[i] = weft_chan_new(sizeof hops, 0);
    for (int i = 0; i < RING_SIZE; i++)
        weft_waitgroup_go(&ring->wg, pass, ring);
    weft_chan_send(ring->chan[0], &hops);
    weft_waitgroup_wait(&ring->wg);
    for (int i = 0; i < RING_SIZE; i++)
        weft_chan_release(ring->chan[i]);
    free(ring);
}

/* ---- selects that send and receive on shared channels: nothing is lost, doubled or out of order
 */

enum { SHARED = 4, TRADERS_MAX = 10, TRADES = 600 };

struct token {
    uint32_t trader, number; /* counted for each trader and channel */
};

struct exchange {
    struct weft_chan *chan[SHARED], *quit;
    struct weft_waitgroup wg;
    uint32_t seed, traders, trades;
    _Atomic uint32_t next, done;
    _Atomic uint64_t sent, received;
    uint8_t seen[SHARED][TRADERS_MAX][TRADERS_MAX * TRADES];
};

struct trader {
    uint32_t sent[SHARED];
    int64_t last[SHARED][TRADERS_MAX]; /* of each trader's tokens, what came last */
};

static void take_token_in(struct exchange *x, struct trader *t, uint32_t k, struct token token)
{
    CHECK(token.trader < x->traders && token.number < TRADERS_MAX * TRADES);
    CHECK(t->last[k][token.trader] < (int64_t)token.number);
    t->last[k][token.trader] = token.number;
    CHECK(__atomic_exchange_n(&x->seen[k][token.trader][token.number], 1, __ATOMIC_RELAXED) == 0);
    x->received++;
}

/* One select with a random set of sends and receives. False: it is to quit. */
static bool trade(struct exchange *x, struct trader *t, uint32_t me, uint32_t *random)
{
    struct weft_case cases[2 * SHARED + 1];
    struct token out[SHARED], in[SHARED];
    uint32_t lane[2 * SHARED];
    unsigned n = 0;
    for (uint32_t k = 0; k < SHARED; k++) {
        uint32_t how = next_random(random) % 4;
        out[k] = (struct token){me, t->sent[k]};
        if (how & 1) {
            lane[n] = k;
            cases[n++] = (struct weft_case)WEFT_SEND(x->chan[k], &out[k]);
        }
        if (how & 2) {
            lane[n] = k;
            cases[n++] = (struct weft_case)WEFT_RECV(x->chan[k], &in[k]);
        }
    }
    cases[n] = (struct weft_case)WEFT_RECV(x->quit, NULL);
    /* One of them does not wait for ever: all might wait for each other. */
    int64_t limit = me != 0 && next_random(random) % 8 ? WEFT_FOREVER : 20 * WEFT_US;
    int r = weft_select(cases, n + 1, limit);
    if (r == -ETIMEDOUT)
        return true;
    CHECK(r >= 0 && r <= (int)n);
    if (r == (int)n)
        return false;
    CHECK(cases[r].ok);
    if (cases[r].kind == WEFT_CASE_SEND) {
        t->sent[lane[r]]++;
        x->sent++;
    } else {
        take_token_in(x, t, lane[r], in[lane[r]]);
    }
    return true;
}

static void trade_on(void *arg)
{
    struct exchange *x = arg;
    uint32_t me = x->next++, random = x->seed + me;
    struct trader *t = calloc(1, sizeof *t);
    memset(t->last, -1, sizeof t->last);
    while (trade(x, t, me, &random)) {
        if (++x->done == x->trades)
            weft_chan_close(x->quit);
    }
    free(t);
}

void stress_exchange(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    static const size_t capacities[] = {0, 0, 1, 5};
    struct exchange *x = calloc(1, sizeof *x);
    x->traders = 2 + next_random(&random) % (TRADERS_MAX - 1);
    x->trades = x->traders * TRADES / 2;
    x->seed = random;
    x->quit = weft_chan_new(0, 0);
    for (int k = 0; k < SHARED; k++)
        x->chan[k] = weft_chan_new(sizeof(struct token), capacities[next_random(&random) % 4]);
    for (uint32_t i = 0; i < x->traders; i++)
        CHECK(weft_waitgroup_go(&x->wg, trade_on, x) == 0);
    weft_waitgroup_wait(&x->wg);
    struct token token;
    for (int k = 0; k < SHARED; k++) {
        while (weft_chan_try_recv(x->chan[k], &token) == 0) {
            CHECK(x->seen[k][token.trader][token.number]++ == 0);
            x->received++;
        }
        weft_chan_release(x->chan[k]);
    }
    CHECK(x->sent == x->received);
    weft_chan_release(x->quit);
    free(x);
}

/* ---- closes: every receiver returns, after all that was sent ---- */

struct closing {
    struct weft_chan *data, *never;
    struct weft_waitgroup wg;
    _Atomic uint32_t next, received;
};

static void receive_until_closed(void *arg)
{
    struct closing *c = arg;
    uint32_t me = c->next++;
    for (;;) {
        uint32_t v = 7;
        struct weft_case cases[] = {WEFT_RECV(c->never, NULL), WEFT_RECV(c->data, &v)};
        int ok;
        if (me % 3 == 0) {
            ok = weft_chan_recv(c->data, &v) == 0;
        } else {
            int r = weft_select(cases, 2, me % 3 == 1 ? WEFT_FOREVER : 10 * WEFT_US);
            if (r == -ETIMEDOUT)
                continue;
            CHECK(r == 1);
            ok = cases[1].ok;
        }
        CHECK(v == (ok ? 9 : 0));
        if (!ok)
            return;
        c->received++;
    }
}

void stress_closing(void *arg)
{
    uint32_t random = *(uint32_t *)arg;
    for (int i = 0; i < 40; i++) {
        struct closing *c = calloc(1, sizeof *c);
        uint32_t n = next_random(&random) % 20, receivers = 1 + next_random(&random) % 6, v = 9;
        c->data = weft_chan_new(sizeof v, next_random(&random) % 4);
        c->never = weft_chan_new(0, 0);
        for (uint32_t k = 0; k < receivers; k++)
            CHECK(weft_waitgroup_go(&c->wg, receive_until_closed, c) == 0);
        for (uint32_t k = 0; k < n; k++)
            CHECK(weft_chan_send(c->data, &v) == 0);
        if (next_random(&random) % 2)
            weft_yield();
        weft_chan_close(c->data);
        weft_waitgroup_wait(&c->wg);
        CHECK(c->received == n);
        weft_chan_release(c->data);
        weft_chan_release(c->never);
        free(c);
    }
}
