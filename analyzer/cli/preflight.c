/*
 * preflight.c - see preflight.h. What the file itself is: program_kind.c.
 */
#include "analyzer/cli/preflight.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "analyzer/cli/exit_codes.h"
#include "analyzer/cli/program_kind.h"
#include "analyzer/model/memory.h"

/* A script's interpreter can be a script; the kernel's limit is this. */
#define SCRIPT_DEPTH_MAX 4
#define HEAD_BYTES       256

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* As execvp: a name with a slash is a path, another is looked up; what cannot be executed is passed
 * over, and remembered for the message. */
static int find(const char *program, char **path, char **error)
{
    if (strchr(program, '/')) {
        *path = xstrdup(program);
        return 0;
    }
    char *copy = xstrdup(getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin");
    char *rest = copy, *dir, *denied = NULL;
    while (!*path && (dir = strsep(&rest, ":"))) {
        char *candidate = xasprintf("%s/%s", *dir ? dir : ".", program);
        bool file = is_file(candidate);
        if (file && access(candidate, X_OK) == 0) {
            *path = candidate;
        } else if (file && !denied) {
            denied = candidate;
        } else {
            free(candidate);
        }
    }
    free(copy);
    if (!*path && denied)
        *error = xasprintf("%s: permission denied: it is not executable (chmod +x)", denied);
    else if (!*path)
        *error = xasprintf("%s: not found: no such program in $PATH", program);
    int code = *path ? 0 : denied ? EXIT_CODE_NOT_EXECUTABLE : EXIT_CODE_NOT_FOUND;
    free(denied);
    return code;
}

static int check_access(const char *path, char **error)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        int code =
            errno == ENOENT || errno == ENOTDIR ? EXIT_CODE_NOT_FOUND : EXIT_CODE_NOT_EXECUTABLE;
        *error = xasprintf("%s: cannot run it: %s", path,
                           errno == ENOENT ? "no such file" : strerror(errno));
        return code;
    }
    if (S_ISDIR(st.st_mode)) {
        *error = xasprintf("%s: cannot run it: it is a directory", path);
        return EXIT_CODE_NOT_EXECUTABLE;
    }
    if (!S_ISREG(st.st_mode) || access(path, X_OK) != 0) {
        *error = xasprintf("%s: permission denied: it is not executable (chmod +x)", path);
        return EXIT_CODE_NOT_EXECUTABLE;
    }
    return 0;
}

/* Programs that gain privileges run without preloaded libraries. */
static int check_privileges(const char *path, char **error)
{
    struct stat st;
    const char *what = NULL;
    if (stat(path, &st) == 0 && st.st_mode & S_ISUID)
        what = "is setuid";
    else if (st.st_mode & S_ISGID && st.st_mode & S_IXGRP)
        what = "is setgid";
    else if (getxattr(path, "security.capability", NULL, 0) > 0)
        what = "has file capabilities";
    if (!what)
        return 0;
    *error = xasprintf("%s: %s, so the system ignores preloaded libraries and nothing would be "
                       "recorded: run a copy without that privilege (cp it and run the copy)",
                       path, what);
    return EXIT_CODE_INCOMPLETE;
}

static int check_elf(const char *path, int fd, char **error)
{
    char *what = NULL;
    switch (program_kind(fd, &what)) {
    case PROGRAM_KIND_GOOD:
        return 0;
    case PROGRAM_KIND_STATIC:
        *error = xasprintf("%s: is linked statically, so nothing can be preloaded into it: link it "
                           "dynamically (without -static)",
                           path);
        break;
    case PROGRAM_KIND_FOREIGN:
        *error = xasprintf("%s: is a program for %s, and this is a Loiter for %s: build it, or "
                           "Loiter, for the same machine",
                           path, what, program_kind_host());
        break;
    case PROGRAM_KIND_OTHER_LIBC:
        *error = xasprintf("%s: its loader is %s, and Loiter works with glibc: build it for glibc",
                           path, what);
        break;
    case PROGRAM_KIND_BROKEN:
        *error =
            xasprintf("%s: cannot run it: it is no whole program file (exec format error)", path);
        return EXIT_CODE_NOT_EXECUTABLE;
    }
    free(what);
    return EXIT_CODE_INCOMPLETE;
}

/* The interpreter that a script names, to be freed; NULL when it is no script. */
static char *interpreter_of(char *head)
{
    if (strncmp(head, "#!", 2) != 0)
        return NULL;
    char *word = head + 2 + strspn(head + 2, " \t");
    word[strcspn(word, " \t\r\n")] = '\0';
    return xstrdup(word);
}

/* What a shell would try to run line by line. */
static bool is_text(const char *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head[i] == '\0' ||
            (iscntrl((unsigned char)head[i]) && !isspace((unsigned char)head[i])))
            return false;
    return n > 0;
}

static int check_file(const char *path, unsigned depth, char **error);

static int check_head(const char *path, int fd, unsigned depth, char **error)
{
    char head[HEAD_BYTES + 1] = {0};
    ssize_t n = pread(fd, head, HEAD_BYTES, 0);
    if (n >= 4 && memcmp(head, "\177ELF", 4) == 0)
        return check_elf(path, fd, error);
    char *interpreter = interpreter_of(head);
    if (!interpreter && n > 0 && is_text(head, (size_t)n))
        interpreter = xstrdup("/bin/sh");
    if (!interpreter || depth == 0) {
        free(interpreter);
        *error = xasprintf("%s: cannot run it: neither a program nor a script (exec format error)",
                           path);
        return EXIT_CODE_NOT_EXECUTABLE;
    }
    char *inner = NULL;
    int code = check_file(interpreter, depth - 1, &inner);
    if (code) {
        *error = xasprintf("%s: its interpreter: %s", path, inner);
        free(inner);
    }
    free(interpreter);
    return code;
}

static int check_file(const char *path, unsigned depth, char **error)
{
    int code = check_access(path, error);
    if (code)
        return code;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES)
        return check_privileges(path, error); /* may be run though not read */
    if (fd < 0) {
        *error = xasprintf("%s: cannot run it: %s", path, strerror(errno));
        return EXIT_CODE_NOT_EXECUTABLE;
    }
    code = check_head(path, fd, depth, error);
    close(fd);
    return code ? code : check_privileges(path, error);
}

int preflight(const char *program, char **path, char **error)
{
    *path = NULL;
    int code = find(program, path, error);
    if (!code)
        code = check_file(*path, SCRIPT_DEPTH_MAX, error);
    if (code) {
        free(*path);
        *path = NULL;
    }
    return code;
}
