/* See line.h. */
#include "runtime/sched/line.h"

#include <errno.h>
#include <unistd.h>

void weft__line_text(struct weft__line *line, const char *text)
{
    while (*text && line->size < sizeof line->text - 1)
        line->text[line->size++] = *text++;
}

void weft__line_number(struct weft__line *line, uint64_t value, unsigned base)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    weft__line_text(line, digits + at);
}

int weft__line_write(struct weft__line *line, int fd)
{
    size_t done = 0;
    line->text[line->size++] = '\n';
    while (done < line->size) {
        ssize_t n = write(fd, line->text + done, line->size - done);
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n < 0 ? 0 : (size_t)n;
    }
    return 0;
}
