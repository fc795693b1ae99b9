/*
 * log_dir.c - see log_dir.h. Nothing here follows a symbolic link.
 */
#include "analyzer/cli/log_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "analyzer/cli/log_replace.h"
#include "analyzer/model/memory.h"

/* Others may pass through to a folder of theirs, but not look around: a process that gives up
 * root's rights goes on recording. The folder of each process is its owner's alone. */
#define DIR_MODE 0711

static bool is_empty(int fd)
{
    int copy = dup(fd);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    bool empty = d != NULL;
    if (!d) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    rewinddir(d); /* the copy is where the last look has left off */
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            empty = false;
    closedir(d);
    return empty;
}

/* Makes it empty if it may. What speaks against using it, to be freed; NULL when nothing does. */
static char *make_room(int fd, const char *path, bool replace)
{
    if (is_empty(fd))
        return NULL;
    if (replace) {
        char *wrong = log_replace(path);
        if (!wrong && !is_empty(fd))
            wrong = xasprintf("%s: the record there cannot be removed: choose another directory "
                              "with -o",
                              path);
        return wrong;
    }
    char *stranger = log_stranger(path);
    char *wrong =
        stranger
            ? xasprintf("%s: is not empty: choose another directory with -o, or remove it", path)
            : xasprintf("%s: is not empty, there is a record: --force replaces it, or "
                        "choose another directory with -o",
                        path);
    free(stranger);
    return wrong;
}

/* What speaks against using it, to be freed; NULL when nothing does. */
static char *check(int fd, const char *path, bool replace)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_uid != geteuid())
        return xasprintf("%s: belongs to somebody else: choose another directory with -o", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return xasprintf("%s: another loiter records there now: choose another directory with -o",
                         path);
    char *wrong = make_room(fd, path, replace);
    if (!wrong && fchmod(fd, DIR_MODE) != 0)
        wrong = xasprintf("%s: cannot use it for the log: %s", path, strerror(errno));
    return wrong;
}

char *log_dir_make(const char *path, bool replace, struct log_dir_hold *hold, char **error)
{
    *hold = (struct log_dir_hold){.made = mkdir(path, DIR_MODE) == 0, .fd = -1};
    if (!hold->made && errno != EEXIST) {
        *error = xasprintf("%s: cannot make the log directory: %s: choose another with -o", path,
                           strerror(errno));
        return NULL;
    }
    hold->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *error = hold->fd >= 0 ? check(hold->fd, path, replace)
                           : xasprintf("%s: cannot use it for the log: %s", path, strerror(errno));
    char *absolute = *error ? NULL : realpath(path, NULL);
    if (!absolute && !*error)
        *error = xasprintf("%s: %s", path, strerror(errno));
    if (!absolute)
        log_dir_release(hold);
    return absolute;
}

void log_dir_release(struct log_dir_hold *hold)
{
    if (hold->fd >= 0)
        close(hold->fd);
    hold->fd = -1;
}

char *log_dir_default(const char *program, int pid)
{
    const char *slash = strrchr(program, '/');
    return xasprintf("loiter.%.64s.%d", slash ? slash + 1 : program, pid);
}

static uint64_t bytes_seen;

static int count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)path, (void)ftw;
    if (type == FTW_F)
        bytes_seen += (uint64_t)st->st_blocks * 512;
    return 0;
}

uint64_t log_dir_bytes(const char *dir)
{
    bytes_seen = 0;
    nftw(dir, count_file, 16, FTW_PHYS);
    return bytes_seen;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type;
    if (ftw->level > 0)
        remove(path);
    return 0;
}

void log_dir_remove(const char *dir, bool all)
{
    nftw(dir, remove_one, 16, FTW_PHYS | FTW_DEPTH);
    if (all)
        rmdir(dir);
}
