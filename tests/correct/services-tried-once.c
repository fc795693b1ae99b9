/*
 * services-tried-once.c - a few services with a thread each, made one after the other. Each does
 * its first job as it is made, and has none to do when the program ends.
 */
#include "test-programs/common/sample.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVICES 6

struct service {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool job, done;
};

static void *serve(void *arg)
{
    struct service *s = (struct service *)arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->job)
            pthread_cond_wait(&s->changed, &s->lock);
        s->job = false;
        s->done = true;
        pthread_cond_broadcast(&s->changed);
    }
    return NULL;
}

static void start(struct service **service)
{
    pthread_t thread;
    struct service *s = (struct service *)calloc(1, sizeof *s);
    MUST(s != NULL && pthread_mutex_init(&s->lock, NULL) == 0);
    MUST(pthread_cond_init(&s->changed, NULL) == 0);
    MUST(pthread_create(&thread, NULL, serve, s) == 0 && pthread_detach(thread) == 0);
    *service = s;
}

static void use(struct service *s)
{
    pthread_mutex_lock(&s->lock);
    s->job = true;
    pthread_cond_broadcast(&s->changed);
    while (!s->done)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

int main(void)
{
    struct service *services[SERVICES];
    for (int i = 0; i < SERVICES; i++) {
        start(&services[i]);
        use(services[i]);
        sleep_ms(15);
    }
    sleep_ms(150);
    puts("all tried");
    return 0;
}
