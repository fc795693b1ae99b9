/*
 * The mend of pthread-pitfall: the thread takes the two numbers and frees the request before it
 * waits.
 *
 * Look at audit.
 */
#include "test-programs/08-oversized-capture/requests.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t was_sent = PTHREAD_COND_INITIALIZER;
static int batches_sent;

static void wait_until_sent(int batch)
{
    pthread_mutex_lock(&lock);
    while (batches_sent <= batch)
        pthread_cond_wait(&was_sent, &lock);
    pthread_mutex_unlock(&lock);
}

static void *audit(void *arg)
{
    struct request *request = arg;
    long user = request->user, amount = request->amount;

    free(request);
    wait_until_sent((int)(user / 10000));
    note(user, amount);
    return NULL;
}

static void serve(pthread_t *thread, const pthread_attr_t *small_stack, int number)
{
    struct request *request = read_request(number);

    MUST(pthread_create(thread, small_stack, audit, request) == 0);
}

static void send_batch(void)
{
    wait_until_others_wait();
    sleep_ms(20); /* the audit's server takes its time */
    pthread_mutex_lock(&lock);
    batches_sent++;
    pthread_cond_broadcast(&was_sent);
    pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
    int at_once = batch_size(argc, argv, 200);
    pthread_t *threads = calloc((size_t)at_once, sizeof *threads);
    pthread_attr_t small_stack;

    MUST(threads != NULL);
    pthread_attr_init(&small_stack);
    pthread_attr_setstacksize(&small_stack, 64 * 1024);
    for (int batch = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < at_once; i++)
            serve(&threads[i], &small_stack, batch * 10000 + i);
        send_batch();
        for (int i = 0; i < at_once; i++)
            pthread_join(threads[i], NULL);
    }
    free(threads);
    printf("audited: %ld\n", atomic_load(&audited));
    return 0;
}
