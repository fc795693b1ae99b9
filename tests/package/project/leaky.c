/* leaky.c - each request leaves a thread that waits for ever. With an argument: none does. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct answer {
    pthread_mutex_t lock;
    pthread_cond_t given;
    int is_given;
};

static void *wait_for_answer(void *arg)
{
    struct answer *a = arg;
    pthread_mutex_lock(&a->lock);
    while (!a->is_given)
        pthread_cond_wait(&a->given, &a->lock); /* LEAK */
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

static void give(struct answer *a)
{
    pthread_mutex_lock(&a->lock);
    a->is_given = 1;
    pthread_cond_signal(&a->given);
    pthread_mutex_unlock(&a->lock);
}

int main(int argc, char **argv)
{
    (void)argv;
    for (int i = 0; i < 20; i++) {
        struct answer *a = calloc(1, sizeof(*a));
        pthread_t thread;
        pthread_mutex_init(&a->lock, NULL);
        pthread_cond_init(&a->given, NULL);
        if (pthread_create(&thread, NULL, wait_for_answer, a) != 0)
            return 1;
        if (argc > 1) {
            give(a);
            pthread_join(thread, NULL);
        }
        usleep(10000); /* until it waits; a pool would be made at once */
    }
    return 0;
}
