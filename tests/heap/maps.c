/*
 * maps.c - memory that is not to be read, or goes while it is read: guards, holes, blocks made
 * unreadable, a file cut off under its mapping, a device, far more address space than memory; and
 * threads that map, unmap and fork all the time. Ten blocks are lost, others are held there.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%d: %s\n", __LINE__, #condition);                                     \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static _Atomic int turns;

static char *map(size_t bytes, int protection, int more, int fd)
{
    char *at = mmap(NULL, bytes, protection, MAP_PRIVATE | more, fd, 0);
    MUST(at != MAP_FAILED);
    return at;
}

static __attribute__((noinline)) void lose(void)
{
    for (int i = 0; i < 10; i++) {
        void *volatile block = malloc(1000);
        memset(block, 0, 1000);
        block = NULL;
    }
}

static __attribute__((noinline)) void scrub(void)
{
    volatile char bytes[16384];
    memset((char *)(unsigned long)bytes, 0, sizeof bytes);
}

static __attribute__((noinline)) void make_maps(void)
{
    const int rw = PROT_READ | PROT_WRITE, none = MAP_ANONYMOUS;
    char name[] = "/tmp/loiter-maps-XXXXXX";
    /* Every second page of it cannot be read; what the others hold is held. */
    char *striped = map(64 * PAGE, rw, none, -1);
    for (unsigned long i = 0; i < 64; i += 2) {
        *(void **)(void *)(striped + i * PAGE) = malloc(500);
        MUST(mprotect(striped + (i + 1) * PAGE, PAGE, PROT_NONE) == 0);
    }
    /* A block whose middle cannot be read. */
    char *block = aligned_alloc(PAGE, 4 * PAGE);
    *(void **)(void *)(block + 3 * PAGE) = malloc(600);
    *(char **)(void *)(striped + 8) = block;
    MUST(mprotect(block + PAGE, PAGE, PROT_NONE) == 0);
    /* Much more than there is, with a pointer in its depth. */
    char *huge = map(64ul << 30, rw, none | MAP_NORESERVE, -1);
    *(void **)(void *)(huge + (40ul << 30)) = malloc(700);
    map(1ul << 42, PROT_NONE, none | MAP_NORESERVE, -1);
    /* Behind its end a file's mapping is a fault. */
    int fd = mkstemp(name);
    MUST(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 4 * (long)PAGE) == 0);
    char *file = map(4 * PAGE, rw, 0, fd);
    *(void **)(void *)file = malloc(800);
    MUST(ftruncate(fd, PAGE) == 0 && close(fd) == 0);
    fd = open("/dev/zero", O_RDWR);
    MUST(fd >= 0);
    *(void **)(void *)map(PAGE, rw, 0, fd) = malloc(900);
    close(fd);
}

static void *maps_on(void *arg)
{
    for (;;) {
        char *at = map(32 * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS, -1);
        memset(at, 1, 32 * PAGE);
        MUST(mprotect(at + PAGE, PAGE, PROT_NONE) == 0 && munmap(at, 32 * PAGE) == 0);
        atomic_fetch_add(&turns, 1);
    }
    return arg;
}

static void *forks_on(void *arg)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        MUST(child > 0 && waitpid(child, NULL, 0) == child);
        atomic_fetch_add(&turns, 1);
    }
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t;
    make_maps();
    lose();
    scrub();
    MUST(pthread_create(&t, NULL, maps_on, NULL) == 0);
    if (argc == 2 && strcmp(argv[1], "forks") == 0)
        MUST(pthread_create(&t, NULL, forks_on, NULL) == 0);
    while (atomic_load(&turns) < 5)
        usleep(100);
    puts("ends now");
    fflush(stdout);
    return 0;
}
