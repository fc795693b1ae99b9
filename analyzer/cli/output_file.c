/*
 * output_file.c - see output_file.h.
 */
#include "analyzer/cli/output_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/cli/message.h"
#include "analyzer/model/memory.h"

const char *output_file_named(const char *arg)
{
    return strcmp(arg, "-") == 0 ? NULL : arg;
}

static bool cannot_write(const char *file, const char *what)
{
    message("%s: cannot write the %s: %s", file ? file : "output", what, strerror(errno));
    return false;
}

static bool folder_usable(const char *file)
{
    const char *slash = strrchr(file, '/');
    char *folder = slash ? xstrndup(file, (size_t)(slash - file) + 1) : xstrdup(".");
    bool usable = access(folder, W_OK | X_OK) == 0;
    free(folder);
    return usable;
}

bool output_file_usable(const char *file, const char *what)
{
    struct stat st;
    bool usable = true;
    if (!file)
        return true;
    if (stat(file, &st) != 0) {
        usable = errno == ENOENT && folder_usable(file);
    } else if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        usable = false;
    } else {
        usable = access(file, W_OK) == 0;
    }
    return usable || cannot_write(file, what);
}

FILE *output_file_open(const char *file, FILE *otherwise)
{
    return file ? fopen(file, "we") : otherwise;
}

bool output_file_close(FILE *out, const char *file, FILE *otherwise, const char *what)
{
    bool written = out && fflush(out) == 0 && !ferror(out);
    if (!written)
        cannot_write(file, what);
    if (out && out != otherwise)
        fclose(out);
    return written;
}
