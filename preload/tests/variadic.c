/*
 * variadic.c - optional arguments of open and fcntl arrive as they were given, and large offsets.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/tests/say.h"

static void modes(void)
{
    static const mode_t wanted[] = {0, 0400, 0640, 0755, 01777};
    char path[256];
    struct stat st;
    umask(0);
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        for (int how = 0; how < 3; how++) {
            char leaf[32];
            snprintf(leaf, sizeof leaf, "mode-%u-%d", i, how);
            scratch_path(path, sizeof path, leaf);
            int fd = how == 0   ? open(path, O_CREAT | O_WRONLY | O_EXCL, wanted[i])
                     : how == 1 ? openat(AT_FDCWD, path, O_CREAT | O_WRONLY, wanted[i])
                                : open64(path, O_CREAT | O_RDWR, wanted[i]);
            MUST(fd >= 0 && fstat(fd, &st) == 0);
            MUST((st.st_mode & 07777) == wanted[i]);
            close(fd);
        }
        int fd = open(getenv("TEST_DIR"), O_TMPFILE | O_RDWR, wanted[i]);
        MUST(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == wanted[i]);
        close(fd);
    }
    SAY(open(getenv("TEST_DIR"), O_DIRECTORY | O_RDONLY));
}

static void locks(int fd)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    SAY(fcntl(fd, F_SETLK, &l));
    SAY(fcntl(fd, F_SETLKW, &l));
    SAY(fcntl64(fd, F_GETLK, &l));
    SAY(fcntl(fd, F_OFD_SETLKW, &l));
    l.l_type = 99;
    SAY(fcntl(fd, F_SETLKW, &l));
    SAY(fcntl(fd, F_SETLKW, NULL));
}

static void flags(int fd)
{
    SAY(fcntl(fd, F_GETFD));
    SAY(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SAY(fcntl(fd, F_GETFD));
    SAY(fcntl(fd, F_SETFL, O_APPEND));
    SAY(fcntl(fd, F_GETFL) & O_APPEND);
    SAY(fcntl(fd, F_DUPFD, 50));
    SAY(fcntl(fd, F_DUPFD_CLOEXEC, 50));
    SAY(fcntl(51, F_GETFD));
    SAY(fcntl(-1, F_GETFD));
    SAY(fcntl(fd, 9999, 0));
    SAY(fcntl(fd, F_SETFL, 0));
}

static void large(int fd)
{
    const off64_t at = 5LL << 30;
    char got[4] = "";
    SAY(pwrite64(fd, "far", 3, at));
    SAY(pread64(fd, got, 3, at));
    printf("%s\n", got);
    SAY(pwrite(fd, "FAR", 3, at + 10));
    SAY(lseek64(fd, 0, SEEK_END));
    SAY(pread(fd, got, 3, at + 10));
    printf("%s\n", got);
    SAY(lockf64(fd, F_TLOCK, at));
}

int main(void)
{
    char path[256];
    modes();
    int fd = open(scratch_path(path, sizeof path, "file"), O_RDWR | O_CREAT, 0600);
    MUST(fd >= 0);
    locks(fd);
    flags(fd);
    large(fd);
    return 0;
}
