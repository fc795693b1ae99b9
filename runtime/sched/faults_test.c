/*
 * The end of a stack, and other faults: each in a child process, with what it says and its status.
 * Not under the sanitizers, which report faults in their own words.
 */
#include <fcntl.h>
#include <pthread.h>

#include "runtime/test/ending.h"

#define OVERFLOW_TEXT "\"deep\" (stack of 64 KiB; see weft_options.stack_bytes)\n"

static void exit_thread(void *arg)
{
    weft_yield();
    pthread_exit(arg);
}

static __attribute__((noinline)) int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    return depth == 0 ? 0 : recurse(depth - 1) + frame[0];
}

static void recurse_deeply(void *arg)
{
    (void)arg;
    recurse(1 << 20);
}

static void overflow(void *arg)
{
    weft_set_name("deep");
    recurse_deeply(arg);
}

static void overflow_of_another(void *arg)
{
    (void)arg;
    weft_go(overflow, NULL);
    weft_chan_recv(NULL, NULL);
}

static void overflow_of_a_small_one(void *arg)
{
    struct weft_task_options small = {.name = "shallow", .small_stack = 1};
    weft_go_with(&small, recurse_deeply, arg);
    weft_chan_recv(NULL, NULL);
}

/* Compiled with -fstack-clash-protection, each page of it is touched, the guard before what lies
 * below. */
static __attribute__((noinline)) ssize_t read_much(int fd)
{
    char buffer[64 * 1024];
    ssize_t n = weft_read(fd, buffer, sizeof buffer);
    return n > 0 ? buffer[n - 1] : n;
}

static void overflow_by_a_buffer(void *arg)
{
    (void)arg;
    weft_set_name("deep");
    read_much(weft_open("/dev/zero", O_RDONLY, 0));
}

static void null_dereference(void *arg)
{
    volatile int *nowhere = arg;
    *nowhere = 1;
}

static void sent_signal(void *arg)
{
    (void)arg;
    raise(SIGSEGV);
}

enum { NEIGHBOURS = 8, KEPT = 20000 };
static volatile unsigned char *kept[2 * NEIGHBOURS];
static _Atomic int parked;

static void neighbour(void *arg)
{
    volatile unsigned char bytes[KEPT];
    int number = *(int *)arg;
    for (int i = 0; i < KEPT; i++)
        bytes[i] = (unsigned char)(number + i);
    kept[number] = bytes;
    parked++;
    weft_chan_recv(NULL, NULL);
}

static void look_at_neighbours(int number)
{
    (void)number;
    int wrong = 0;
    for (int n = 0; n < 2 * NEIGHBOURS; n++) {
        for (int i = 0; i < KEPT; i++)
            wrong += kept[n][i] != (unsigned char)(n + i);
    }
    _exit(wrong == 0 ? 7 : 8);
}

static void begin_neighbours(int first)
{
    for (int i = first; i < first + NEIGHBOURS; i++)
        CHECK(weft_go_copy(neighbour, &i, sizeof i) == 0);
    while (parked < first + NEIGHBOURS)
        weft_yield();
}

static void overflow_at_the_end(void *arg)
{
    while (*(_Atomic int *)arg < 2 * NEIGHBOURS)
        weft_yield();
    recurse(1 << 20);
}

/* The program's own handler runs on the worker's stack for signals. */
static void neighbours_intact(void *arg)
{
    (void)arg;
    struct sigaction look = {.sa_handler = look_at_neighbours, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &look, NULL);
    begin_neighbours(0);
    CHECK(weft_go(overflow_at_the_end, &parked) == 0);
    weft_yield();
    begin_neighbours(NEIGHBOURS);
    weft_chan_recv(NULL, NULL);
}

static const struct ending cases[] = {
    {exit_thread, -SIGABRT, {"weft: a thread of the runtime was ended: pthread_exit"}},
    {overflow, -SIGSEGV, {"weft: stack overflow in task ", OVERFLOW_TEXT}},
    {overflow_of_another, -SIGSEGV, {"weft: stack overflow in task ", OVERFLOW_TEXT}},
    {overflow_of_a_small_one,
     -SIGSEGV,
     {"weft: stack overflow in task ", "\"shallow\" (stack of the small class"}},
    {overflow_by_a_buffer, -SIGSEGV, {"weft: stack overflow in task ", OVERFLOW_TEXT}},
    {null_dereference, -SIGSEGV, {NULL}},
    {sent_signal, -SIGSEGV, {NULL}},
    {neighbours_intact, 7, {NULL}},
};

int main(int argc, char **argv)
{
    return test_endings(argc, argv, cases, sizeof cases / sizeof *cases);
}
