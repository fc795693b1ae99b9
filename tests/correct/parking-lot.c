/*
 * parking-lot.c - a lock of the program's own: whoever waits for it is parked on a condition of his
 * own, in a line, and who lets go wakes the first. Three threads have taken turns at it when main
 * returns, and stand in line now for a fourth, which is at work.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define TURNERS 3
#define TURNS   50

struct place {
    pthread_cond_t called;
    int has;
    struct place *next;
};

static pthread_mutex_t line_lock = PTHREAD_MUTEX_INITIALIZER;
static struct place *first, **last = &first;
static int taken, in_line;
static atomic_ulong work;

static void take(struct place *own)
{
    pthread_mutex_lock(&line_lock);
    own->has = !taken;
    taken = 1;
    own->next = NULL;
    if (!own->has) {
        *last = own;
        last = &own->next;
        in_line++;
    }
    while (!own->has)
        pthread_cond_wait(&own->called, &line_lock);
    pthread_mutex_unlock(&line_lock);
}

static void let_go(void)
{
    pthread_mutex_lock(&line_lock);
    struct place *next = first;
    taken = next != NULL;
    if (next != NULL) {
        first = next->next;
        last = first == NULL ? &first : last;
        in_line--;
        next->has = 1;
        pthread_cond_signal(&next->called);
    }
    pthread_mutex_unlock(&line_lock);
}

static int wait_in_line(int many)
{
    pthread_mutex_lock(&line_lock);
    int there = in_line >= many;
    pthread_mutex_unlock(&line_lock);
    if (!there)
        sleep_ms(1);
    return there;
}

/* Nobody lets go before the others are in line, so it is handed on in turn. */
static void *take_turns(void *place)
{
    for (;;) {
        take(place);
        while (!wait_in_line(TURNERS - 1))
            ;
        let_go();
    }
    return NULL;
}

static void *work_on(void *place)
{
    take(place);
    for (;;)
        atomic_fetch_add(&work, 1);
    return NULL;
}

int main(void)
{
    pthread_t thread;

    for (int i = 0; i <= TURNERS; i++) {
        struct place *p = calloc(1, sizeof *p);
        MUST(p != NULL);
        pthread_cond_init(&p->called, NULL);
        MUST(pthread_create(&thread, NULL, i < TURNERS ? take_turns : work_on, p) == 0);
        pthread_detach(thread);
        if (i == TURNERS - 1)
            sleep_ms(TURNS);
    }
    while (!wait_in_line(TURNERS) || work == 0)
        ;
    sleep_ms(200);
    puts("main returns");
    return 0;
}
