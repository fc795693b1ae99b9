/*
 * stepped_test.c - a handler comes in at each single instruction of the library: the processor's
 * trap flag makes a SIGTRAP of every step, and where that step is the library's, the handler makes
 * calls that handlers may make, which are wrapped. The program must see nothing of it, and the
 * record must say of each thread what it would say without.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "eventlog/kinds.h"
#include "preload/tests/record_help.h"
#include "preload/tests/say.h"

enum { ERRNO_BEFORE = 77 };

/* ---- the program ---- */

#ifdef __x86_64__

static uintptr_t lib_lo, lib_hi;
static unsigned steps;
static int pipes[2], empty[2];
static sem_t posted, nobody;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;

/* Each step makes another one. */
static void call_from_handler(unsigned n)
{
    char byte = 1;
    switch (n % 4) {
    case 0:
        MUST(write(pipes[1], &byte, 1) == 1 && read(pipes[0], &byte, 1) == 1);
        break;
    case 1:
        MUST(sem_post(&posted) == 0);
        break;
    case 2:
        MUST(poll(NULL, 0, 0) == 0);
        break;
    default:
        MUST(close(dup(pipes[0])) == 0);
        break;
    }
}

static void on_step(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    const ucontext_t *c = context;
    uintptr_t at = (uintptr_t)c->uc_mcontext.gregs[REG_RIP];
    if (at < lib_lo || at >= lib_hi)
        return;
    int saved = errno;
    errno = ERRNO_BEFORE;
    call_from_handler(steps++);
    MUST(errno == ERRNO_BEFORE);
    errno = saved;
}

#define TRAP_FLAG "0x100"
static inline void steps_on(void)
{
    __asm__ volatile("pushfq; orq $" TRAP_FLAG ", (%%rsp); popfq" ::: "memory", "cc");
}
static inline void steps_off(void)
{
    __asm__ volatile("pushfq; andq $~" TRAP_FLAG ", (%%rsp); popfq" ::: "memory", "cc");
}

/* What a free lock, a taken one, blocks, IO, a wait that ends and one that does not come to pass
 * do. A lock is held meanwhile, so that what the handler does is worth an event. */
static void calls(void)
{
    char byte = 2, *block;
    struct timespec past = {0};
    pthread_mutex_lock(&held);
    steps_on();
    errno = ERRNO_BEFORE;
    MUST(pthread_mutex_lock(&lock) == 0);
    MUST(pthread_mutex_trylock(&lock) == EBUSY);
    MUST(pthread_mutex_unlock(&lock) == 0);
    MUST((block = malloc(3000000)) != NULL); /* such a block is a sample */
    free(block);
    MUST(write(pipes[1], &byte, 1) == 1 && read(pipes[0], &byte, 1) == 1);
    MUST(sem_post(&posted) == 0 && sem_wait(&posted) == 0);
    MUST(close(dup(pipes[1])) == 0);
    MUST(errno == ERRNO_BEFORE);
    MUST(sem_timedwait(&nobody, &past) == -1 && errno == ETIMEDOUT);
    MUST(read(empty[0], &byte, 1) == -1 && errno == EAGAIN);
    steps_off();
    pthread_mutex_unlock(&held);
}

/* Made past the library: it gets to know the thread in the middle of a stepped call. */
static void *unseen(void *arg)
{
    calls();
    return arg;
}

static int on_object(struct dl_phdr_info *info, size_t size, void *name)
{
    (void)size;
    if (strstr(info->dlpi_name, name) == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0) {
            lib_lo = info->dlpi_addr + p->p_vaddr;
            lib_hi = lib_lo + p->p_memsz;
        }
    }
    return 1;
}

static int program(void)
{
    struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    MUST(libc != NULL && dl_iterate_phdr(on_object, (void *)"libloiter") == 1);
    *(void **)&create = dlsym(libc, "pthread_create");
    MUST(create != NULL && pipe(pipes) == 0 && pipe2(empty, O_NONBLOCK) == 0);
    sem_init(&posted, 0, 0);
    sem_init(&nobody, 0, 0);
    MUST(sigaction(SIGTRAP, &action, NULL) == 0);
    pthread_t t;
    calls();
    MUST(create(&t, NULL, unseen, NULL) == 0 && pthread_join(t, NULL) == 0);
    printf("%u steps\n", steps);
    return 0;
}

#else

static int program(void)
{
    puts("0 steps");
    return 0;
}

#endif

/* ---- what the record says ---- */

static int threads, begun, waiting, holding, events, unknown;
static unsigned char stacks[65536];

static void on_cell(const struct el_record *record)
{
    if (record->info->id == EL_ID_actor && record->any.actor.actor != 0) {
        threads++;
        waiting += record->any.actor.state == EL_ACTOR_WAITING;
    }
    holding += record->info->id == EL_ID_held && record->any.held.actor != 0 &&
               record->any.held.count != 0;
}

static void on_event(const struct el_record *record)
{
    begun += record->info->id == EL_ID_thread_begin;
    if (record->info->id == EL_ID_stack)
        stacks[record->any.stack.stack % sizeof stacks] = 1;
    if (record->info->id == EL_ID_lock_io) {
        events++;
        unknown += !stacks[record->any.lock_io.io_stack % sizeof stacks] ||
                   !stacks[record->any.lock_io.acquired_stack % sizeof stacks];
    }
}

/* The main thread, and the one that was made past the library. */
static void the_record_is_as_without_handlers(void **state)
{
    (void)state;
    char out[200];
    unsigned steps_made = 0;
    assert_int_equal(record_prepare(), 0);
    assert_int_equal(record_run(out, sizeof out), 0);
    assert_int_equal(sscanf(out, "%u steps", &steps_made), 1);
    if (steps_made == 0) { /* another processor, or a kernel without the flag */
        record_remove();
        skip();
    }
    assert_true(steps_made > 5000);
    assert_true(record_read(on_cell, on_event) > 0);
    assert_int_equal(threads, 2);
    assert_int_equal(begun, 2);
    assert_int_equal(waiting, 0);
    assert_int_equal(holding, 0);
    assert_true(events > 100); /* handlers wrote some */
    assert_int_equal(unknown, 0);
    record_remove();
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "program") == 0)
        return program();
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_record_is_as_without_handlers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
