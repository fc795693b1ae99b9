/*
 * reach.c - keeps the record within reach of a process that gives up its rights.
 *
 * Files are opened by path, again and again, and no descriptor stays open. That ends when a process
 * that began as root becomes somebody who may not pass the directories on the way. Then, and only
 * then, one descriptor of the record's directory is kept. It may be closed or replaced by the
 * program at any time, so it is used only while it is still that directory.
 */
#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

/* Where programs seldom look for the number of their next descriptor. */
#define KEPT_LEAST 700

/* Device and inode of a descriptor; false when it is none. */
static bool identify(int fd, uint64_t id[2])
{
    struct stat st;
    if (el_sys(SYS_newfstatat, fd, (long)"", (long)&st, AT_EMPTY_PATH, 0, 0) < 0)
        return false;
    id[0] = st.st_dev;
    id[1] = st.st_ino;
    return true;
}

/* Whether the kept descriptor is there and is what it was. */
static bool has_kept(const struct el_log *log)
{
    uint64_t id[2];
    return log->kept_dir != 0 && identify(log->kept_dir - 1, id) && id[0] == log->kept_id[0] &&
           id[1] == log->kept_id[1];
}

int el_files_dir(const struct el_log *log)
{
    const int flags = O_PATH | O_DIRECTORY;
    if (has_kept(log))
        return el_sys_open(log->kept_dir - 1, ".", flags);
    return el_sys_open(AT_FDCWD, log->dir, flags);
}

static void keep_dir(struct el_log *log, int dir)
{
    if (has_kept(log))
        return;
    long fd = el_sys(SYS_fcntl, dir, F_DUPFD_CLOEXEC, KEPT_LEAST, 0, 0, 0);
    if (fd < 0) /* beyond the limit on descriptors */
        fd = el_sys(SYS_fcntl, dir, F_DUPFD_CLOEXEC, 0, 0, 0, 0);
    if (fd < 0 || !identify((int)fd, log->kept_id))
        return;
    log->kept_dir = (int)fd + 1;
}

void el_reach_forget(struct el_log *log)
{
    if (has_kept(log))
        el_sys_close(log->kept_dir - 1);
    log->kept_dir = 0;
}

static void chown_one(int dir, const char *name, uint32_t uid, uint32_t gid, int *first)
{
    int error = el_sys_chown(dir, name, uid, gid);
    /* A file that is about to be made is not there yet, and will be the new user's. */
    if (*first == 0 && error != -ENOENT)
        *first = error;
}

int el_log_chown(struct el_log *log, uint32_t uid, uint32_t gid)
{
    char name[EL_NAME_MOST];
    int first = 0;
    if (log->dir[0] == '\0')
        return -ENOENT;
    int dir = el_files_dir(log);
    if (dir < 0)
        return dir;
    chown_one(dir, "metadata", uid, gid, &first);
    for (uint32_t i = 0; i < log->made_slots && i < EL_SLOTS_MOST; i++) {
        el_name_events(name, i);
        chown_one(dir, name, uid, gid, &first);
    }
    for (uint32_t id = 0; id < EL_CELL_IDS; id++) {
        for (uint32_t i = 0; i < log->pools[id].claimed && i < EL_CHUNKS_MOST; i++) {
            el_name_cells(name, 64 + id, i);
            chown_one(dir, name, uid, gid, &first);
        }
    }
    /* The directory last: while it is ours, the rest can be reached. */
    chown_one(dir, ".", uid, gid, &first);
    if (first == 0)
        keep_dir(log, dir);
    el_sys_close(dir);
    return first;
}
