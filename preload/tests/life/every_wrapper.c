/*
 * every_wrapper.c - a timer's signal comes in ten thousand times a second, into calls of each
 * family that is wrapped. The handler makes those that a handler may make. Each call gives what it
 * should give; whether it was interrupted is all that may differ.
 */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define ROUNDS 150

static int own_pipe[2], quiet_pipe[2]; /* the handler's, which runs in any thread */
static sem_t posted;
static _Atomic int signals;
static const struct timespec past = {1, 0}, soon = {0, 20000};
static char path[256];

static void on_alarm(int number)
{
    struct timespec now;
    char byte = (char)number;
    int saved = errno;
    MUST(write(own_pipe[1], &byte, 1) == 1 && read(own_pipe[0], &byte, 1) == 1);
    MUST(sem_post(&posted) == 0 && sem_trywait(&posted) == 0);
    int fd = dup(quiet_pipe[0]);
    struct pollfd none = {.fd = fd, .events = POLLIN};
    MUST(fd >= 0 && poll(&none, 1, 0) == 0 && close(fd) == 0);
    MUST(clock_gettime(CLOCK_MONOTONIC, &now) == 0 && getpid() > 0);
    signals++;
    errno = saved;
}

/* A call that a signal may interrupt, again until it is over. */
#define AGAIN(call)                                                                                \
    ({                                                                                             \
        long long answer_;                                                                         \
        while ((answer_ = (long long)(call)) == -1 && errno == EINTR)                              \
            ;                                                                                      \
        answer_;                                                                                   \
    })

static void locks(void)
{
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
    static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
    static pthread_spinlock_t spin;
    pthread_spin_init(&spin, 0);
    MUST(pthread_mutex_lock(&m) == 0 && pthread_mutex_trylock(&m) == EBUSY);
    MUST(pthread_cond_timedwait(&cond, &m, &past) == ETIMEDOUT);
    MUST(pthread_cond_signal(&cond) == 0 && pthread_cond_broadcast(&cond) == 0);
    MUST(pthread_mutex_unlock(&m) == 0 && pthread_mutex_timedlock(&m, &past) == 0);
    MUST(pthread_mutex_unlock(&m) == 0);
    MUST(pthread_rwlock_rdlock(&rw) == 0 && pthread_rwlock_trywrlock(&rw) == EBUSY);
    MUST(pthread_rwlock_unlock(&rw) == 0 && pthread_rwlock_wrlock(&rw) == 0);
    MUST(pthread_rwlock_tryrdlock(&rw) == EBUSY && pthread_rwlock_unlock(&rw) == 0);
    MUST(pthread_spin_lock(&spin) == 0 && pthread_spin_unlock(&spin) == 0);
}

static void c11_locks(void)
{
    mtx_t m;
    cnd_t c;
    MUST(mtx_init(&m, mtx_timed) == thrd_success && cnd_init(&c) == thrd_success);
    MUST(mtx_lock(&m) == thrd_success && mtx_trylock(&m) == thrd_busy);
    MUST(cnd_timedwait(&c, &m, &past) == thrd_timedout && cnd_signal(&c) == thrd_success);
    MUST(mtx_unlock(&m) == thrd_success);
    mtx_destroy(&m);
    cnd_destroy(&c);
}

static void semaphores(void)
{
    sem_t s;
    MUST(sem_init(&s, 0, 1) == 0 && AGAIN(sem_wait(&s)) == 0);
    MUST(sem_trywait(&s) == -1 && errno == EAGAIN);
    MUST(AGAIN(sem_timedwait(&s, &past)) == -1 && errno == ETIMEDOUT);
    MUST(sem_post(&s) == 0 && AGAIN(sem_wait(&s)) == 0 && sem_destroy(&s) == 0);
}

static void *ends(void *barrier)
{
    void *block = malloc(100);
    int waited = pthread_barrier_wait(barrier);
    free(block);
    return (void *)(intptr_t)(waited == 0 || waited == PTHREAD_BARRIER_SERIAL_THREAD);
}

static int ends_too(void *arg)
{
    thrd_exit(arg == NULL ? 5 : 6);
}

static void threads(void)
{
    pthread_barrier_t barrier;
    pthread_t t;
    thrd_t u;
    void *good;
    int result;
    MUST(pthread_barrier_init(&barrier, NULL, 2) == 0);
    MUST(pthread_create(&t, NULL, ends, &barrier) == 0 && ends(&barrier) != NULL);
    MUST(pthread_join(t, &good) == 0 && good != NULL && pthread_barrier_destroy(&barrier) == 0);
    MUST(thrd_create(&u, ends_too, NULL) == thrd_success);
    MUST(thrd_join(u, &result) == thrd_success && result == 5);
}

static void blocks(void)
{
    void *out = NULL;
    char *p = malloc(10);
    MUST(p != NULL && (p = realloc(p, 100000)) != NULL && malloc_usable_size(p) >= 100000);
    free(p);
    MUST((p = calloc(3, 100)) != NULL && p[299] == 0);
    free(p);
    MUST(posix_memalign(&out, 64, 100) == 0);
    free(out);
    p = aligned_alloc(32, 64);
    MUST((p = reallocarray(p, 10, 10)) != NULL);
    free(p);
    p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(p != MAP_FAILED && (p = mremap(p, 8192, 16384, MREMAP_MAYMOVE)) != MAP_FAILED);
    MUST(munmap(p, 16384) == 0);
}

static void files(void)
{
    char text[8] = "";
    struct iovec part = {text, 3};
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    MUST(fd >= 0 && AGAIN(write(fd, "abc", 3)) == 3 && AGAIN(pread(fd, text, 3, 0)) == 3);
    MUST(lseek(fd, 0, SEEK_SET) == 0 && AGAIN(readv(fd, &part, 1)) == 3);
    MUST(AGAIN(pwritev(fd, &part, 1, 3)) == 3 && AGAIN(flock(fd, LOCK_EX)) == 0);
    MUST(AGAIN(fsync(fd)) == 0 && AGAIN(ftruncate(fd, 1)) == 0);
    int copy = fcntl(fd, F_DUPFD, 0);
    MUST(copy >= 0 && dup2(fd, copy) == copy && close(copy) == 0 && close(fd) == 0);
    FILE *stream = fopen(path, "r");
    MUST(stream != NULL && fread(text, 1, 8, stream) == 1 && fclose(stream) == 0);
    DIR *dir = opendir("/");
    MUST(dir != NULL && readdir(dir) != NULL && closedir(dir) == 0);
}

static void sockets(void)
{
    char byte;
    int pair[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    MUST(AGAIN(send(pair[0], "x", 1, 0)) == 1 && AGAIN(recv(pair[1], &byte, 1, 0)) == 1);
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    MUST(AGAIN(sendmsg(pair[1], &message, 0)) == 1 && AGAIN(recvmsg(pair[0], &message, 0)) == 1);
    int none = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    MUST(none >= 0 && accept(none, NULL, NULL) == -1 && errno == EINVAL && close(none) == 0);
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void waits(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    uint64_t one = 1;
    int event_fd = eventfd(0, 0), epoll = epoll_create1(0);
    MUST(AGAIN(write(event_fd, &one, 8)) == 8);
    MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event) == 0);
    MUST(AGAIN(epoll_wait(epoll, &event, 1, 1000)) == 1);
    struct pollfd readable = {.fd = event_fd, .events = POLLIN};
    MUST(AGAIN(poll(&readable, 1, 1000)) == 1 && AGAIN(ppoll(&readable, 1, &soon, NULL)) == 1);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(event_fd, &set);
    MUST(AGAIN(select(event_fd + 1, &set, NULL, NULL, NULL)) == 1);
    MUST(AGAIN(read(event_fd, &one, 8)) == 8 && one == 1);
    MUST(close(event_fd) == 0 && close(epoll) == 0);
    nanosleep(&soon, NULL);
    usleep(20);
    sched_yield();
}

static void timers(void)
{
    struct itimerspec never = {{0, 0}, {1000, 0}}, left;
    struct sigevent nothing = {.sigev_notify = SIGEV_NONE};
    timer_t timer;
    MUST(timer_create(CLOCK_MONOTONIC, &nothing, &timer) == 0);
    MUST(timer_settime(timer, 0, &never, NULL) == 0 && timer_gettime(timer, &left) == 0);
    MUST(left.it_value.tv_sec > 990 && timer_delete(timer) == 0);
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    MUST(fd >= 0 && timerfd_settime(fd, 0, &never, NULL) == 0 && close(fd) == 0);
}

static void children(void)
{
    int status;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0)
        _exit(9);
    MUST(AGAIN(waitpid(child, &status, 0)) == child && WEXITSTATUS(status) == 9);
}

static const struct {
    const char *name;
    void (*run)(void);
} families[] = {{"locks", locks},           {"c11 locks", c11_locks}, {"threads", threads},
                {"semaphores", semaphores}, {"blocks", blocks},       {"files", files},
                {"sockets", sockets},       {"waits", waits},         {"timers", timers},
                {"children", children}};

int main(void)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    scratch_path(path, sizeof path, "file");
    MUST(pipe(own_pipe) == 0 && pipe(quiet_pipe) == 0 && sem_init(&posted, 0, 0) == 0);
    MUST(sigaction(SIGALRM, &action, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            errno = 77;
            families[i].run();
        }
        printf("%s: as they should be\n", families[i].name);
        fflush(stdout);
    }
    MUST(setitimer(ITIMER_REAL, &never, NULL) == 0);
    MUST(signals > 100);
    return 0;
}
