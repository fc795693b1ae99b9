/* The stress of descriptors, of calls that block, and of threads that are not Weft's. */
#include "runtime/test/stress.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- sockets: each question is answered ---- */

static void echo(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buffer[256];
    ssize_t n;
    while ((n = weft_read(fd, buffer, sizeof buffer)) > 0)
        CHECK(weft_write(fd, buffer, (size_t)n) == n);
    weft_close(fd);
}

static void talk(void *arg)
{
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    CHECK(weft_waitgroup_go(arg, echo, (void *)(intptr_t)fds[1]) == 0);
    for (uint32_t i = 0; i < 200; i++) {
        uint32_t in;
        CHECK(weft_write(fds[0], &i, sizeof i) == sizeof i);
        if (i % 16 == 0)
            CHECK(weft_poll(fds[0], POLLIN, 10 * WEFT_S) == POLLIN);
        CHECK(weft_read(fds[0], &in, sizeof in) == sizeof in && in == i);
    }
    weft_close(fds[0]);
}

void stress_sockets(void *arg)
{
    (void)arg;
    struct weft_waitgroup wg = {0};
    for (int i = 0; i < 6; i++)
        CHECK(weft_waitgroup_go(&wg, talk, &wg) == 0);
    weft_waitgroup_wait(&wg);
}

/* ---- a pipe: what goes in comes out, in order, whatever the pieces ---- */

enum { PIPE_BYTES = 300000, PIECE_MAX = 9000 };

struct flood {
    int fds[2];
    struct weft_waitgroup wg;
    uint32_t seed;
};

static unsigned char byte_at(size_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

static void pour(void *arg)
{
    struct flood *f = arg;
    unsigned char piece[PIECE_MAX];
    uint32_t random = f->seed;
    for (size_t at = 0; at < PIPE_BYTES;) {
        size_t n = 1 + next_random(&random) % PIECE_MAX;
        if (n > PIPE_BYTES - at)
            n = PIPE_BYTES - at;
        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(at + i);
        CHECK(weft_write(f->fds[1], piece, n) == (ssize_t)n);
        at += n;
    }
    CHECK(weft_close(f->fds[1]) == 0);
}

void stress_pipes(void *arg)
{
    struct flood f = {.seed = *(uint32_t *)arg};
    unsigned char piece[PIECE_MAX];
    uint32_t random = f.seed + 1;
    size_t at = 0;
    CHECK(pipe2(f.fds, O_CLOEXEC) == 0);
    CHECK(weft_waitgroup_go(&f.wg, pour, &f) == 0);
    for (ssize_t n;; at += (size_t)n) {
        if (next_random(&random) % 8 == 0) {
            int r = weft_poll(f.fds[0], POLLIN, next_random(&random) % 20000);
            CHECK(r >= 0);
        }
        n = weft_read(f.fds[0], piece, 1 + next_random(&random) % PIECE_MAX);
        CHECK(n >= 0);
        if (n == 0)
            break;
        for (ssize_t i = 0; i < n; i++)
            CHECK(piece[i] == byte_at(at + (size_t)i));
    }
    CHECK(at == PIPE_BYTES);
    weft_waitgroup_wait(&f.wg);
    CHECK(weft_close(f.fds[0]) == 0);
}

/* ---- closing a descriptor ends the waits for it ---- */

enum { WAITERS = 3, HIGH_NUMBERS = 600, NUMBERS = 300 };

struct waiters {
    int fd;
    struct weft_waitgroup wg;
    _Atomic int next;
};

static void wait_for_close(void *arg)
{
    struct waiters *w = arg;
    char byte;
    int how = w->next++ % 3, r;
    if (how == 0)
        r = (int)weft_read(w->fd, &byte, 1);
    else
        r = weft_poll(w->fd, POLLIN, how == 1 ? WEFT_FOREVER : 60 * WEFT_S);
    CHECK(r == -EBADF);
}

/* The number is one that nobody else gets meanwhile: a waiter that comes late finds it closed. */
void stress_closed_descriptors(void *arg)
{
    static _Atomic int numbers;
    uint32_t random = *(uint32_t *)arg;
    for (int i = 0; i < 20; i++) {
        struct waiters w = {.next = 0};
        int fds[2];
        CHECK(pipe2(fds, O_CLOEXEC) == 0);
        w.fd = fcntl(fds[0], F_DUPFD_CLOEXEC, HIGH_NUMBERS + numbers++ % NUMBERS);
        CHECK(w.fd >= 0);
        for (int k = 0; k < WAITERS; k++)
            CHECK(weft_waitgroup_go(&w.wg, wait_for_close, &w) == 0);
        for (uint32_t k = next_random(&random) % 6; k > 0; k--)
            weft_yield();
        CHECK(weft_close(w.fd) == 0);
        weft_waitgroup_wait(&w.wg);
        CHECK(weft_close(fds[0]) == 0 && weft_close(fds[1]) == 0);
    }
}

/* ---- calls that block ---- */

struct calls {
    struct weft_waitgroup wg;
    uint32_t seed;
    _Atomic uint32_t next, made;
};

static void call(void *arg)
{
    uint32_t *ns = arg;
    if (*ns % 3 == 0)
        usleep(*ns % 200);
    *ns = 0;
}

static void make_calls(void *arg)
{
    struct calls *c = arg;
    uint32_t random = c->seed + c->next++;
    for (int i = 0; i < 15; i++) {
        uint32_t ns = 1 + next_random(&random);
        CHECK(weft_blocking(call, &ns) == 0 && ns == 0);
        c->made++;
    }
}

void stress_blocking(void *arg)
{
    struct calls c = {.seed = *(uint32_t *)arg};
    for (int i = 0; i < 4; i++)
        CHECK(weft_waitgroup_go(&c.wg, make_calls, &c) == 0);
    weft_waitgroup_wait(&c.wg);
    CHECK(c.made == 60);
}

/* ---- plain threads: they send and receive, lock, and wait for tasks as tasks do ---- */

enum { THREADS = 3, THREAD_ITEMS = 60 };

struct mixed {
    struct weft_chan *in, *out;
    struct weft_mutex mutex;
    struct weft_waitgroup wg;
    long count;
    _Atomic uint64_t sum;
};

static void count_locked(struct mixed *m)
{
    weft_mutex_lock(&m->mutex);
    m->count++;
    weft_mutex_unlock(&m->mutex);
}

static void *thread_main(void *arg)
{
    struct mixed *m = arg;
    for (uint64_t i = 1; i <= THREAD_ITEMS; i++) {
        uint64_t answer;
        struct weft_case cases[] = {WEFT_RECV(NULL, NULL), WEFT_RECV(m->out, &answer)};
        CHECK(weft_chan_send(m->in, &i) == 0);
        if (i % 2)
            CHECK(weft_chan_recv(m->out, &answer) == 0);
        else
            CHECK(weft_select(cases, 2, WEFT_FOREVER) == 1);
        m->sum += answer;
        count_locked(m);
    }
    weft_waitgroup_done(&m->wg);
    return NULL;
}

static void answer_threads(void *arg)
{
    struct mixed *m = arg;
    uint64_t v;
    while (weft_chan_recv(m->in, &v) == 0) {
        count_locked(m);
        v *= 2;
        CHECK(weft_chan_send(m->out, &v) == 0);
    }
    weft_waitgroup_done(&m->wg);
}

void stress_threads(void *arg)
{
    struct mixed *m = calloc(1, sizeof *m);
    pthread_t threads[THREADS];
    m->in = weft_chan_new(sizeof(uint64_t), *(uint32_t *)arg % 3);
    m->out = weft_chan_new(sizeof(uint64_t), 0);
    weft_waitgroup_add(&m->wg, THREADS);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, m) == 0);
    CHECK(weft_go(answer_threads, m) == 0 && weft_go(answer_threads, m) == 0);
    weft_waitgroup_wait(&m->wg);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(m->sum == (uint64_t)THREADS * THREAD_ITEMS * (THREAD_ITEMS + 1));
    weft_waitgroup_add(&m->wg, 2);
    weft_chan_close(m->in);
    weft_waitgroup_wait(&m->wg);
    CHECK(m->count == 2L * THREADS * THREAD_ITEMS);
    weft_chan_release(m->in);
    weft_chan_release(m->out);
    free(m);
}

/* ---- tasks that keep their thread ---- */

struct locked {
    struct weft_chan *chan;
    struct weft_waitgroup wg;
    _Atomic int next;
};

static void keep_thread(void *arg)
{
    struct locked *l = arg;
    bool sends = l->next++ % 2;
    CHECK(weft_lock_thread() == 0 && weft_lock_thread() == 0);
    pid_t me = gettid();
    for (int i = 0; i < 30; i++) {
        CHECK((sends ? weft_chan_send(l->chan, NULL) : weft_chan_recv(l->chan, NULL)) == 0);
        CHECK(gettid() == me);
        if (i % 8 == 0)
            weft_sleep(10 * WEFT_US);
        if (i % 8 == 4)
            weft_yield();
        if (i == 15)
            weft_unlock_thread();
        CHECK(gettid() == me);
    }
    weft_unlock_thread();
    weft_yield();
}

void stress_locked_threads(void *arg)
{
    struct locked l = {.chan = weft_chan_new(0, *(uint32_t *)arg % 2)};
    for (int i = 0; i < 4; i++)
        CHECK(weft_waitgroup_go(&l.wg, keep_thread, &l) == 0);
    weft_waitgroup_wait(&l.wg);
    weft_chan_release(l.chan);
}

/* ---- tasks that the end of the run leaves behind, wherever they stand ---- */

struct left {
    struct weft_chan *chan;
    struct weft_mutex mutex;
    int fds[2];
    _Atomic int next;
};

static void stay(void *arg)
{
    struct left *l = arg;
    char byte;
    struct weft_case cases[] = {WEFT_RECV(l->chan, NULL), WEFT_SEND(l->chan, NULL)};
    switch (l->next++) {
    case 0:
        weft_chan_recv(l->chan, NULL);
        break;
    case 1:
        weft_sleep(3600 * WEFT_S);
        break;
    case 2:
        weft_read(l->fds[0], &byte, 1);
        break;
    case 3:
        weft_select(cases, 1, 3600 * WEFT_S);
        break;
    default:
        weft_mutex_lock(&l->mutex);
    }
    CHECK(!"a task that was left goes on");
}

/* It closes its pipe in the round after, when nobody may wait for it any more. */
void stress_left_behind(void *arg)
{
    static struct left *last;
    (void)arg;
    struct left *l = calloc(1, sizeof *l),
                *before = __atomic_exchange_n(&last, l, __ATOMIC_ACQ_REL);
    l->chan = weft_chan_new(0, 0);
    CHECK(pipe2(l->fds, O_CLOEXEC) == 0);
    weft_mutex_lock(&l->mutex);
    for (int i = 0; i < 5; i++)
        CHECK(weft_go(stay, l) == 0);
    while (l->next < 5)
        weft_yield();
    if (before)
        CHECK(close(before->fds[0]) == 0 && close(before->fds[1]) == 0);
}
