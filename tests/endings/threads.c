/*
 * threads.c HOW [clean] [fork] [hang] - leaks three threads, then ends as HOW says.
 *
 * clean: leaks nothing. fork: two children leak, not the process itself. hang: waits for one of the
 * leaked threads, for ever.
 */
#include "test-programs/common/sample.h"
#include "tests/endings/ending.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEAKS 3
#define PAUSE 30 /* ms between two: what leaks is not made in one go, as a pool is */

struct mailbox {
    pthread_cond_t emptied;
    bool full;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all_wait = PTHREAD_COND_INITIALIZER;
static int waiting;

static void *hand_over(void *arg)
{
    struct mailbox *box = arg;

    pthread_mutex_lock(&lock);
    box->full = true;
    if (++waiting == LEAKS)
        pthread_cond_signal(&all_wait);
    while (box->full)
        pthread_cond_wait(&box->emptied, &lock); /* LEAK */
    pthread_mutex_unlock(&lock);
    return NULL;
}

static pthread_t leak_some(void)
{
    pthread_t thread = pthread_self();

    for (int i = 0; i < LEAKS; i++) {
        struct mailbox *box = calloc(1, sizeof *box);

        MUST(box != NULL);
        sleep_ms(PAUSE);
        pthread_cond_init(&box->emptied, NULL);
        MUST(pthread_create(&thread, NULL, hand_over, box) == 0); /* SPAWN */
    }
    pthread_mutex_lock(&lock);
    while (waiting < LEAKS)
        pthread_cond_wait(&all_wait, &lock);
    pthread_mutex_unlock(&lock);
    return thread;
}

static void leak_in_children(void)
{
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();

        MUST(child >= 0);
        if (child == 0) {
            leak_some();
            _exit(0);
        }
        MUST(waitpid(child, NULL, 0) == child);
    }
}

int main(int argc, char **argv)
{
    MUST(argc > 1);
    puts("begins");
    fflush(stdout);
    if (has_word(argv, "fork")) {
        leak_in_children();
    } else if (!has_word(argv, "clean")) {
        pthread_t leaked = leak_some();

        if (has_word(argv, "hang"))
            pthread_join(leaked, NULL);
    }
    end_by(argv[1]);
    return 0;
}
