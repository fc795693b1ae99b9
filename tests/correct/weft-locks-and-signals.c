/*
 * weft-locks-and-signals.c - locks that are taken and given up, one within the other, where at each
 * instruction of it a handler of a signal does what is recorded. Whoever sleeps holds none.
 */
#include "test-programs/common/sample.h"

#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <weft.h>

#define STEPS 160 /* more instructions than there are */

static struct weft_mutex outer, inner;
static struct weft_rwmutex shared;
static sem_t signals;
static volatile sig_atomic_t step, asked, handled;

/* The processor's trap flag: a SIGTRAP after each instruction. */
#if defined(__x86_64__)
#define SET_TRAPS(on)                                                                              \
    __asm__ volatile("pushfq\n\t"                                                                  \
                     "andq %0, (%%rsp)\n\t"                                                        \
                     "orq %1, (%%rsp)\n\t"                                                         \
                     "popfq"                                                                       \
                     :                                                                             \
                     : "i"(~0x100), "i"((on) ? 0x100 : 0)                                          \
                     : "memory", "cc")
#else
#define SET_TRAPS(on) (void)((on) && raise(SIGTRAP))
#endif

static void on_trap(int signo)
{
    (void)signo;
    handled++;
    if (step++ == asked || step == asked)
        sem_post(&signals);
}

static void use_locks(void)
{
    weft_mutex_lock(&outer);
    weft_rwmutex_rlock(&shared);
    weft_rwmutex_runlock(&shared);
    weft_mutex_lock(&inner);
    weft_mutex_unlock(&inner);
    weft_mutex_unlock(&outer);
}

static void test(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3 * STEPS; i++) {
        for (int k = 0; k < 5000; k++)
            use_locks(); /* so often that the next one is no sample */
        asked = i % STEPS;
        step = 0;
        SET_TRAPS(1);
        use_locks();
        SET_TRAPS(0);
        weft_sleep(WEFT_MS / 2);
    }
    MUST(handled > STEPS);
    puts("done");
}

int main(void)
{
    struct weft_options one = {.workers = 1};
    struct sigaction sa = {.sa_handler = on_trap, .sa_flags = SA_RESTART};

    MUST(sem_init(&signals, 0, 0) == 0);
    MUST(sigaction(SIGTRAP, &sa, NULL) == 0);
    return weft_run_with(&one, test, NULL) == 0 ? 0 : 1;
}
