/*
 * sys.h - system calls past libc: no wrapper entered, no cancellation point, errno untouched.
 */
#ifndef PRELOAD_CORE_SYS_H
#define PRELOAD_CORE_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

/* Negative errno on failure. */
static inline long pl_sys6(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
#error "an architecture that sys.h does not know"
#endif
}

/* Zeroed, private; NULL on failure. */
static inline void *pl_sys_mmap(size_t bytes)
{
    long r = pl_sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    return r < 0 && r > -4096 ? NULL : (void *)r;
}

/* What is not touched there takes no memory, also where the kernel gives huge pages to all. */
static inline void pl_sys_small_pages(void *at, size_t bytes)
{
    pl_sys6(SYS_madvise, (long)at, (long)bytes, MADV_NOHUGEPAGE, 0, 0, 0);
}

/* Address space, zeroed, that takes memory by the small page as it is touched; left out of core
 * files. NULL on failure. */
static inline void *pl_sys_reserve(size_t bytes)
{
    long r = pl_sys6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r < 0 && r > -4096)
        return NULL;
    pl_sys_small_pages((void *)r, bytes);
    pl_sys6(SYS_madvise, r, (long)bytes, MADV_DONTDUMP, 0, 0, 0);
    return (void *)r;
}

static inline void pl_sys_munmap(void *at, size_t bytes)
{
    pl_sys6(SYS_munmap, (long)at, (long)bytes, 0, 0, 0, 0);
}

/* Processor time of the calling thread. */
static inline uint64_t pl_sys_cpu_ns(void)
{
    struct timespec t = {0, 0};
    pl_sys6(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&t, 0, 0, 0, 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int pl_sys_pid(void)
{
    return (int)pl_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

/* Reads the process's own memory by the kernel, so that a page that is gone is no fault. Gives how
 * many bytes could be read; 0 also where the call is not to be had. Of several parts, as many as
 * come before the first that cannot be read; their bytes together are `bytes`. */
static inline size_t pl_sys_peek_parts(const struct iovec *parts, size_t n, void *to, size_t bytes)
{
    struct iovec here = {to, bytes};
    long got = pl_sys6(SYS_process_vm_readv, pl_sys_pid(), (long)&here, 1, (long)parts, (long)n, 0);
    return got > 0 ? (size_t)got : 0;
}

static inline size_t pl_sys_peek(uintptr_t from, void *to, size_t bytes)
{
    struct iovec there = {(void *)from, bytes};
    return pl_sys_peek_parts(&there, 1, to, bytes);
}

/* Leaves the processor to another thread, which is waited for: the i-th time. Not by yielding
 * alone, for the other one may be of less priority. A thousand times are a second and more. */
static inline void pl_sys_rest(uint32_t i)
{
    const struct timespec moment = {0, i < 64 ? 50000 : 1000000};
    if (i < 16)
        pl_sys6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    else
        pl_sys6(SYS_nanosleep, (long)&moment, 0, 0, 0, 0, 0);
}

static inline int pl_sys_tid(void)
{
    return (int)pl_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/*
 * Can the 8 bytes there be read? rt_sigprocmask reads the set before it refuses the unknown `how`:
 * EFAULT tells unreadable memory, PROT_NONE included. No filter of system calls forbids it.
 */
static inline int pl_sys_readable(uintptr_t at)
{
    return pl_sys6(SYS_rt_sigprocmask, -1, (long)at, 0, 8, 0, 0) != -14;
}

#endif
