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
    char text[256];
};

void weft__line_text(struct weft__line *line, const char *text);
void weft__line_number(struct weft__line *line, uint64_t value, unsigned base);

/* Ends the line and writes it. 0 or a negative errno. */
int weft__line_write(struct weft__line *line, int fd);

#endif
