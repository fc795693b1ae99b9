/*
 * holder.c - a task that takes a lock of Weft's and then calls nothing any more. It says so on
 * standard output, by its process id.
 */
#include <stdio.h>
#include <unistd.h>
#include <weft.h>

static struct weft_mutex lock;
static volatile unsigned long sum;

/* The first locks of a thread are told of one by one, later ones are not. */
static void take_often(void)
{
    for (int i = 0; i < 2000; i++) {
        weft_mutex_lock(&lock);
        sum++;
        weft_mutex_unlock(&lock);
    }
}

static void hold(void *arg)
{
    (void)arg;
    printf("%d\n", (int)getpid());
    fflush(stdout);
    take_often();
    weft_mutex_lock(&lock);
    for (;;)
        sum++;
}

int main(void)
{
    return weft_run(hold, NULL) == 0 ? 0 : 1;
}
