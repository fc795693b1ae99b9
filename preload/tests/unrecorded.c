/*
 * unrecorded.c - the main function around another test's: it runs it, makes things, forks children
 * that cannot have a record of their own, and lets these use what the parent made, and run the test
 * again. Nothing that the library knew of the parent may be looked at there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

/* By the linker's --wrap: the main function of the other test, and the one that is called. */
int __real_main(void);
int __wrap_main(void);

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t idle = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static timer_t timer;
static int pair[2], queue[2], event, ticks, poll_set, file, copy;
static FILE *stream;
enum { BLOCKS = 20000 };
static void *blocks[BLOCKS];

static void make(void)
{
    char path[4096];
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    struct epoll_event one = {.events = EPOLLIN};
    scratch_path(path, sizeof path, "left");
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && pipe(queue) == 0);
    MUST((event = eventfd(1, 0)) >= 0 && (ticks = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0);
    MUST((poll_set = epoll_create1(0)) >= 0);
    MUST((file = open(path, O_RDWR | O_CREAT, 0600)) >= 0 && (copy = dup(file)) >= 0);
    MUST((stream = fopen(path, "r+")) != NULL && sem_init(&sem, 0, 1) == 0);
    MUST(epoll_ctl(poll_set, EPOLL_CTL_ADD, event, &one) == 0);
    MUST(timer_create(CLOCK_MONOTONIC, &none, &timer) == 0);
    for (int i = 0; i < BLOCKS; i++)
        MUST((blocks[i] = malloc(500)) != NULL);
    pthread_mutex_lock(&held);
    pthread_rwlock_wrlock(&rw);
}

static void use_descriptors(void)
{
    char byte = 'x';
    uint64_t number = 1;
    struct epoll_event ready;
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    SAY(send(pair[0], &byte, 1, 0));
    SAY(recv(pair[1], &byte, 1, 0));
    SAY(write(queue[1], &byte, 1));
    SAY(read(queue[0], &byte, 1));
    SAY(epoll_wait(poll_set, &ready, 1, 0));
    SAY(read(event, &number, sizeof number));
    SAY(timerfd_settime(ticks, 0, &soon, NULL));
    SAY(read(ticks, &number, sizeof number));
    SAY(pwrite(file, &byte, 1, 0));
    SAY(dup2(file, copy));
    SAY(fputs("y", stream));
    SAY(fclose(stream));
    SAY(epoll_ctl(poll_set, EPOLL_CTL_DEL, event, NULL));
    SAY(shutdown(pair[0], SHUT_RDWR));
    SAY(close(pair[0]));
    SAY(close_range((unsigned)pair[1], (unsigned)pair[1], 0));
    SAY(close(ticks));
    SAY(close(file));
    closefrom(STDERR_FILENO + 1);
}

static void use_rest(void)
{
    SAY(pthread_mutex_unlock(&held));
    SAY(pthread_mutex_lock(&idle));
    SAY(pthread_mutex_lock(&held));
    SAY(pthread_mutex_unlock(&idle));
    SAY(pthread_rwlock_unlock(&rw));
    SAY(sem_wait(&sem));
    SAY(sem_post(&sem));
    SAY(timer_delete(timer) != 0); /* a child has none of the parent's */
    for (int i = 0; i < BLOCKS; i += 2)
        free(blocks[i]);
    for (int i = 1; i < BLOCKS; i += 2)
        MUST((blocks[i] = realloc(blocks[i], 5000)) != NULL);
}

static void child(void)
{
    use_rest();
    use_descriptors();
    SAY(__real_main());
    fflush(stdout);
    exit(7);
}

/* Where a file is in the place of the directory for records, a child has none. */
static void in_a_child(const char *dir, const char *aside)
{
    int status;
    fflush(stdout);
    if (dir != NULL)
        MUST(rename(dir, aside) == 0 && mknod(dir, S_IFREG | 0600, 0) == 0);
    pid_t pid = fork();
    if (pid == 0)
        child();
    MUST(waitpid(pid, &status, 0) == pid);
    if (dir != NULL)
        MUST(unlink(dir) == 0 && rename(aside, dir) == 0);
    SAY(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

int __wrap_main(void)
{
    char aside[4096];
    const char *dir = getenv("LOITER_DIR");
    snprintf(aside, sizeof aside, "%s.aside", dir != NULL ? dir : "");
    SAY(__real_main());
    make();
    in_a_child(dir, aside);
    return 0;
}
