/*
 * io_record_test.c - what the record says of IO and waiting: who waits for what when the process
 * ends, and which calls count as made with a lock held.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"

#define WRITES 10
#define SPINS  1024

/* ---- the program ---- */

static int empty[2], pair[2], vain[2], file, null, quick;
static FILE *stream;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void in_read(void)
{
    char c;
    (void)!read(empty[0], &c, 1);
}
static void in_recv(void)
{
    char c;
    recv(pair[0], &c, 1, 0);
}
static void in_poll(void)
{
    poll(NULL, 0, 3600 * 1000);
}
static void in_sleep(void)
{
    nanosleep(&(struct timespec){3600, 0}, NULL);
}
static void in_nothing(void) {}

/* The last is cancelled in its read and joined: it waits for nothing any more. */
static void (*const stays_in[])(void) = {in_read, in_recv, in_poll, in_sleep, in_nothing, in_read};
#define THREADS (sizeof stays_in / sizeof stays_in[0])

static void *thread(void *arg)
{
    (*(void (*const *)(void))arg)();
    return NULL;
}

/* Threads of this process that sleep in the kernel. */
static size_t asleep(void)
{
    size_t n = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *e; tasks != NULL && (e = readdir(tasks)) != NULL;) {
        char path[300], state = 0;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        if (f == NULL)
            continue;
        if (fscanf(f, "%*d (%*[^)]) %c", &state) == 1)
            n += state == 'S';
        fclose(f);
    }
    if (tasks != NULL)
        closedir(tasks);
    return n;
}

static void with_lock(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < WRITES; i++) {
        (void)!write(null, "x", 1); /* memory: not IO */
        (void)!write(file, "x", 1);
        (void)!write(pair[1], "", 0);
        (void)!write(quick, "", 0); /* O_NONBLOCK: answers at once */
    }
    fflush(stderr); /* nothing in it */
    fputc('x', stream);
    fflush(stream);
    fsync(file);
    close(open("/dev/null", O_RDONLY));
    nanosleep(&(struct timespec){0, 1000000}, NULL);
    poll(NULL, 0, 0); /* does not wait */
    usleep(0);
    nanosleep(&(struct timespec){0, 0}, NULL);
    pthread_mutex_unlock(&lock);
    for (int i = 0; i < WRITES; i++) {
        (void)!write(file, "x", 1);
        (void)!pread(file, &(char){0}, 1, 0);
    }
}

/* Asks in vain, again and again: now and then there is something to be had, and later nothing. */
static void in_vain(void)
{
    char c;
    for (int i = 0; i < 3 * SPINS; i++) {
        if (i < 2 * SPINS && i % 8 == 0)
            (void)!write(vain[1], "x", 1);
        (void)!read(vain[0], &c, 1);
    }
}

/* For no time, each in another way. */
static void in_no_time(void)
{
    const struct timespec none = {0, 0};
    for (int i = 0; i < SPINS; i++) {
        if (i % 3 == 0)
            nanosleep(&none, NULL);
        else if (i % 3 == 1)
            clock_nanosleep(CLOCK_MONOTONIC, 0, &none, NULL);
        else
            thrd_sleep(&none, NULL);
    }
}

static int program(void)
{
    pthread_t t[THREADS];
    char path[] = "/tmp/loiter-io-XXXXXX";
    if (pipe2(vain, O_NONBLOCK) != 0 || pipe(empty) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 1;
    file = mkstemp(path);
    unlink(path);
    null = open("/dev/null", O_WRONLY);
    stream = fopen("/dev/null", "w");
    quick = socket(AF_UNIX, SOCK_DGRAM, 0);
    fcntl(quick, F_SETFL, O_NONBLOCK);
    in_no_time();
    with_lock();
    in_vain();
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, thread, (void *)&stays_in[i]) != 0)
            return 1;
    pthread_join(t[4], NULL);
    while (asleep() < THREADS - 1)
        poll(NULL, 0, 1);
    pthread_cancel(t[5]);
    pthread_join(t[5], NULL);
    printf("%d %d %d\n", empty[0], pair[0], file);
    fflush(stdout);
    _exit(0);
}

/* ---- the test ---- */

static struct el_actor actors[16];
static size_t n_actors;
static uint64_t counts[EL_WAIT_BLOCKING + 1]; /* calls with the lock held, by kind */
static uint64_t allocations;
static uint64_t spins[EL_SPIN_POLL + 1]; /* calls in rows that went on, by kind */
static int read_fd, recv_fd, file_fd;
static uint64_t file_ends;
static struct el_lock_io slept;

static void on_cell(const struct el_record *record)
{
    if (record->info->id == EL_ID_actor && record->any.actor.state != EL_ACTOR_FREE &&
        n_actors < sizeof actors / sizeof actors[0])
        actors[n_actors++] = record->any.actor;
    if (record->info->id == EL_ID_site && record->any.site.kind == EL_SITE_ALLOC)
        allocations += record->any.site.count;
    if (record->info->id == EL_ID_spin && record->any.spin.kind <= EL_SPIN_POLL)
        spins[record->any.spin.kind] += record->any.spin.count;
}

static void on_event(const struct el_record *record)
{
    if (record->info->id != EL_ID_lock_io)
        return;
    const struct el_lock_io *io = &record->any.lock_io;
    assert_in_range(io->io_kind, EL_WAIT_READ, EL_WAIT_BLOCKING);
    counts[io->io_kind]++;
    if (io->io_kind == EL_WAIT_SLEEP)
        slept = *io;
    if (io->io_kind == EL_WAIT_WRITE && io->detail == file_fd)
        file_ends++;
    assert_int_equal(io->lock_kind, EL_WAIT_MUTEX);
    assert_int_not_equal(io->io_stack, 0);
    assert_true(io->ended >= io->began);
}

static int setup(void **state)
{
    char out[128];
    (void)state;
    /* A row goes on however busy the machine is. */
    setenv("LOITER_OPTIONS", "spin_work_us=1000000", 1);
    if (record_prepare() != 0 || record_run(out, sizeof out) != 0)
        return -1;
    if (sscanf(out, "%d %d %d", &read_fd, &recv_fd, &file_fd) != 3)
        return -1;
    return record_read(on_cell, on_event) > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return record_remove();
}

static const struct el_actor *waiting(enum el_wait_kind kind)
{
    const struct el_actor *found = NULL;
    for (size_t i = 0; i < n_actors; i++) {
        if (actors[i].wait_kind == kind) {
            assert_null(found);
            found = &actors[i];
        }
    }
    assert_non_null(found);
    assert_int_equal(found->state, EL_ACTOR_WAITING);
    assert_int_not_equal(found->wait_stack, 0);
    return found;
}

/* One reads: the cancelled one does not wait any more. */
static void who_waits(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < n_actors; i++)
        n += actors[i].wait_kind == EL_WAIT_READ;
    assert_int_equal(n, 2);
    int on_read = 0, on_recv = 0;
    for (size_t i = 0; i < n_actors; i++) {
        if (actors[i].wait_kind != EL_WAIT_READ)
            continue;
        assert_false(actors[i].flags & EL_ACTOR_TIMED);
        on_read += actors[i].object == (uint64_t)read_fd;
        on_recv += actors[i].object == (uint64_t)recv_fd;
    }
    assert_int_equal(on_read, 1);
    assert_int_equal(on_recv, 1);
    assert_true(waiting(EL_WAIT_POLL)->flags & EL_ACTOR_TIMED);
    assert_true(waiting(EL_WAIT_SLEEP)->flags & EL_ACTOR_TIMED);
}

static void calls_with_a_lock(void **state)
{
    (void)state;
    /* File, socket and the stream; not /dev/null, nor what cannot block. */
    assert_int_equal(counts[EL_WAIT_WRITE], 2 * WRITES + 1);
    assert_int_equal(file_ends, WRITES); /* those without the lock are not there */
    assert_int_equal(counts[EL_WAIT_FSYNC], 1);
    assert_int_equal(counts[EL_WAIT_OPEN], 1);
    assert_int_equal(counts[EL_WAIT_SLEEP], 1);
    assert_int_equal(counts[EL_WAIT_POLL], 0);
    assert_int_equal(counts[EL_WAIT_READ], 0);
    assert_int_not_equal(slept.acquired_stack, 0);
    assert_int_not_equal(slept.acquired_stack, slept.io_stack);
}

static void what_is_asked_in_vain(void **state)
{
    (void)state;
    assert_in_range(spins[EL_SPIN_YIELD], 1, SPINS);
    /* Not where something was had in between. */
    assert_in_range(spins[EL_SPIN_TRY], 1, SPINS);
}

static void allocations_are_counted(void **state)
{
    (void)state;
    assert_true(allocations > 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits),
        cmocka_unit_test(calls_with_a_lock),
        cmocka_unit_test(what_is_asked_in_vain),
        cmocka_unit_test(allocations_are_counted),
    };
    if (argc > 1 && strcmp(argv[1], "program") == 0)
        return program();
    return cmocka_run_group_tests(tests, setup, teardown);
}
