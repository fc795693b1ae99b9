/* Files, and descriptors that are neither files nor sockets. */
#include "runtime/io/sockets_test.h"

#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

enum { SIZE = 1 << 20 };

static char folder[] = "/tmp/weft-file-test-XXXXXX";

static const char *path_of(const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

static char data[SIZE], back[SIZE];

static void read_whole(int fd)
{
    memset(back, 0, sizeof back);
    ssize_t n, total = 0;
    while ((n = weft_read(fd, back + total, SIZE - (size_t)total + (total == SIZE))) > 0)
        total += n;
    CHECK(n == 0 && total == SIZE && memcmp(data, back, SIZE) == 0);
}

TASK_TEST(files)
{
    char path[128];
    path_of("file", path, sizeof path);
    for (int i = 0; i < SIZE; i++)
        data[i] = (char)(i * 37 >> 4);
    int fd = weft_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC));
    CHECK(weft_write(fd, data, SIZE) == SIZE);
    CHECK(weft_fsync(fd) == 0);
    CHECK(weft_read(fd, back, 1) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    read_whole(fd);
    CHECK(weft_pwrite(fd, "abc", 3, 1000) == 3);
    CHECK(weft_pread(fd, back, 5, 999) == 5 && memcmp(back + 1, "abc", 3) == 0);
    CHECK(weft_pread(fd, back, 5, SIZE) == 0 && weft_pread(fd, back, 5, -1) == -EINVAL);
    CHECK(weft_pwrite(fd, data + 1000, 3, 1000) == 3);
    /* Out of memory, so that it has to be read again. */
    CHECK(weft_fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    read_whole(fd);
    CHECK(weft_close(fd) == 0);
    CHECK(weft_open(path, O_RDWR | O_CREAT | O_EXCL, 0600) == -EEXIST);
    fd = weft_open(path, O_RDONLY, 0);
    CHECK(fd >= 0 && weft_write(fd, "x", 1) == -EBADF && weft_close(fd) == 0);
    CHECK(unlink(path) == 0);
    fd = weft_open(folder, O_RDONLY | O_DIRECTORY, 0);
    CHECK(fd >= 0 && weft_read(fd, back, 1) == -EISDIR && weft_close(fd) == 0);
}

static void append(void *arg)
{
    const char *path = arg;
    int fd = weft_open(path, O_WRONLY | O_APPEND, 0);
    for (int i = 0; i < 100; i++)
        CHECK(weft_write(fd, "line\n", 5) == 5);
    CHECK(weft_close(fd) == 0);
}

TASK_TEST(appenders)
{
    char path[128];
    struct stat st;
    struct weft_waitgroup wg = {0};
    int fd = weft_open(path_of("log", path, sizeof path), O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && weft_close(fd) == 0);
    for (int i = 0; i < 8; i++)
        weft_waitgroup_go(&wg, append, path);
    weft_waitgroup_wait(&wg);
    CHECK(stat(path, &st) == 0 && st.st_size == 8 * 100 * 5);
    CHECK(unlink(path) == 0);
}

static void open_to_read(void *path)
{
    char c;
    int fd = weft_open(path, O_RDONLY, 0);
    CHECK(fd >= 0 && weft_read(fd, &c, 1) == 1 && c == 'x');
    CHECK(weft_read(fd, &c, 1) == 0 && weft_close(fd) == 0);
}

/* Each open of a fifo waits for the other. Who opens waits as a task and does not keep its worker,
 * which others would take over in the end. */
TASK_TEST(fifo)
{
    char path[128];
    struct weft_stats stats;
    struct weft_waitgroup wg = {0};
    CHECK(mkfifo(path_of("fifo", path, sizeof path), 0600) == 0);
    weft_waitgroup_go(&wg, open_to_read, path);
    CHECK(weft_stats(&stats) == 0);
    for (int i = 0; i < 2000 && stats.tasks_waiting == 0; i++) {
        weft_sleep(WEFT_MS);
        CHECK(weft_stats(&stats) == 0);
    }
    CHECK(stats.tasks_waiting == 1 && stats.tasks_running == 1);
    int fd = weft_open(path, O_WRONLY, 0);
    CHECK(fd >= 0 && weft_write(fd, "x", 1) == 1 && weft_close(fd) == 0);
    weft_waitgroup_wait(&wg);
    CHECK(unlink(path) == 0);
}

static void read_number(void *arg)
{
    uint64_t number;
    CHECK(weft_read(TO_FD(arg), &number, sizeof number) == sizeof number && number > 0);
}

TASK_TEST(event_and_timer)
{
    struct weft_waitgroup wg = {0};
    int event = eventfd(0, EFD_CLOEXEC), timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    uint64_t one = 1;
    for (int i = 0; i < 10; i++) {
        struct itimerspec soon = {.it_value = {0, 1000000}};
        weft_waitgroup_go(&wg, read_number, TO_ARG(event));
        weft_waitgroup_go(&wg, read_number, TO_ARG(timer));
        weft_yield();
        CHECK(weft_write(event, &one, sizeof one) == sizeof one);
        CHECK(timerfd_settime(timer, 0, &soon, NULL) == 0);
        weft_waitgroup_wait(&wg);
    }
    CHECK(weft_close(event) == 0 && weft_close(timer) == 0);
}

TASK_TEST(child)
{
    int fds[2];
    char c;
    CHECK(pipe2(fds, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[1]);
        _exit(read(fds[0], &c, 1) == 0 ? 7 : 1);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), status;
    CHECK(pid > 0 && pidfd >= 0);
    CHECK(weft_poll(pidfd, POLLIN, 0) == 0);
    close(fds[0]);
    close(fds[1]);
    CHECK(weft_poll(pidfd, POLLIN, WEFT_FOREVER) == POLLIN);
    CHECK(waitpid(pid, &status, WNOHANG) == pid && WEXITSTATUS(status) == 7);
    CHECK(weft_close(pidfd) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files),           cmocka_unit_test(appenders), cmocka_unit_test(fifo),
        cmocka_unit_test(event_and_timer), cmocka_unit_test(child),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
