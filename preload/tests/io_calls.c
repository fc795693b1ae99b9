/*
 * io_calls.c - each call that does IO, under each of its names, on files, pipes, sockets and bad
 * descriptors. Some names have no prototype, as only fortified code uses them.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

ssize_t __read(int, void *, size_t);
ssize_t __write(int, const void *, size_t);
ssize_t __pread64(int, void *, size_t, off64_t);
ssize_t __pwrite64(int, const void *, size_t, off64_t);
ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void *, size_t, off64_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
ssize_t __send(int, const void *, size_t, int);
int __poll(struct pollfd *, nfds_t, int);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
int __select(int, fd_set *, fd_set *, fd_set *, struct timeval *);
int __open_2(const char *, int);
int __open64_2(const char *, int);
int __openat_2(int, const char *, int);
int __openat64_2(int, const char *, int);
int __open(const char *, int, ...);
int __open64(const char *, int, ...);
int __close(int);
int __dup2(int, int);
int __pipe(int[2]);
int __fcntl(int, int, ...);
int __connect(int, const struct sockaddr *, socklen_t);

static char buf[64];
static char path[256];

/* Not seen through by the compiler, which warns of such pointers. */
static void *volatile nowhere;
static struct pollfd *volatile no_poll = (struct pollfd *)1;

static void reads(int fd)
{
    struct iovec v = {buf, 8};
    SAY(lseek(fd, 0, SEEK_SET));
    SAY(read(fd, buf, 8));
    SAY(__read(fd, buf, 8));
    SAY(__read_chk(fd, buf, 8, sizeof buf));
    SAY(pread(fd, buf, 8, 4));
    SAY(pread64(fd, buf, 8, 4));
    SAY(__pread64(fd, buf, 8, 4));
    SAY(__pread_chk(fd, buf, 8, 4, sizeof buf));
    SAY(__pread64_chk(fd, buf, 8, 4, sizeof buf));
    SAY(readv(fd, &v, 1));
    SAY(preadv(fd, &v, 1, 2));
    SAY(preadv64(fd, &v, 1, 2));
    SAY(preadv2(fd, &v, 1, 2, 0));
    SAY(preadv64v2(fd, &v, 1, 2, 0));
    SAY(read(fd, nowhere, 8));
    printf("%.8s\n", buf);
}

static void writes(int fd)
{
    struct iovec v = {(char *)"abcdefgh", 8};
    SAY(write(fd, "12345678", 8));
    SAY(__write(fd, "12345678", 8));
    SAY(pwrite(fd, "xy", 2, 3));
    SAY(pwrite64(fd, "xy", 2, 5));
    SAY(__pwrite64(fd, "xy", 2, 7));
    SAY(writev(fd, &v, 1));
    SAY(pwritev(fd, &v, 1, 30));
    SAY(pwritev64(fd, &v, 1, 40));
    SAY(pwritev2(fd, &v, 1, 50, 0));
    SAY(pwritev64v2(fd, &v, 1, 60, 0));
    SAY(write(fd, nowhere, 8));
    SAY(fsync(fd));
    SAY(fdatasync(fd));
    SAY(syncfs(fd) == 0 || errno != 0);
    SAY(sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

static void files(void)
{
    SAY(open(path, O_RDWR | O_CREAT | O_TRUNC, 0640));
    SAY(open64(path, O_RDONLY));
    SAY(__open(path, O_RDONLY));
    SAY(__open64(path, O_RDONLY));
    SAY(__open_2(path, O_RDWR));
    SAY(__open64_2(path, O_RDONLY));
    SAY(openat(AT_FDCWD, path, O_RDONLY));
    SAY(openat64(AT_FDCWD, path, O_RDONLY));
    SAY(__openat_2(AT_FDCWD, path, O_RDONLY));
    SAY(__openat64_2(AT_FDCWD, path, O_RDONLY));
    SAY(creat(path, 0600));
    SAY(creat64(path, 0600));
    SAY(open("/nonexistent/file", O_RDONLY));
    SAY(memfd_create("label", 0));
    int fd = open(path, O_RDWR);
    writes(fd);
    reads(fd);
    int null = open("/dev/null", O_RDWR);
    writes(null);
    reads(null);
    int zero = open("/dev/zero", O_RDWR);
    reads(zero);
    writes(-1);
    reads(-1);
    reads(70000);
    off_t at = 0;
    SAY(sendfile(null, fd, &at, 16));
    at = 0;
    SAY(sendfile64(null, fd, &at, 16));
    SAY(copy_file_range(fd, NULL, -1, NULL, 4, 0));
    SAY(flock(fd, LOCK_EX));
    SAY(flock(fd, LOCK_EX | LOCK_NB));
    SAY(flock(fd, LOCK_UN));
    SAY(lockf(fd, F_LOCK, 0));
    SAY(lockf64(fd, F_ULOCK, 0));
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(page != MAP_FAILED);
    SAY(msync(page, 4096, MS_SYNC));
    SAY(msync((char *)page + 1, 4096, MS_ASYNC));
    void *moved = mremap(page, 4096, 8192, MREMAP_MAYMOVE);
    SAY(munmap(moved, 8192));
    SAY(close(fd));
    SAY(close(fd));
    SAY(__close(null));
    SAY(read(fd, buf, 1));
}

static void sockets(void)
{
    int pair[2], from, null = open("/dev/null", O_WRONLY);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket"};
    struct iovec v = {buf, 4};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    struct mmsghdr mm = {.msg_hdr = m};
    struct timespec soon = {0, 1000};
    SAY(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    SAY(send(pair[0], "abcd", 4, 0));
    SAY(__send(pair[0], "abcd", 4, 0));
    SAY(sendto(pair[0], "abcd", 4, 0, NULL, 0));
    SAY(sendmsg(pair[0], &m, 0));
    SAY(sendmmsg(pair[0], &mm, 1, 0));
    SAY(write(pair[0], "abcdefgh", 8));
    SAY(recv(pair[1], buf, 4, 0));
    SAY(__recv_chk(pair[1], buf, 4, sizeof buf, 0));
    SAY(recvfrom(pair[1], buf, 4, 0, NULL, NULL));
    SAY(__recvfrom_chk(pair[1], buf, 4, sizeof buf, 0, NULL, NULL));
    SAY(recvmsg(pair[1], &m, 0));
    SAY(recvmmsg(pair[1], &mm, 1, 0, &soon));
    SAY(recv(pair[1], buf, 4, MSG_DONTWAIT));
    SAY(fcntl(pair[1], F_SETFL, O_NONBLOCK));
    SAY(read(pair[1], buf, 4));
    SAY(fcntl(pair[1], F_SETFL, 0));
    SAY(fcntl(pair[1], F_GETFL));
    SAY(ioctl(pair[1], FIONBIO, &(int){1}));
    SAY(recv(pair[1], buf, 4, 0));
    SAY(ioctl(pair[1], FIONBIO, NULL));
    SAY(__fcntl(pair[1], F_DUPFD, 100));
    SAY(read(100, buf, 4));
    SAY(close(pair[0]));
    SAY(send(pair[1], "x", 1, MSG_NOSIGNAL));
    SAY(from = socket(AF_UNIX, SOCK_STREAM, 0));
    SAY(connect(from, (struct sockaddr *)&name, sizeof name));
    SAY(__connect(from, (struct sockaddr *)&name, sizeof name));
    SAY(accept(from, NULL, NULL));
    SAY(accept4(from, NULL, NULL, SOCK_CLOEXEC));
    SAY(accept(null, NULL, NULL));
}

static void meet(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    scratch_path(name.sun_path, sizeof name.sun_path, "socket");
    int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0), at;
    SAY(bind(server, (struct sockaddr *)&name, sizeof name));
    SAY(listen(server, 4));
    SAY(connect(client, (struct sockaddr *)&name, sizeof name));
    SAY(at = accept4(server, NULL, NULL, SOCK_NONBLOCK));
    SAY(read(at, buf, 4));
    SAY(write(client, "hello", 5));
    SAY(read(at, buf, 5));
    SAY(shutdown(client, SHUT_WR));
    SAY(read(at, buf, 5));
}

static void pipes(void)
{
    int p[2], q[2];
    SAY(pipe(p));
    SAY(__pipe(q));
    SAY(write(p[1], "abcdefgh", 8));
    SAY(tee(p[0], q[1], 4, 0));
    SAY(splice(p[0], NULL, q[1], NULL, 4, 0));
    struct iovec v = {buf, 4};
    SAY(vmsplice(q[1], &v, 1, 0));
    SAY(read(q[0], buf, sizeof buf));
    SAY(dup2(p[0], q[0]));
    SAY(read(q[0], buf, 4));
    SAY(dup3(p[0], q[0], O_CLOEXEC));
    SAY(dup3(p[0], p[0], O_CLOEXEC));
    SAY(__dup2(p[0], p[0]));
    SAY(dup2(-1, p[0]));
    SAY(close(p[1]));
    SAY(read(p[0], buf, 4));
    SAY(pipe2(p, O_NONBLOCK));
    SAY(read(p[0], buf, 4));
    SAY(pipe2(p, -1));
    SAY(pipe(nowhere));
    int e;
    SAY(e = eventfd(3, EFD_NONBLOCK));
    eventfd_t value;
    SAY(eventfd_read(e, &value));
    SAY(eventfd_read(e, &value));
    SAY(eventfd_write(e, 5));
    SAY(close_range(200, 300, 0));
    closefrom(400);
}

static void readiness(void)
{
    int p[2];
    MUST(pipe(p) == 0 && p[1] < FD_SETSIZE);
    struct pollfd one = {p[0], POLLIN, 0};
    struct timespec none = {0, 0}, soon = {0, 2000000};
    struct timeval at_once = {0, 0}, later = {0, 2000};
    struct epoll_event e = {.events = EPOLLIN};
    fd_set set;
    SAY(poll(&one, 1, 0));
    SAY(poll(&one, 1, 2));
    SAY(__poll(&one, 1, 2));
    SAY(__poll_chk(&one, 1, 2, sizeof one));
    SAY(ppoll(&one, 1, &none, NULL));
    SAY(ppoll(&one, 1, &soon, NULL));
    SAY(__ppoll_chk(&one, 1, &soon, NULL, sizeof one));
    SAY(poll(no_poll, 1, 0));
    int ep;
    SAY(ep = epoll_create1(0));
    SAY(epoll_create(1));
    SAY(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e));
    SAY(epoll_wait(ep, &e, 1, 0));
    SAY(epoll_wait(ep, &e, 1, 2));
    SAY(epoll_pwait(ep, &e, 1, 2, NULL));
    SAY(epoll_pwait2(ep, &e, 1, &soon, NULL));
    SAY(epoll_wait(p[0], &e, 1, 0));
    MUST(write(p[1], "x", 1) == 1);
    SAY(poll(&one, 1, -1));
    SAY(epoll_wait(ep, &e, 1, -1));
    FD_ZERO(&set);
    FD_SET(p[0], &set);
    SAY(select(p[0] + 1, &set, NULL, NULL, NULL));
    SAY(__select(p[0] + 1, &set, NULL, NULL, &at_once));
    SAY(pselect(p[0] + 1, &set, NULL, NULL, &soon, NULL));
    FD_ZERO(&set);
    SAY(select(0, &set, NULL, NULL, &later));
    SAY(select(-1, &set, NULL, NULL, &later));
}

static void sleeps(void)
{
    struct timespec soon = {0, 1000000}, wrong = {0, -1}, left;
    SAY(sleep(0));
    SAY(usleep(1000));
    SAY(nanosleep(&soon, &left));
    SAY(nanosleep(&wrong, &left));
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &soon, NULL));
    SAY(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, NULL));
    SAY(clock_nanosleep(12345, 0, &soon, NULL));
}

static void children(void)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    SAY(waitpid(child, &status, 0) == child);
    printf("status %x\n", (unsigned)status);
    SAY(wait(&status));
    SAY(waitpid(-1, &status, WNOHANG));
    SAY(wait3(&status, 0, NULL));
    SAY(wait4(-1, &status, 0, NULL));
    SAY(waitid(P_ALL, 0, NULL, WEXITED));
    SAY(system("exit 3"));
    FILE *f = popen("echo from a child", "r");
    MUST(f != NULL && fgets(buf, sizeof buf, f) != NULL);
    printf("%s", buf);
    SAY(pclose(f));
}

static void queues(void)
{
    char name[64];
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 8};
    struct timespec past = {1, 0};
    snprintf(name, sizeof name, "/loiter-test-%d", (int)getpid());
    mqd_t q = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    if (q == (mqd_t)-1)
        return; /* no message queues here */
    mq_unlink(name);
    SAY(mq_send(q, "abc", 3, 0));
    SAY(mq_timedsend(q, "abc", 3, 0, &past));
    SAY(mq_receive(q, buf, sizeof buf, NULL));
    SAY(mq_timedreceive(q, buf, sizeof buf, NULL, &past));
    SAY(mq_close(q));
    SAY(mq_close(q));
}

int main(void)
{
    scratch_path(path, sizeof path, "file");
    files();
    sockets();
    meet();
    pipes();
    readiness();
    sleeps();
    children();
    queues();
    return 0;
}
