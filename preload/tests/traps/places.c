/*
 * places.c - the program goes where the record can't be reached: another directory, another root,
 * another user, a mount namespace of its own, no descriptors to be had, no file to grow. Threads
 * that it makes there work.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int shared;

static void *thread(void *arg)
{
    for (int i = 0; i < 200; i++) {
        void *p = malloc(1000);
        pthread_mutex_lock(&lock);
        shared++;
        if (i % 50 == 0)
            usleep(10);
        pthread_mutex_unlock(&lock);
        MUST(p != NULL);
        free(p);
    }
    return arg;
}

static void make_threads(void)
{
    pthread_t t[4];
    shared = 0;
    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&t[i], NULL, thread, NULL) == 0);
    for (int i = 0; i < 4; i++)
        MUST(pthread_join(t[i], NULL) == 0);
    MUST(shared == 800);
}

static void in_child(const char *what, int (*go)(void))
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        alarm(300);
        int r = go();
        if (r == 0)
            make_threads();
        printf("%s: %d\n", what, r);
        exit(r == 0 ? 0 : 3);
    }
    MUST(waitpid(child, &status, 0) == child);
    printf("%s: status %x\n", what, (unsigned)status);
}

static int elsewhere(void)
{
    return chdir("/") != 0 || umask(0777) == 0777;
}

static int other_root(void)
{
    const char *dir = getenv("TEST_DIR");
    return chdir(dir) != 0 || chroot(".") != 0;
}

static int other_user(void)
{
    return setgid(65534) != 0 || setuid(65534) != 0;
}

static int own_mounts(void)
{
    return unshare(CLONE_NEWNS | CLONE_FILES | CLONE_FS) != 0;
}

static int no_descriptors(void)
{
    struct rlimit limit = {3, 3};
    int fd;
    while ((fd = open("/dev/null", O_RDONLY)) >= 0) {
    }
    return setrlimit(RLIMIT_NOFILE, &limit);
}

static int no_file_size(void)
{
    struct rlimit limit = {0, 0};
    return setrlimit(RLIMIT_FSIZE, &limit);
}

/* One arena: for another the C library takes 128 MiB of address space for a moment, and two threads
 * that do so at once leave a third nothing. */
static int little_memory(void)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    return mallopt(M_ARENA_MAX, 1) != 1 || setrlimit(RLIMIT_AS, &limit);
}

int main(void)
{
    make_threads();
    in_child("elsewhere", elsewhere);
    in_child("other root", other_root);
    in_child("other user", other_user);
    in_child("own mounts", own_mounts);
    in_child("no descriptors", no_descriptors);
    in_child("no file size", no_file_size);
    in_child("little memory", little_memory);
    return 0;
}
