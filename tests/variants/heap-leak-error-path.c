/*
 * heap-leak-error-path.c - a parser that gives up early, and forgets what it had made. A few lines
 * of each thousand are wrong: it takes a while to notice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES 6000

struct record {
    char *name;
    char text[2000];
};

static struct record *parse(int line)
{
    struct record *r = malloc(sizeof(*r)); /* LEAK */

    if (r == NULL)
        abort();
    memset(r, 0, sizeof(*r));
    r->name = strdup("a field");
    if (line % 2 == 0)
        return NULL;
    return r;
}

static void release(struct record *r)
{
    free(r->name);
    free(r);
}

int main(void)
{
    int good = 0;

    for (int line = 0; line < LINES; line++) {
        struct record *r = parse(line);
        if (r == NULL)
            continue;
        good++;
        release(r);
    }
    printf("%d of %d lines\n", good, LINES);
    return 0;
}
