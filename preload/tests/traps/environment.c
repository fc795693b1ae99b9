/*
 * environment.c - the program's environment is as it was given, also for its children, whatever the
 * program does with it; a child without any environment runs.
 */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

extern char **environ;

/* What starts the program with the library in it is not the program's. */
static int is_ours(const char *entry)
{
    return strncmp(entry, "LD_PRELOAD=", 11) == 0 || strncmp(entry, "LOITER_", 7) == 0 ||
           strncmp(entry, "TEST_DIR=", 9) == 0;
}

static void print_all(const char *who)
{
    for (char **e = environ; e && *e; e++) {
        if (!is_ours(*e))
            printf("%s: %s\n", who, *e);
    }
    fflush(stdout);
}

/* All of it, in the order in which the kernel was given it. */
static void compare_with_kernel(void)
{
    static char given[1 << 20];
    int fd = open("/proc/self/environ", O_RDONLY);
    size_t used = 0;
    ssize_t n;
    while (used < sizeof given && (n = read(fd, given + used, sizeof given - used)) > 0)
        used += (size_t)n;
    close(fd);
    size_t at = 0;
    char **e = environ;
    for (; at < used && e && *e; e++, at += strlen(given + at) + 1)
        MUST(strcmp(*e, given + at) == 0);
    MUST(at == used && (!e || !*e));
}

static void run_child(char **environment)
{
    char *argv[] = {(char *)"environment", (char *)"child", NULL};
    int status;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        execve("/proc/self/exe", argv, environment);
        _exit(9);
    }
    MUST(waitpid(child, &status, 0) == child);
    printf("status %d\n", status);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    (void)argv;
    compare_with_kernel();
    if (argc > 1) {
        print_all("child");
        return 7;
    }
    print_all("at the start");
    char *none[] = {NULL};
    char *few[] = {(char *)"A=1", (char *)"LD_PRELOAD=", (char *)"B=2", NULL};
    run_child(environ);
    run_child(none);
    run_child(few);
    MUST(setenv("LOITERS", "mine", 1) == 0);
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "MANY%d", i);
        MUST(setenv(name, "x", 1) == 0);
    }
    print_all("changed");
    run_child(environ);
    MUST(clearenv() == 0);
    print_all("cleared");
    void *p = malloc(10);
    int fd = open("/dev/null", O_RDONLY);
    MUST(p != NULL && fd >= 0);
    close(fd);
    free(p);
    return 0;
}
