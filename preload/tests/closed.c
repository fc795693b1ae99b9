/*
 * closed.c - a program that closes every descriptor, those that it never opened too, and uses their
 * numbers for other things afterwards.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/tests/say.h"

static void *in_thread(void *arg)
{
    char c;
    int *p = arg;
    MUST(read(p[0], &c, 1) == 1);
    return arg;
}

int main(void)
{
    char path[256], buf[4] = "";
    int p[2], pair[2];
    int out = fcntl(STDOUT_FILENO, F_DUPFD, 3);
    MUST(out >= 0);
    SAY(lseek(0, 0, SEEK_CUR) == -1 || 1);
    fflush(stdout);
    struct stat st;
    MUST(fstat(out, &st) == 0);
    for (int fd = 0; fd < 65536; fd++)
        if (fd != out)
            close(fd);
    /* Numbers begin at 0 again: a file, a pipe, a socket, a file where a socket was. */
    int file = open(scratch_path(path, sizeof path, "first"), O_RDWR | O_CREAT, 0600);
    int made = pipe(p);
    int ok = file == 0 && made == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
    ok = ok && write(file, "abc", 3) == 3 && pread(file, buf, 3, 0) == 3;
    pthread_t t;
    ok = ok && pthread_create(&t, NULL, in_thread, p) == 0 && write(p[1], "x", 1) == 1;
    ok = ok && pthread_join(t, NULL) == 0;
    ok = ok && write(pair[0], "def", 3) == 3 && read(pair[1], buf, 3) == 3;
    ok = ok && close(pair[0]) == 0 && dup2(file, pair[1]) == pair[1];
    ok = ok && pread(pair[1], buf, 3, 0) == 3 && memcmp(buf, "abc", 3) == 0;
    /* Whoever kept one in the meantime shows. */
    int open_now = 0;
    for (int fd = 0; fd < 1024; fd++)
        open_now += fcntl(fd, F_GETFD) >= 0;
    dprintf(out, "%d descriptors\n", open_now);
    closefrom(out + 1);
    dprintf(out, "after closing all: %s\n", ok ? "works" : "broken");
    return ok ? 0 : 1;
}
