/*
 * message.c - see message.h. In one write, so that it does not mix with the program's own output.
 */
#include "analyzer/cli/message.h"

#include "analyzer/model/memory.h"

void message_take(char *text)
{
    char *line = xasprintf("loiter: %s\n", text);
    fflush(stderr);
    fputs(line, stderr);
    free(line);
    free(text);
}

void message(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        memory_out();
    message_take(text);
}
