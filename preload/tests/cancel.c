/*
 * cancel.c - a thread that is cancelled in a call that waits runs its cleanup handlers, may lock
 * and do IO there, and ends as cancelled; one that leaves the call by siglongjmp goes on.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

static int pipe_end[2], pair[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t entered;

static void in_read(void)
{
    char c;
    (void)!read(pipe_end[0], &c, 1);
}
static void in_recv(void)
{
    char c;
    recv(pair[0], &c, 1, 0);
}
static void in_nanosleep(void)
{
    nanosleep(&(struct timespec){1000, 0}, NULL);
}
static void in_sleep(void)
{
    sleep(1000);
}
static void in_poll(void)
{
    poll(NULL, 0, -1);
}
static void in_select(void)
{
    select(0, NULL, NULL, NULL, NULL);
}
static void in_epoll(void)
{
    struct epoll_event e;
    epoll_wait(epoll_create1(0), &e, 1, -1);
}
static void in_pause(void)
{
    pause();
}
static void in_waitpid(void)
{
    waitpid(-1, NULL, 0); /* there is a child that lives */
}

static const struct {
    const char *name;
    void (*wait)(void);
} waits[] = {{"read", in_read},        {"recv", in_recv},   {"nanosleep", in_nanosleep},
             {"sleep", in_sleep},      {"poll", in_poll},   {"select", in_select},
             {"epoll_wait", in_epoll}, {"pause", in_pause}, {"waitpid", in_waitpid}};

static void cleanup(void *arg)
{
    const char *name = arg;
    int p[2];
    char c;
    pthread_mutex_lock(&lock);
    MUST(pipe(p) == 0 && write(p[1], "x", 1) == 1 && read(p[0], &c, 1) == 1);
    close(p[0]);
    close(p[1]);
    printf("cleanup of %s\n", name);
    pthread_mutex_unlock(&lock);
}

static void *waiter(void *arg)
{
    unsigned i = *(unsigned *)arg;
    pthread_cleanup_push(cleanup, (void *)waits[i].name);
    sem_post(&entered);
    waits[i].wait();
    pthread_cleanup_pop(0);
    return NULL;
}

static sigjmp_buf back;

static void jump(int signo)
{
    (void)signo;
    siglongjmp(back, 1);
}

static void *jumper(void *arg)
{
    char c;
    if (sigsetjmp(back, 1) == 0) {
        sem_post(&entered);
        SAY(read(pipe_end[0], &c, 1));
    }
    printf("jumped out\n");
    pthread_mutex_lock(&lock);
    SAY(write(pipe_end[1], "x", 1));
    SAY(read(pipe_end[0], &c, 1));
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    pthread_t t;
    void *result;
    MUST(pipe(pipe_end) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    sem_init(&entered, 0, 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    for (unsigned i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        MUST(pthread_create(&t, NULL, waiter, &i) == 0);
        sem_wait(&entered);
        /* Cancelled on its way into the call or in it: either is a point of cancellation. */
        usleep(2000);
        MUST(pthread_cancel(t) == 0 && pthread_join(t, &result) == 0);
        printf("%s: %s\n", waits[i].name, result == PTHREAD_CANCELED ? "cancelled" : "not");
    }
    signal(SIGUSR1, jump);
    MUST(pthread_create(&t, NULL, jumper, NULL) == 0);
    sem_wait(&entered);
    usleep(2000);
    pthread_kill(t, SIGUSR1);
    MUST(pthread_join(t, NULL) == 0);
    kill(child, SIGKILL);
    SAY(waitpid(child, NULL, 0) == child);
    return 0;
}
