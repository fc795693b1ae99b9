/*
 * syscalls.c - what programs do by syscall(): the futex call in its ordinary and its odd uses,
 * calls with six arguments, and those that come back on a stack of their own.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "preload/tests/say.h"

#define NOWHERE ((uint32_t *)8)

static const struct timespec none = {0, 0}, soon = {0, 2000000}, past = {1, 0},
                             bad = {0, 1000000000};
static _Atomic uint32_t word, other;

/* The plain numbers, which differ from kernel to kernel only by ENOSYS. */
static long futex(void *at, int op, uint32_t value, const void *limit, void *second, uint32_t third)
{
    return syscall(SYS_futex, at, op, value, limit, second, third);
}

static void waits_in_vain(void)
{
    for (int private = 0; private <= FUTEX_PRIVATE_FLAG; private += FUTEX_PRIVATE_FLAG) {
        const int wait = FUTEX_WAIT | private, until = FUTEX_WAIT_BITSET | private;
        SAY(futex(&word, wait, 1, NULL, NULL, 0));
        SAY(futex(&word, wait, 0, &none, NULL, 0));
        SAY(futex(&word, wait, 0, &soon, NULL, 0));
        SAY(futex(&word, wait, 0, &bad, NULL, 0));
        SAY(futex(&word, wait, 0, NOWHERE, NULL, 0));
        SAY(futex(NOWHERE, wait, 0, NULL, NULL, 0));
        SAY(futex((char *)&word + 1, wait, 0, NULL, NULL, 0));
        SAY(futex(NULL, wait, 0, NULL, NULL, 0));
        SAY(futex(&word, until, 1, NULL, NULL, ~0u));
        SAY(futex(&word, until, 0, NULL, NULL, 0));
        SAY(futex(&word, until, 0, &past, NULL, ~0u));
        SAY(futex(&word, until | FUTEX_CLOCK_REALTIME, 0, &past, NULL, ~0u));
        SAY(futex(&word, until, 0, NOWHERE, NULL, ~0u));
        SAY(futex(NOWHERE, until, 0, NULL, NULL, ~0u));
    }
    SAY(syscall(449, NULL, 0, 0, NULL, 0));
    SAY(syscall(449, NOWHERE, 1, 0, NULL, CLOCK_MONOTONIC) < 0);
    SAY(syscall(455, NOWHERE, 0L, ~0u, 2, NULL, CLOCK_MONOTONIC) < 0);
}

static void others(void)
{
    SAY(futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0));
    SAY(futex(NOWHERE, FUTEX_WAKE, 1, NULL, NULL, 0));
    SAY(futex((char *)&word + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, FUTEX_OP(FUTEX_OP_SET, 5, 0, 0)));
    SAY(other);
    SAY(futex(&word, FUTEX_REQUEUE, 1, (void *)1, &other, 0));
    SAY(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 1));
    SAY(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 0));
    SAY(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SAY(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    SAY(futex(&word, 100, 0, NULL, NULL, 0));
    SAY(futex(&word, -1, 0, NULL, NULL, 0));
    SAY(word);
    word = 0;
}

static void *answer(void *arg)
{
    uint32_t *mine = arg;
    nanosleep(&soon, NULL);
    __atomic_store_n(mine, 1, __ATOMIC_SEQ_CST);
    futex(mine, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return NULL;
}

/* Until it is another value; the word is on the stack, beside what syscall() takes from there. */
static void answered(void)
{
    for (int i = 0; i < 300; i++) {
        uint32_t mine = 0;
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, answer, &mine) == 0);
        while (__atomic_load_n(&mine, __ATOMIC_SEQ_CST) == 0)
            if (futex(&mine, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) != 0)
                MUST(errno == EAGAIN || errno == EINTR);
        MUST(mine == 1);
        MUST(pthread_join(thread, NULL) == 0);
    }
    puts("answered");
}

static void on_signal(int number)
{
    (void)number;
}

static void *interrupt(void *arg)
{
    const pthread_t whom = *(pthread_t *)arg;
    for (int i = 0; i < 3; i++) {
        nanosleep(&(struct timespec){0, 20000000}, NULL);
        pthread_kill(whom, SIGUSR1);
    }
    return NULL;
}

static void interrupted(void)
{
    pthread_t self = pthread_self(), thread;
    struct timespec long_time = {60, 0};
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
    MUST(pthread_create(&thread, NULL, interrupt, &self) == 0);
    for (int i = 0; i < 3; i++)
        SAY(futex(&word, FUTEX_WAIT, 0, &long_time, NULL, 0));
    MUST(pthread_join(thread, NULL) == 0);
}

static void six_arguments(void)
{
    char from[8] = "abcdefg", to[8] = "";
    struct iovec here = {to, 8}, there = {from, 8};
    SAY(syscall(SYS_process_vm_readv, getpid(), &here, 1L, &there, 1L, 0L));
    SAY(syscall(SYS_process_vm_readv, getpid(), &here, 1L, &there, 1L, 1L));
    MUST(strcmp(to, "abcdefg") == 0);
    void *at =
        (void *)syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
    MUST(at != MAP_FAILED && *(const char *)at == 0);
    SAY(syscall(SYS_munmap, at, 4096L));
    SAY(syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 5L));
    SAY(syscall(SYS_gettid) == getpid());
    SAY(syscall(-1));
}

#ifdef __x86_64__
static long child_slept;

/* In the child: no frame of anybody's is below it, and errno is its maker's. */
__attribute__((used)) static void in_child(void)
{
    child_slept = syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
    for (;;)
        syscall(SYS_exit, 0);
}

/* A child that shares all with its maker, and comes back from syscall() to where its stack says. */
static void a_child_on_its_own_stack(void)
{
    static _Alignas(16) char stack[65536];
    void (**top)(void) = (void (**)(void))(stack + sizeof stack - 8);
    *top = in_child;
    pid_t child = (pid_t)syscall(SYS_clone, CLONE_VM | SIGCHLD, top, NULL, NULL, 0L);
    MUST(child > 0);
    while (waitpid(child, NULL, WNOHANG) == 0)
        futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0);
    SAY(child_slept);
}

/* What lies above the return address is the caller's: it may not be written to. */
static long on_the_edge(long number, char *edge, void *at, long op)
{
    long result;
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %[edge], %%rsp\n\t"
                     "xor %%r8d, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\t"
                     "xor %%ecx, %%ecx\n\t"
                     "call syscall@PLT\n\t"
                     "mov %%rbx, %%rsp"
                     : "=a"(result), "+D"(number), "+S"(at), "+d"(op)
                     : [edge] "r"(edge)
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "memory", "cc");
    return result;
}

static void only_read_above(void)
{
    char *stack =
        mmap(NULL, 65536 + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(stack != MAP_FAILED && mprotect(stack + 65536, 4096, PROT_READ) == 0);
    SAY(on_the_edge(SYS_futex, stack + 65536, &word, FUTEX_WAKE));
    SAY(on_the_edge(SYS_futex, stack + 65536, NOWHERE, FUTEX_WAIT));
    SAY(on_the_edge(SYS_close, stack + 65536, NULL, 0) <= 0);
    MUST(munmap(stack, 65536 + 4096) == 0);
}

/* The child comes back first and uses the stack below, but for the word that its maker, which comes
 * back after it, finds its way by. */
static void a_vfork(void)
{
    volatile int status = 0;
    pid_t child = (pid_t)syscall(SYS_vfork);
    if (child == 0)
        __asm__ volatile("lea -264(%%rsp), %%rdi\n\t"
                         "mov $32, %%ecx\n\t"
                         "xor %%eax, %%eax\n\t"
                         "rep stosq\n\t"
                         "mov %0, %%eax\n\t"
                         "mov $7, %%edi\n\t"
                         "syscall"
                         :
                         : "i"(SYS_exit)
                         : "rax", "rdi", "rcx", "r11", "memory");
    MUST(child > 0 && waitpid(child, (int *)&status, 0) == child);
    SAY(status);
}
#else
static void a_child_on_its_own_stack(void) {}
static void only_read_above(void) {}
static void a_vfork(void) {}
#endif

/* The kernel wakes whom a fork left. */
static void in_a_fork(void)
{
    int status;
    fflush(stdout);
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0L, 0L, 0L, 0L);
    MUST(child >= 0);
    if (child == 0) {
        waits_in_vain();
        others();
        fflush(stdout);
        syscall(SYS_exit_group, 9);
    }
    MUST(waitpid(child, &status, 0) == child);
    SAY(status);
}

int main(void)
{
    waits_in_vain();
    others();
    answered();
    interrupted();
    six_arguments();
    only_read_above();
    a_vfork();
    a_child_on_its_own_stack();
    in_a_fork();
    return 0;
}
