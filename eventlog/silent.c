/* silent.c - see silent.h. A line is one write of a few bytes at the end of the file: there as a
 * whole or not at all, also where the process is killed or others write too. */
#include "eventlog/silent.h"

#include "eventlog/sys.h"
#include "eventlog/writer_impl.h"

static int write_line(int dir, char mark)
{
    char line[32];
    char end[] = {' ', mark, '\n', '\0'};
    struct el_text text = {line, line + sizeof(line)};
    el_text_add_number(&text, el_sys_pid());
    el_text_add(&text, end);
    int fd = el_sys_open(dir, EL_SILENT_FILE, O_WRONLY | O_APPEND | O_CREAT);
    if (fd < 0)
        return fd;
    const long bytes = text.at - line, written = el_sys_write(fd, line, (size_t)bytes);
    el_sys_close(fd);
    if (written == bytes)
        return 0;
    return written < 0 ? (int)written : -ENOSPC;
}

int el_silent_note(const char *root, char mark)
{
    if (root[0] != '/')
        return -EINVAL;
    /* The file grows with each process: where a limit is, the write may raise SIGXFSZ. */
    if (el_sys_file_limit() != UINT64_MAX)
        return -EFBIG;
    int dir = el_sys_open(AT_FDCWD, root, O_PATH | O_DIRECTORY);
    if (dir < 0)
        return dir;
    int error = write_line(dir, mark);
    el_sys_close(dir);
    return error;
}
