/*
 * What happens without memory and without threads: a program in which the n-th request fails, for
 * n from 1 up to the first that asks for no more. It must end each time: with an error from the
 * call that needed what it did not get, or, where nobody is there to tell, with one line and
 * abort(). Never with a crash, never without an end.
 *
 *     weft_no_memory                   all
 *     weft_no_memory KIND N WORKERS    one, as a process of its own
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft.h>

#include "runtime/test/number.h"

enum { LIMIT_SECONDS = 60, REQUESTS_MAX = 400, WORKERS_MAX = 256 };
enum kind { HEAP, MAPPING, THREAD, DESCRIPTOR, KINDS };

static const char *const names[] = {"heap", "mapping", "thread", "descriptor"};

/* ---- requests that fail ---- */

static _Atomic int left[KINDS]; /* until the one that fails; 0: none does */
static _Atomic bool failed;

static bool fails(enum kind kind)
{
    if (left[kind] == 0 || --left[kind] != 0)
        return false;
    failed = true;
    return true;
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    return fails(HEAP) ? (errno = ENOMEM, NULL) : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return fails(HEAP) ? (errno = ENOMEM, NULL) : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return fails(HEAP) ? (errno = ENOMEM, NULL) : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return fails(HEAP) ? (errno = ENOMEM, NULL) : __libc_memalign(alignment, size);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static void *(*next)(void *, size_t, int, int, int, off_t);
    if (!next)
        next = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
    return fails(MAPPING) ? (errno = ENOMEM, MAP_FAILED)
                          : next(at, size, protection, flags, fd, offset);
}

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!next)
        next = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
            RTLD_NEXT, "pthread_create");
    return fails(THREAD) ? EAGAIN : next(id, attr, fn, arg);
}

int epoll_create1(int flags)
{
    static int (*next)(int);
    if (!next)
        next = (int (*)(int))dlsym(RTLD_NEXT, "epoll_create1");
    return fails(DESCRIPTOR) ? (errno = EMFILE, -1) : next(flags);
}

int eventfd(unsigned value, int flags)
{
    static int (*next)(unsigned, int);
    if (!next)
        next = (int (*)(unsigned, int))dlsym(RTLD_NEXT, "eventfd");
    return fails(DESCRIPTOR) ? (errno = EMFILE, -1) : next(value, flags);
}

/* ---- the program: a bit of everything, each error allowed that says what was missing ---- */

static bool told(int r)
{
    if (r >= 0)
        return false;
    if (r != -ENOMEM && r != -EAGAIN && r != -EMFILE) {
        fprintf(stderr, "an error that says something else: %d\n", r);
        _exit(3);
    }
    return true;
}

static void must_line(int line, const char *text)
{
    fprintf(stderr, "line %d: %s\n", line, text);
    _exit(4);
}

#define must(condition) ((condition) ? (void)0 : must_line(__LINE__, #condition))

static void nothing(void *arg)
{
    (void)arg;
}

static void use_channels(void)
{
    struct weft_chan *c[10] = {NULL};
    struct weft_case cases[10];
    for (int i = 0; i < 10; i++) {
        if (!(c[i] = weft_chan_new(8, 1)))
            break;
        cases[i] = (struct weft_case)WEFT_RECV(c[i], NULL);
    }
    int r = c[9] ? weft_select(cases, 10, 0) : 0;
    if (r != -ETIMEDOUT)
        told(r);
    for (int i = 0; i < 10; i++)
        weft_chan_release(c[i]);
}

static void use_time(void)
{
    struct weft_timer *t = weft_timer_new(WEFT_S), *f = weft_timer_func(1, nothing, NULL);
    struct weft_ticker *k = weft_ticker_new(WEFT_MS);
    struct weft_chan *a = weft_after(1);
    if (a)
        weft_chan_recv(a, NULL);
    if (t)
        weft_timer_reset(t, 2 * WEFT_S);
    weft_sleep(1000);
    weft_timer_free(t);
    weft_timer_free(f);
    weft_ticker_free(k);
    weft_chan_release(a);
}

static void use_contexts(void)
{
    struct weft_ctx *a = weft_ctx_with_cancel(NULL), *b = weft_ctx_with_timeout(a, WEFT_MS);
    struct weft_ctx *c = weft_ctx_with_value(b, &names, NULL);
    struct weft_ctx *d = weft_ctx_without_cancel(b);
    struct weft_ctx *e = weft_ctx_with_deadline_cause(d, weft_now() + WEFT_S, -EIO);
    struct weft_ctx_func *f = a ? weft_ctx_after_func(a, nothing, NULL) : NULL;
    struct weft_sem *sem = weft_sem_new(1);
    if (b)
        weft_chan_recv(weft_ctx_done(b), NULL);
    weft_ctx_cancel(a);
    weft_ctx_cancel(e);
    if (f)
        must(weft_ctx_func_stop(f) == 0);
    weft_ctx_release(e);
    weft_ctx_release(d);
    weft_ctx_release(c);
    weft_ctx_release(b);
    weft_ctx_release(a);
    weft_sem_free(sem);
}

static void use_descriptors(void)
{
    int fds[2];
    char byte = 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return;
    int r = weft_poll(fds[0], 1, 1000);
    if (r < 0)
        told(r);
    told((int)weft_write(fds[1], &byte, 1));
    told((int)weft_read(fds[0], &byte, 1));
    weft_close(fds[0]);
    weft_close(fds[1]);
}

/* A server's end and a client's. */
static void use_network(void)
{
    struct sockaddr_in at = {0};
    socklen_t length = sizeof at;
    char address[32];
    int server = weft_listen("tcp4", "127.0.0.1:0"), client = -1;
    if (told(server))
        return;
    getsockname(server, (struct sockaddr *)&at, &length);
    snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
    if (!told(weft_set_deadline(server, weft_now() + 10 * WEFT_S)) &&
        !told(client = weft_dial("tcp4", address, 10 * WEFT_S))) {
        int accepted = weft_accept(server, NULL, NULL);
        if (!told(accepted))
            weft_close(accepted);
        weft_close(client);
    }
    weft_close(server);
}

static void count_call(void *arg)
{
    ++*(_Atomic int *)arg;
}

/* What was deferred is done, what could not be was told of. */
static void defer_many(void *count, int *told_of)
{
    WEFT_DEFERS(scope);
    for (int i = 0; i < 40; i++)
        *told_of += told(weft_defer(&scope, count_call, count));
}

static void is_labelled(void *arg)
{
    const char *label = weft_label("part");
    must(label && strcmp(label, "two") == 0);
    ++*(int *)arg;
}

static void use_labels(void)
{
    _Atomic int deferred = 0;
    int missing = 0, labelled = 0;
    defer_many(&deferred, &missing);
    must(deferred + missing == 40);
    bool set = !told(weft_set_label("part", "one"));
    bool ran = !told(weft_do_labelled("part", "two", is_labelled, &labelled));
    const char *label = weft_label("part");
    must(labelled == ran && (set ? label && strcmp(label, "one") == 0 : !label));
    told(weft_set_label("part", NULL));
    struct weft_task_options options = {.name = "small", .capture_size = 1000, .small_stack = 1};
    char capture[1000] = {0};
    told(weft_go_with(&options, nothing, capture));
}

static int member(void *arg)
{
    (void)arg;
    return 0;
}

static void use_groups(void)
{
    struct weft_group group = {0};
    struct weft_ctx *ctx = weft_group_with_ctx(&group, NULL);
    char capture[300] = {0};
    weft_group_set_limit(&group, 2);
    for (int i = 0; i < 5; i++)
        told(weft_group_go_copy(&group, member, capture, sizeof capture));
    told(weft_group_go(&group, member, NULL));
    int r = weft_group_try_go(&group, member, NULL);
    if (r != -EBUSY)
        told(r);
    must(weft_group_wait(&group) == 0);
    weft_ctx_release(ctx);
}

static int answer(void *arg, void *result)
{
    (void)arg;
    *(int *)result = 42;
    return 0;
}

static void use_flights(void)
{
    struct weft_flight_options options = {.value_size = sizeof(int)};
    struct weft_flight *flight = weft_flight_new(&options);
    char capture[300] = {0};
    if (!flight)
        return;
    for (int i = 0; i < 3; i++) {
        int value = 0;
        if (!told(weft_flight_do(flight, "a", answer, NULL, &value, NULL)))
            must(value == 42);
        if (!told(weft_flight_do_ctx(flight, NULL, "b", answer, capture, sizeof capture, &value,
                                     NULL)))
            must(value == 42);
    }
    weft_flight_free(flight);
}

enum { OBJECTS = 150 };

/* So many objects, and then none: their memory is not what is asked for here. */
static void *make_object(void *arg)
{
    static char objects[OBJECTS];
    int *made = arg;
    return *made < OBJECTS ? &objects[(*made)++] : NULL;
}

static void end_object(void *object)
{
    *(char *)object = 0;
}

static void use_pools(void)
{
    int made = 0;
    struct weft_pool_options options = {.make = make_object, .destroy = end_object, .arg = &made};
    struct weft_pool *pool = weft_pool_new(&options);
    void *objects[OBJECTS];
    for (int round = 0; pool && round < 2; round++) {
        for (int i = 0; i < OBJECTS; i++)
            objects[i] = weft_pool_get(pool);
        for (int i = 0; i < OBJECTS; i++)
            weft_pool_put(pool, objects[i]);
    }
    weft_pool_free(pool);
}

static int count_entry(const void *key, void *value, void *arg)
{
    (void)key, (void)value;
    ++*(size_t *)arg;
    return 0;
}

/* What a map says it has is what it says it took. */
static void use_maps(void)
{
    struct weft_cmap_options options = {.key_size = sizeof(int), .value_size = 40};
    struct weft_cmap *shared = weft_cmap_new(&options);
    struct weft_map *plain = weft_map_new(sizeof(int), 40);
    size_t in_plain = 0, in_shared = 0, seen = 0;
    char value[40] = {0};
    for (int i = 0; i < 30; i++) {
        in_plain += plain && !told(weft_map_set(plain, &i, value));
        in_shared += shared && !told(weft_cmap_store(shared, &i, value));
    }
    must(weft_map_len(plain) == in_plain && (!shared || weft_cmap_len(shared) == in_shared));
    for (int i = 0; shared && i < 30; i += 5) {
        told(weft_cmap_swap(shared, &i, value, value));
        int r = weft_cmap_compare_and_swap(shared, &i, value, value);
        if (r != -ENOENT)
            told(r);
        told(weft_cmap_load_or_store(shared, &i, value, value));
    }
    if (shared && !told(weft_cmap_range(shared, count_entry, &seen)))
        must(seen == weft_cmap_len(shared));
    weft_map_free(plain);
    weft_cmap_free(shared);
}

static void use_tasks(void)
{
    struct weft_waitgroup wg = {0};
    char large[200] = {0};
    for (int i = 0; i < 200; i++)
        told(weft_waitgroup_go(&wg, nothing, NULL));
    for (int i = 0; i < 5; i++)
        told(weft_go_copy(nothing, large, sizeof large));
    weft_waitgroup_wait(&wg);
    for (int i = 0; i < 3; i++)
        told(weft_blocking(nothing, NULL));
    if (!told(weft_lock_thread()))
        weft_unlock_thread();
}

static void program(void *arg)
{
    (void)arg;
    use_channels();
    use_time();
    use_contexts();
    use_descriptors();
    use_network();
    use_labels();
    use_groups();
    use_flights();
    use_pools();
    use_maps();
    use_tasks();
}

/* As a process of its own: 0 all requests came before the n-th, 1 an error was told and a second
 * try went well. */
static int one(enum kind kind, int n, unsigned workers)
{
    struct weft_options options = {.workers = workers};
    alarm(LIMIT_SECONDS);
    left[kind] = n;
    int r = weft_run_with(&options, program, NULL);
    told(r);
    left[kind] = 0;
    if (weft_run_with(&options, program, NULL) != 0) {
        fprintf(stderr, "no run with all that is needed\n");
        return 3;
    }
    return failed;
}

/* ---- all of them ---- */

/* False: it asks for no more. */
static bool run_child(enum kind kind, int n, unsigned workers)
{
    char number[16], count[16], text[512];
    int fds[2], status;
    size_t size = 0;
    if (pipe(fds) != 0)
        abort();
    snprintf(number, sizeof number, "%d", n);
    snprintf(count, sizeof count, "%u", workers);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(fds[1], STDERR_FILENO);
        execl("/proc/self/exe", "weft_no_memory", names[kind], number, count, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    for (ssize_t k; (k = read(fds[0], text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)k;
    text[size] = '\0';
    close(fds[0]);
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
        return WEXITSTATUS(status) == 1;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strncmp(text, "weft: no ", 9) == 0)
        return true;
    fprintf(stderr, "%s request %d fails, %u workers: status %x, \"%s\"\n", names[kind], n, workers,
            (unsigned)status, text);
    exit(1);
}

int main(int argc, char **argv)
{
    static const unsigned workers[] = {1, 3};
    if (argc == 4) {
        for (int k = 0; k < KINDS; k++) {
            if (strcmp(argv[1], names[k]) == 0)
                return one((enum kind)k, (int)number_read("REQUEST", argv[2], 0, REQUESTS_MAX),
                           (unsigned)number_read("WORKERS", argv[3], 1, WORKERS_MAX));
        }
        return 2;
    }
    for (int k = 0; k < KINDS; k++) {
        for (size_t w = 0; w < 2; w++) {
            int n = 1;
            while (n < REQUESTS_MAX && run_child((enum kind)k, n, workers[w]))
                n++;
            printf("%s, %u workers: %d requests\n", names[k], workers[w], n - 1);
        }
    }
    return 0;
}
