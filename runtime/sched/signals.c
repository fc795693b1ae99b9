/*
 * SIGSEGV while a run is open: a task that has used up its stack is named before the process dies
 * of the signal, as it would have anyway. SIGQUIT, where WEFT_DUMP is set: the tasks are listed and
 * the program goes on. A handler of the program is never replaced.
 *
 * Everything a handler does here may be done at any instruction: no lock, no allocation, no stdio.
 */
#include "runtime/sched/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/sched/inside.h"
#include "runtime/sched/line.h"

enum {
    HANDLER_BYTES = 16 * 1024, /* beside the frame that the kernel pushes */
    REACH = 1024,              /* how far below the stack pointer a push may store */
};

static uintptr_t stack_pointer(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
#else
    return (uintptr_t)context->uc_mcontext.sp;
#endif
}

/* The fault is in the task's guard page, and it is the stack that came there: a wild pointer may
 * hit a guard too, but with the stack pointer elsewhere. */
static bool has_overflowed(const struct weft_task *t, const siginfo_t *info, const void *context)
{
    uintptr_t guard = (uintptr_t)t->stack, at = (uintptr_t)info->si_addr;
    uintptr_t end = guard + weft__stack_page();
    return guard && info->si_code > 0 && at >= guard && at < end &&
           stack_pointer(context) < end + REACH;
}

static void report(const struct weft_task *t)
{
    struct weft__line line = {0};
    weft__line_text(&line, "weft: stack overflow in task ");
    weft__line_number(&line, t->loiter.id, 10);
    if (t->name) {
        weft__line_text(&line, " \"");
        weft__line_text(&line, t->name);
        weft__line_text(&line, "\"");
    }
    weft__line_text(&line, " (stack of ");
    if (t->small) {
        weft__line_text(&line, "the small class; see weft_task_options.small_stack)");
    } else {
        weft__line_number(&line, t->worker->run->stack_bytes / 1024, 10);
        weft__line_text(&line, " KiB; see weft_options.stack_bytes)");
    }
    weft__line_write(&line, STDERR_FILENO);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    struct weft_task *t = weft__self();
    struct sigaction def = {.sa_handler = SIG_DFL};
    if (t && has_overflowed(t, info, context))
        report(t);
    sigaction(number, &def, NULL);
    /* A fault happens again on return, in its place; what was sent has to be sent again. */
    if (info->si_code <= 0)
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

static void on_quit(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    weft_dump(STDERR_FILENO);
}

static void take(int number, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction old, own = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | SA_ONSTACK | flags};
    if (sigaction(number, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL)
        sigaction(number, &own, NULL);
}

static void give_back(int number, void (*fn)(int, siginfo_t *, void *))
{
    struct sigaction now, def = {.sa_handler = SIG_DFL};
    if (sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) && now.sa_sigaction == fn)
        sigaction(number, &def, NULL);
}

void weft__signals_take(void)
{
    const char *dump = getenv("WEFT_DUMP");
    take(SIGSEGV, on_fault, 0);
    if (dump && strcmp(dump, "1") == 0)
        take(SIGQUIT, on_quit, SA_RESTART);
}

void weft__signals_give_back(void)
{
    give_back(SIGSEGV, on_fault);
    give_back(SIGQUIT, on_quit);
}

void weft__signal_stack_set(struct weft__signal_stack *s)
{
    stack_t old, own = {0};
    s->low = NULL;
    if (sigaltstack(NULL, &old) != 0 || !(old.ss_flags & SS_DISABLE))
        return;
    s->size = (getauxval(AT_MINSIGSTKSZ) + HANDLER_BYTES + 4095) & ~(size_t)4095;
    void *low = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (low == MAP_FAILED)
        return;
    own.ss_sp = low;
    own.ss_size = s->size;
    if (sigaltstack(&own, NULL) == 0)
        s->low = low;
    else
        munmap(low, s->size);
}

void weft__signal_stack_drop(struct weft__signal_stack *s)
{
    stack_t now, none = {.ss_flags = SS_DISABLE};
    if (!s->low)
        return;
    /* The thread may have been given another one meanwhile; that stays. */
    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == s->low && sigaltstack(&none, NULL) != 0)
        return;
    munmap(s->low, s->size);
}
