/* See line.h. */
#include "runtime/sched/line.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
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

static void offset(struct weft__line *line, const char *name, uintptr_t bytes)
{
    weft__line_text(line, name);
    if (bytes == 0)
        return;
    weft__line_text(line, "+0x");
    weft__line_number(line, bytes, 16);
}

/* `back` is 1 where the byte before the address belongs to the place. */
static void place(struct weft__line *line, const void *address, int back)
{
    Dl_info info = {0};
    const char *at = address;
    if (!dladdr(at - back, &info) || !info.dli_fname) {
        weft__line_text(line, "0x");
        weft__line_number(line, (uintptr_t)at, 16);
        return;
    }
    const char *module = strrchr(info.dli_fname, '/');
    module = module ? module + 1 : info.dli_fname;
    if (info.dli_sname) {
        offset(line, info.dli_sname, (uintptr_t)at - (uintptr_t)info.dli_saddr);
        weft__line_text(line, " (");
        weft__line_text(line, module);
        weft__line_text(line, ")");
    } else {
        offset(line, module, (uintptr_t)at - (uintptr_t)info.dli_fbase);
    }
}

void weft__line_place(struct weft__line *line, const void *address)
{
    place(line, address, 0);
}

void weft__line_caller(struct weft__line *line, const void *return_address)
{
    place(line, return_address, 1);
}

void weft__line_age(struct weft__line *line, uint32_t ms)
{
    enum { SECOND = 1000, MINUTE = 60 * SECOND };
    uint32_t unit = ms < SECOND ? 1 : ms < MINUTE ? SECOND : MINUTE;
    weft__line_number(line, ms / unit, 10);
    weft__line_text(line, unit == 1         ? " ms"
                          : unit == SECOND  ? " s"
                          : ms < 2 * MINUTE ? " minute"
                                            : " minutes");
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
