/*
 * daemons.c - threads that stay on purpose and wait for the outside: for a signal, for a
 * connection, in epoll, in a sleep. None of them is a leak when main returns.
 */
#include "test-programs/common/sample.h"

#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static sem_t begins;

static void *wait_for_signals(void *arg)
{
    sigset_t signals;
    int number;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sem_post(&begins);
    for (;;)
        sigwait(&signals, &number);
    return arg;
}

static void *wait_for_connections(void *arg)
{
    struct sockaddr_in address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    loopback_address(0, &address);
    MUST(bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    MUST(listen(listener, 4) == 0);
    sem_post(&begins);
    for (;;)
        accept(listener, NULL, NULL);
    return arg;
}

static void *wait_for_events(void *arg)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(EPOLL_CLOEXEC);

    MUST(epoll_ctl(set, EPOLL_CTL_ADD, eventfd(0, EFD_CLOEXEC), &event) == 0);
    sem_post(&begins);
    for (;;)
        epoll_wait(set, &event, 1, -1);
    return arg;
}

static void *look_now_and_then(void *arg)
{
    sem_post(&begins);
    for (;;)
        sleep(1);
    return arg;
}

int main(void)
{
    void *(*const daemons[])(void *) = {wait_for_signals, wait_for_connections, wait_for_events,
                                        look_now_and_then};
    sigset_t signals;
    pthread_t thread;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sem_init(&begins, 0, 0);
    for (int i = 0; i < 4; i++) {
        MUST(pthread_create(&thread, NULL, daemons[i], NULL) == 0);
        pthread_detach(thread);
    }
    for (int i = 0; i < 4; i++)
        sem_wait(&begins);
    sleep_ms(20);
    puts("served");
    return 0;
}
