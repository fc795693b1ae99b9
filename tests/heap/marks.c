/* marks.c - a server that never ends by itself: it loses memory between two marks, and is killed.
 */
#include <loiter.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 40

static __attribute__((noinline)) void lose(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        void *volatile block = malloc(250000);
        memset(block, 1, 250000);
        block = NULL;
    }
}

static __attribute__((noinline)) void scrub(void)
{
    volatile char bytes[8192];
    memset((char *)(unsigned long)bytes, 0, sizeof bytes);
}

int main(void)
{
    loiter_mark("before");
    lose();
    scrub();
    loiter_mark("after losing");
    raise(SIGKILL);
    return 1;
}
