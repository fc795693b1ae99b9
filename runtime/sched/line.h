/*
 * Lines of text for places where stdio must not be used: in a signal handler, or when its locks may
 * be held. What does not fit is cut off.
 */
#ifndef WEFT_SCHED_LINE_H
#define WEFT_SCHED_LINE_H

#include <stddef.h>
#include <stdint.h>

struct weft__line {
    size_t size;
    char text[512];
};

void weft__line_text(struct weft__line *line, const char *text);
void weft__line_number(struct weft__line *line, uint64_t value, unsigned base);

/* The place of a code address: "function+0x1a (module)", or "module+0x1a2b", for addr2line. Asks
 * dladdr(3). For a return address the call before it counts. */
void weft__line_place(struct weft__line *line, const void *address);
void weft__line_caller(struct weft__line *line, const void *return_address);

/* How long something takes already: "250 ms", "12 s", "3 minutes". */
void weft__line_age(struct weft__line *line, uint32_t ms);

/* Ends the line and writes it. 0 or a negative errno. */
int weft__line_write(struct weft__line *line, int fd);

#endif
