/*
 * locate.c - see locate.h.
 */
#include "analyzer/symbols/locate.h"

#include <elfutils/libdwelf.h>
#include <fcntl.h>
#include <libelf.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "analyzer/model/memory.h"

#define SYSTEM_DEBUG_DIR "/usr/lib/debug"

/* A path out of a log may name anything: a fifo must not stop us. */
static int open_regular(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static char *to_hex(const unsigned char *bytes, size_t n)
{
    char *hex = xcalloc(2 * n + 1, 1);
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    return hex;
}

static char *build_id_of_fd(int fd)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
    const void *bytes = NULL;
    ssize_t n = elf ? dwelf_elf_gnu_build_id(elf, &bytes) : -1;
    char *hex = n > 0 ? to_hex(bytes, (size_t)n) : NULL;
    elf_end(elf);
    return hex;
}

char *locate_build_id(const char *file)
{
    int fd = open_regular(file);
    if (fd < 0)
        return NULL;
    char *hex = build_id_of_fd(fd);
    close(fd);
    return hex;
}

struct search {
    const char *build_id;
    bool saw_other; /* a file was there, with another build-id */
    char *found;
};

/* Takes `candidate` over. True when it is the module. */
static bool try_file(struct search *s, char *candidate)
{
    int fd = open_regular(candidate);
    if (fd >= 0) {
        char *id = s->build_id ? build_id_of_fd(fd) : NULL;
        if (!s->build_id || (id && strcmp(id, s->build_id) == 0))
            s->found = candidate;
        else
            s->saw_other = true;
        free(id);
        close(fd);
    }
    if (!s->found)
        free(candidate);
    return s->found != NULL;
}

static bool try_dir(struct search *s, const char *dir, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *id = s->build_id;
    bool usable_id = id && strlen(id) > 2;

    if (usable_id && try_file(s, xasprintf("%s/.build-id/%.2s/%s", dir, id, id + 2)))
        return true;
    if (try_file(s, xasprintf("%s/%s", dir, path)) || try_file(s, xasprintf("%s/%s", dir, name)))
        return true;
    return usable_id && try_file(s, xasprintf("%s/.build-id/%.2s/%s.debug", dir, id, id + 2));
}

enum locate_result locate_module(const char *const *dirs, size_t ndirs, const char *path,
                                 const char *build_id, char **file)
{
    struct search s = {.build_id = build_id};
    *file = NULL;
    if (!path || path[0] != '/')
        return LOCATE_NO_FILE;

    bool found = try_file(&s, xstrdup(path));
    for (size_t i = 0; i < ndirs && !found; i++)
        found = try_dir(&s, dirs[i], path);
    /* Without a build-id, a namesake in the system's debug directory proves nothing. */
    if (!found && build_id)
        found = try_dir(&s, SYSTEM_DEBUG_DIR, path);
    if (!found)
        return s.saw_other ? LOCATE_MISMATCH : LOCATE_MISSING;
    *file = s.found;
    return build_id ? LOCATE_EXACT : LOCATE_UNCHECKED;
}
