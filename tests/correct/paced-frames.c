/*
 * paced-frames.c - a loop that does something for each frame and sleeps for a moment until the
 * next: short sleeps in a row, each with some work of its own between.
 */
#include "test-programs/common/sample.h"

#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FRAMES  7000
#define DRAW_NS 45000

static volatile uint32_t picture[1024];

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void draw(uint32_t frame)
{
    for (int64_t began = cpu_ns(); cpu_ns() - began < DRAW_NS;)
        for (int i = 0; i < 1024; i++)
            picture[i] += frame;
}

int main(void)
{
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        draw(frame);
        usleep(50);
    }
    puts("drawn");
    return 0;
}
