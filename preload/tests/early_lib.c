/*
 * early_lib.c - a library whose constructor allocates and does IO before the program begins, and
 * whose destructor frees after it ended. Its dlsym is one that allocates, as the C library's may:
 * who asks it for malloc is asked for memory first. One name it does not know.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ASKED_MOST 4096

char *early_text(void);
char *early_answers(void);

static char *text;
static int null = -1;
static char *answers[ASKED_MOST];
static unsigned asked;

typedef void *dlsym_fn(void *handle, const char *name);

void *dlsym(void *handle, const char *name)
{
    static dlsym_fn *real;
    char *passing = malloc(10);
    char *kept = calloc(1, 40);
    if (real == NULL)
        *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
    if (real == NULL)
        *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
    passing = realloc(passing, 2000);
    memset(passing, 1, 2000);
    free(passing);
    if (asked < ASKED_MOST)
        answers[asked++] = strcpy(kept, "answered");
    if (real == NULL || strcmp(name, "mq_close") == 0)
        return NULL;
    return real(handle, name);
}

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
    for (unsigned i = 0; i < asked; i++)
        free(answers[i]);
}

char *early_text(void)
{
    return text;
}

/* What was given then is whole, and may grow or go. */
char *early_answers(void)
{
    dlsym(RTLD_DEFAULT, "malloc");
    for (unsigned i = 0; i < asked; i++) {
        if (strcmp(answers[i], "answered") != 0)
            return NULL;
        if (i % 2 != 0) {
            free(answers[i]);
            answers[i] = malloc(20);
            continue;
        }
        answers[i] = realloc(answers[i], 3000);
        if (answers[i] == NULL || strcmp(answers[i], "answered") != 0)
            return NULL;
    }
    return answers[0];
}
