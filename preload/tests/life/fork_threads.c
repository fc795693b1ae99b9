/*
 * fork_threads.c - a thousand forks from several threads at once, while others make and end
 * threads and take locks. The children make a thread too.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define FORKERS 5
#define FORKS   200 /* of each; or as the first argument says */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int over, good;
static int forks = FORKS;

static void *nothing(void *arg)
{
    return arg;
}

static void *busy(void *arg)
{
    while (!atomic_load(&over)) {
        pthread_t t;
        pthread_mutex_lock(&mutex);
        pthread_mutex_unlock(&mutex);
        MUST(pthread_create(&t, NULL, nothing, arg) == 0);
        pthread_join(t, NULL);
    }
    return NULL;
}

static _Noreturn void in_child(void)
{
    pthread_t t;
    void *result = NULL;
    alarm(300); /* a child that hangs is a failure, not a hang of the test */
    _exit(pthread_create(&t, NULL, nothing, &result) == 0 && pthread_join(t, &result) == 0 ? 7 : 1);
}

static void *forker(void *arg)
{
    for (int i = 0; i < forks; i++) {
        int status;
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            in_child();
        MUST(waitpid(child, &status, 0) == child);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    return arg;
}

int main(int argc, char **argv)
{
    if (argc == 2)
        forks = atoi(argv[1]);
    pthread_t busy_ones[2], forkers[FORKERS];
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&busy_ones[i], NULL, busy, NULL) == 0);
    for (int i = 0; i < FORKERS; i++)
        MUST(pthread_create(&forkers[i], NULL, forker, NULL) == 0);
    for (int i = 0; i < FORKERS; i++)
        pthread_join(forkers[i], NULL);
    over = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(busy_ones[i], NULL);
    printf("%d children of %d did well\n", good, FORKERS * forks);
    return 0;
}
