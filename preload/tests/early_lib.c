/*
 * early_lib.c - a library whose constructor allocates and does IO before the program begins, and
 * whose destructor frees after it ended.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *early_text(void);

static char *text;
static int null = -1;

__attribute__((constructor(101))) static void before(void)
{
    char *first = malloc(16);
    first = realloc(first, 4000);
    text = calloc(1, 64);
    null = open("/dev/null", O_WRONLY);
    if (first != NULL && text != NULL && write(null, "x", 1) == 1)
        strcpy(text, "early");
    free(first);
}

__attribute__((destructor(101))) static void after(void)
{
    char *last = realloc(text, 8000);
    free(last);
    close(null);
}

char *early_text(void)
{
    return text;
}
