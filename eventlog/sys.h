/*
 * sys.h - the few system calls that the writer makes, inside somebody else's program.
 *
 * Each goes past libc's wrappers, so past those of the preload too, keeps errno, and returns a
 * negative errno where it fails.
 */
#ifndef EVENTLOG_SYS_H
#define EVENTLOG_SYS_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

_Static_assert(sizeof(long) == 8, "offsets are passed in one piece");

static inline long el_sys(long number, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long result = syscall(number, a, b, c, d, e, f);
    if (result == -1)
        result = -errno;
    errno = saved;
    return result;
}

static inline int el_sys_open(int dir, const char *name, int flags)
{
    return (int)el_sys(SYS_openat, dir, (long)name, flags | O_CLOEXEC | O_NOFOLLOW, 0600, 0, 0);
}

static inline void el_sys_close(int fd)
{
    el_sys(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline int el_sys_mkdir(const char *path)
{
    return (int)el_sys(SYS_mkdirat, AT_FDCWD, (long)path, 0700, 0, 0, 0);
}

static inline int el_sys_rename(int dir, const char *from, const char *to)
{
    return (int)el_sys(SYS_renameat2, dir, (long)from, dir, (long)to, 0, 0);
}

static inline void el_sys_unlink(int dir, const char *name)
{
    el_sys(SYS_unlinkat, dir, (long)name, 0, 0, 0, 0);
}

static inline int el_sys_chown(int dir, const char *name, uint32_t uid, uint32_t gid)
{
    return (int)el_sys(SYS_fchownat, dir, (long)name, uid, gid, AT_SYMLINK_NOFOLLOW, 0);
}

static inline long el_sys_read(int fd, void *to, size_t bytes)
{
    return el_sys(SYS_read, fd, (long)to, (long)bytes, 0, 0, 0);
}

static inline long el_sys_write(int fd, const void *from, size_t bytes)
{
    return el_sys(SYS_write, fd, (long)from, (long)bytes, 0, 0, 0);
}

/* The offset is passed as the kernel takes it on 64-bit machines: in one piece. */
static inline long el_sys_pwritev(int fd, const struct iovec *iov, int n, uint64_t offset)
{
    return el_sys(SYS_pwritev, fd, (long)iov, n, (long)offset, 0, 0);
}

static inline int el_sys_fstatfs(int fd, struct statfs *disk)
{
    return (int)el_sys(SYS_fstatfs, fd, (long)disk, 0, 0, 0, 0);
}

static inline int el_sys_fallocate(int fd, uint64_t bytes)
{
    return (int)el_sys(SYS_fallocate, fd, 0, 0, (long)bytes, 0, 0);
}

static inline void el_sys_truncate(int fd, uint64_t bytes)
{
    el_sys(SYS_ftruncate, fd, (long)bytes, 0, 0, 0, 0);
}

static inline int el_sys_truncate_path(const char *path, uint64_t bytes)
{
    return (int)el_sys(SYS_truncate, (long)path, (long)bytes, 0, 0, 0, 0);
}

static inline int el_sys_stat(const char *path, struct stat *st)
{
    return (int)el_sys(SYS_newfstatat, AT_FDCWD, (long)path, (long)st, AT_SYMLINK_NOFOLLOW, 0, 0);
}

static inline int el_sys_statfs(const char *path, struct statfs *disk)
{
    return (int)el_sys(SYS_statfs, (long)path, (long)disk, 0, 0, 0, 0);
}

/* The limit on file sizes; no limit where it cannot be read. */
static inline uint64_t el_sys_file_limit(void)
{
    uint64_t limit[2];
    if (el_sys(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)limit, 0, 0) < 0)
        return UINT64_MAX;
    return limit[0];
}

static inline void *el_sys_mapped(long at, int *error)
{
    if (at < 0 && at > -4096) {
        *error = (int)at;
        return NULL;
    }
    return (void *)at;
}

/* NULL and *error where it fails. fd -1 for private memory. */
static inline void *el_sys_map(int fd, uint64_t offset, size_t bytes, int flags, int *error)
{
    flags |= fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    return el_sys_mapped(
        el_sys(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, flags, fd, (long)offset), error);
}

/* Maps what lies at `shared` once more, and what follows it in the file, without a descriptor. */
static inline void *el_sys_map_again(void *shared, size_t bytes, int *error)
{
    return el_sys_mapped(el_sys(SYS_mremap, (long)shared, 0, (long)bytes, MREMAP_MAYMOVE, 0, 0),
                         error);
}

/* Has the pages of [at, at + bytes) made now, where the kernel can: cheaper than one by one. */
static inline int el_sys_populate(void *at, size_t bytes)
{
    return (int)el_sys(SYS_madvise, (long)at, (long)bytes, MADV_POPULATE_WRITE, 0, 0, 0);
}

/* What is not touched there takes no memory, also where the kernel gives huge pages to all. */
static inline void el_sys_small_pages(void *at, size_t bytes)
{
    el_sys(SYS_madvise, (long)at, (long)bytes, MADV_NOHUGEPAGE, 0, 0, 0);
}

static inline void el_sys_unmap(void *at, size_t bytes)
{
    el_sys(SYS_munmap, (long)at, (long)bytes, 0, 0, 0, 0);
}

static inline void el_sys_random(void *to, size_t bytes)
{
    el_sys(SYS_getrandom, (long)to, (long)bytes, 0, 0, 0, 0);
}

/* The process id: libc's getpid would do, but a program may have its own. */
static inline uint32_t el_sys_pid(void)
{
    return (uint32_t)el_sys(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

#endif
