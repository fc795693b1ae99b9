/*
 * early.c - memory that was allocated before main is good in it.
 */
#include <malloc.h>
#include <mqueue.h>

#include "preload/tests/say.h"

char *early_text(void);
char *early_answers(void);

int main(void)
{
    char *text = early_text();
    MUST(text != NULL);
    printf("%s %d\n", text, malloc_usable_size(text) >= 64);
    MUST(early_answers() != NULL);
    printf("a name that is not found: %d\n", mq_close((mqd_t)-1));
    void *p = NULL;
    SAY(posix_memalign(&p, 3, 10));
    SAY(posix_memalign(&p, 4096, 10) == 0 && (size_t)p % 4096 == 0);
    free(p);
    SAY((size_t)(p = aligned_alloc(64, 640)) % 64);
    free(p);
    SAY((size_t)(p = memalign(128, 10)) % 128);
    free(p);
    SAY((size_t)(p = valloc(10)) % 4096);
    free(p);
    SAY((size_t)(p = pvalloc(10)) % 4096);
    free(p);
    volatile size_t huge = (size_t)-1 / 2;
    SAY(malloc(huge) == NULL);
    SAY(calloc(huge, 4) == NULL);
    SAY(reallocarray(NULL, huge, 4) == NULL);
    SAY(malloc_usable_size(NULL));
    free(NULL);
    return 0;
}
