/*
 * tried-then-waited.c - a lock as interpreters have it, on a semaphore: who wants it tries first,
 * and only where that was in vain lets go of all else and waits. What it waits for has come by
 * then, each time: in a row of tries that fail none is without success.
 */
#include "test-programs/common/sample.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>

#define TIMES 2000000

static sem_t lock, late;

static void take(void)
{
    MUST(sem_trywait(&lock) != 0 && errno == EAGAIN);
    MUST(sem_post(&lock) == 0); /* who has it lets it go in this moment */
    MUST(sem_wait(&lock) == 0);
}

static void take_late(void)
{
    MUST(sem_trywait(&late) != 0 && errno == EAGAIN);
    MUST(sem_post(&late) == 0);
    MUST(sem_trywait(&late) == 0); /* the second try has it */
}

int main(void)
{
    sem_init(&lock, 0, 0);
    sem_init(&late, 0, 0);
    for (int i = 0; i < TIMES; i++)
        take();
    for (int i = 0; i < TIMES; i++)
        take_late();
    puts("taken each time");
    return 0;
}
