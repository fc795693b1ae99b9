/*
 * children-waited-for.c - children that nobody leaves behind: waited for one by one by a thread
 * that does nothing else, all of them in one go at the end, by a handler, or not kept by the kernel
 * at all. Many have ended long before somebody asks.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test-programs/common/sample.h"

#define CHILDREN 40

static atomic_int left;

static void make(int pause_ms)
{
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0)
        _exit(0);
    sleep_ms(pause_ms);
}

static void *reaper(void *arg)
{
    for (int waited = 0; waited < CHILDREN;)
        if (wait(NULL) > 0)
            waited++;
        else
            sleep_ms(1);
    return arg;
}

static void by_a_thread(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, reaper, NULL) == 0);
    for (int i = 0; i < CHILDREN; i++)
        make(1);
    MUST(pthread_join(thread, NULL) == 0);
}

static void in_one_go(void)
{
    for (int i = 0; i < CHILDREN; i++)
        make(1);
    while (wait(NULL) > 0)
        ;
}

static void on_child(int signal)
{
    int error = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        atomic_fetch_sub(&left, 1);
    errno = error;
}

static void by_a_handler(void)
{
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    MUST(sigaction(SIGCHLD, &action, NULL) == 0);
    atomic_store(&left, CHILDREN);
    for (int i = 0; i < CHILDREN; i++)
        make(1);
    while (atomic_load(&left) > 0)
        sleep_ms(1);
}

static void not_kept(void)
{
    MUST(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    for (int i = 0; i < CHILDREN; i++)
        make(1);
}

int main(void)
{
    by_a_thread();
    in_one_go();
    by_a_handler();
    not_kept();
    puts("none left");
    return 0;
}
