/*
 * contexts.c - coroutines of the program's own: ucontext, and jumps out of handlers and nested
 * calls. Their stacks have no bottom that an unwinder knows and lie where no thread's stack is.
 * They lock, wait, read, write and allocate; a lock is taken in one and given up in another, and a
 * context goes on in another thread than the one it was left in.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "preload/tests/say.h"

enum { COROUTINES = 20, STACK = 64 * 1024, ROUNDS = 50 };

static ucontext_t scheduler, coroutines[COROUTINES];
static pthread_mutex_t locks[COROUTINES];
static int pipes[2], turns;

static void body(int self)
{
    for (int round = 0; round < ROUNDS; round++) {
        char c = (char)round;
        void *p = malloc((size_t)(round * 10 + 1));
        MUST(p != NULL && write(pipes[1], &c, 1) == 1);
        MUST(pthread_mutex_lock(&locks[self]) == 0);
        struct pollfd readable = {.fd = pipes[0], .events = POLLIN};
        MUST(poll(&readable, 1, 1000) == 1);
        swapcontext(&coroutines[self], &scheduler); /* with the lock held */
        MUST(read(pipes[0], &c, 1) == 1);
        MUST(pthread_mutex_unlock(&locks[self]) == 0);
        free(p);
        turns++;
    }
}

static void *stack_of(int i)
{
    size_t bytes = STACK + 4096;
    char *low = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(low != MAP_FAILED && mprotect(low, 4096, PROT_NONE) == 0);
    (void)i;
    return low + 4096;
}

static void make_all(void)
{
    for (int i = 0; i < COROUTINES; i++) {
        MUST(pthread_mutex_init(&locks[i], NULL) == 0);
        getcontext(&coroutines[i]);
        coroutines[i].uc_stack.ss_sp = stack_of(i);
        coroutines[i].uc_stack.ss_size = STACK;
        coroutines[i].uc_link = &scheduler;
        makecontext(&coroutines[i], (void (*)(void))body, 1, i);
    }
}

/* The second half of the rounds is run by another thread. */
static void give_turns(int rounds)
{
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < COROUTINES; i++)
            swapcontext(&scheduler, &coroutines[i]);
    }
}

static void *run_half(void *arg)
{
    give_turns(ROUNDS / 2);
    return arg;
}

static sigjmp_buf back;

static void jump(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

/* A wait, a lock and an allocation that are left by a jump out of a handler. */
static int interrupted(int (*call)(void))
{
    struct itimerval soon = {{0, 0}, {0, 2000}};
    if (sigsetjmp(back, 1) != 0)
        return 1;
    MUST(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    call();
    return 0;
}

static int wait_in_poll(void)
{
    return poll(NULL, 0, 5000);
}

static int wait_in_read(void)
{
    char c;
    return (int)read(pipes[0], &c, 1);
}

static int wait_in_sleep(void)
{
    return usleep(5000000);
}

static void jumps(void)
{
    stack_t other = {.ss_sp = stack_of(0), .ss_size = STACK};
    struct sigaction action = {.sa_handler = jump, .sa_flags = SA_ONSTACK};
    MUST(sigaltstack(&other, NULL) == 0 && sigaction(SIGALRM, &action, NULL) == 0);
    for (int i = 0; i < 20; i++) {
        MUST(interrupted(wait_in_poll) == 1);
        MUST(interrupted(wait_in_read) == 1);
        MUST(interrupted(wait_in_sleep) == 1);
        MUST(pthread_mutex_lock(&locks[0]) == 0 && pthread_mutex_unlock(&locks[0]) == 0);
    }
}

int main(void)
{
    pthread_t t;
    MUST(pipe(pipes) == 0);
    make_all();
    run_half(NULL);
    MUST(pthread_create(&t, NULL, run_half, NULL) == 0 && pthread_join(t, NULL) == 0);
    give_turns(1); /* they end, each by its link */
    printf("%d turns\n", turns);
    jumps();
    puts("came back from all jumps");
    return 0;
}
