/*
 * Tries the interleavings of a few threads that run real code of the runtime: the files under test
 * are included behind this header, which makes each __atomic builtin a point at which the order of
 * the threads is chosen.
 *
 * Design notes
 *
 * The threads are contexts of one thread of the system. An execution is a list of choices (who goes
 * on, what a load sees); the next one changes the last choice that has an alternative, so all are
 * tried, depth first. What costs is a switch away from a thread that could go on, and a load that
 * sees an old value: an execution has a budget of those. Most bugs need two or three.
 *
 * Memory is that of x86 (TSO): a store that is not sequentially consistent waits in a buffer of its
 * thread; others see the values from before until it drains, in order. It drains with the thread's
 * next read-modify-write or sequentially consistent store, in the kernel, or when somebody chooses
 * to see it. Plain reads of the owner see its own stores. What weaker machines reorder is not
 * covered, nor are plain accesses that race: ThreadSanitizer looks for those.
 */
#ifndef WEFT_MODEL_EXPLORE_H
#define WEFT_MODEL_EXPLORE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

enum {
    EX_THREADS = 8,
    EX_CHOICES = 20000,
    EX_PENDING = 32,
    EX_STREAK = 300,
    EX_ENDLESS = 1000000,
    EX_LOOKS = 40,
    EX_STACK = 256 * 1024,
    EX_LOG = 120
};

struct ex_store {
    void *at;
    uint64_t old;
    unsigned hidden; /* from these threads, a bit each */
    unsigned looks;  /* of theirs */
};

struct ex_thread {
    void (*fn)(void *arg);
    void *arg;
    jmp_buf where;
    ucontext_t first;
    bool begun, ended;
    bool (*ready)(void *arg); /* blocked until this is true; NULL: it can go on */
    void *ready_arg;
    int64_t until; /* or until then; INT64_MAX: never */
    bool timed_out;
    struct ex_store pending[EX_PENDING];
    unsigned pending_count;
    char *stack;
};

static struct {
    struct ex_thread threads[EX_THREADS];
    unsigned count, current;
    jmp_buf engine;
    int budget, bound;
    unsigned streak; /* for how long the current one has run alone */
    int64_t now;
    /* The choices of this execution: `replay` of them are those of before. */
    struct {
        uint16_t chosen, of;
    } choices[EX_CHOICES];
    unsigned depth, replay;
    /* For the report. */
    struct {
        unsigned thread;
        const char *file, *what;
        int line;
        uint64_t value;
    } log[EX_LOG];
    uint64_t logged, executions;
    uint64_t random; /* not 0: the choices are made by chance */
    const char *scenario;
    void (*switched)(void); /* another thread is current; may be NULL */
    void (*stuck)(void);    /* nobody can go on but by time: checks that this is right */
} ex;

static void ex_note(const char *file, int line, const char *what, uint64_t value)
{
    unsigned i = (unsigned)(ex.logged++ % EX_LOG);
    ex.log[i].thread = ex.current;
    ex.log[i].file = file;
    ex.log[i].line = line;
    ex.log[i].what = what;
    ex.log[i].value = value;
}

_Noreturn static void ex_fail(const char *text)
{
    uint64_t from = ex.logged > EX_LOG ? ex.logged - EX_LOG : 0;
    for (uint64_t i = from; i < ex.logged; i++) {
        const char *file = strrchr(ex.log[i % EX_LOG].file, '/');
        printf("  thread %u %s:%d %s %llx\n", ex.log[i % EX_LOG].thread,
               file ? file + 1 : ex.log[i % EX_LOG].file, ex.log[i % EX_LOG].line,
               ex.log[i % EX_LOG].what, (unsigned long long)ex.log[i % EX_LOG].value);
    }
    printf("%s: FAILED in execution %llu: %s\n", ex.scenario, (unsigned long long)ex.executions,
           text);
    exit(1);
}

#define EX_CHECK(condition)                                                                        \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ex_fail(#condition);                                                                   \
    } while (0)

static uint64_t ex_random(void)
{
    ex.random ^= ex.random << 13;
    ex.random ^= ex.random >> 7;
    ex.random ^= ex.random << 17;
    return ex.random >> 11;
}

static uint16_t ex_by_chance(unsigned of)
{
    return (uint16_t)(ex_random() % 8 == 0 ? ex_random() % of : 0);
}

/* 0 is what happens mostly. */
static unsigned ex_choose(unsigned of)
{
    if (of < 2)
        return 0;
    if (ex.depth == EX_CHOICES)
        ex_fail("an execution does not end");
    if (ex.depth >= ex.replay) {
        ex.choices[ex.depth].chosen = ex.random ? ex_by_chance(of) : 0;
        ex.choices[ex.depth].of = (uint16_t)of;
    } else if (ex.choices[ex.depth].of != of) {
        ex_fail("the explorer itself: an execution is not determined by its choices");
    }
    return ex.choices[ex.depth++].chosen;
}

/* ---- threads ---- */

static bool ex_runnable(const struct ex_thread *t)
{
    return !t->ended && (!t->ready || t->ready(t->ready_arg));
}

static void ex_switch_to(unsigned next)
{
    struct ex_thread *from = &ex.threads[ex.current], *to = &ex.threads[next];
    if (from == to)
        return;
    ex.streak = 0;
    if (_setjmp(from->where) != 0)
        return;
    ex.current = next;
    if (ex.switched)
        ex.switched();
    if (to->begun)
        _longjmp(to->where, 1);
    to->begun = true;
    setcontext(&to->first);
}

/* The clock goes on to the first limit when nobody can run before. */
static bool ex_pass_time(void)
{
    struct ex_thread *first = NULL;
    for (unsigned i = 0; i < ex.count; i++) {
        struct ex_thread *t = &ex.threads[i];
        if (!t->ended && t->until != INT64_MAX && (!first || t->until < first->until))
            first = t;
    }
    if (!first)
        return false;
    if (first->until > ex.now)
        ex.now = first->until;
    first->until = INT64_MAX;
    first->timed_out = true;
    first->ready = NULL;
    return true;
}

/* Another thread goes on, if there is one that can. */
static void ex_yield(void)
{
    for (unsigned i = 1; i < ex.count; i++) {
        unsigned next = (ex.current + i) % ex.count;
        if (ex_runnable(&ex.threads[next])) {
            ex_switch_to(next);
            return;
        }
    }
}

/* Somebody goes on: whoever is current if it can, or another at a cost. */
static void ex_schedule(void)
{
    unsigned can[EX_THREADS], n = 0;
    bool me = ex_runnable(&ex.threads[ex.current]);
    if (me && ++ex.streak >= EX_STREAK) { /* it waits for another by trying again */
        if (ex.streak > EX_ENDLESS)
            ex_fail("an execution does not end");
        ex_yield();
        return;
    }
    if (me)
        can[n++] = ex.current;
    for (unsigned i = 0; i < ex.count; i++) {
        if (i != ex.current && (!me || ex.budget > 0) && ex_runnable(&ex.threads[i]))
            can[n++] = i;
    }
    if (n == 0) {
        bool all = true;
        for (unsigned i = 0; i < ex.count; i++)
            all = all && ex.threads[i].ended;
        if (all)
            _longjmp(ex.engine, 1);
        ex.stuck();
        if (!ex_pass_time())
            ex_fail("all threads wait for ever");
        ex_schedule();
        return;
    }
    unsigned k = ex_choose(n);
    if (me && k != 0)
        ex.budget--;
    ex_switch_to(can[k]);
}

/* ---- memory ---- */

static uint64_t ex_raw(const void *at, unsigned size)
{
    uint64_t v = 0;
    memcpy(&v, at, size);
    return v;
}

static void ex_drain(struct ex_thread *t, unsigned count)
{
    memmove(t->pending, t->pending + count, (t->pending_count - count) * sizeof *t->pending);
    t->pending_count -= count;
}

static void ex_drain_mine(void)
{
    ex_drain(&ex.threads[ex.current], ex.threads[ex.current].pending_count);
}

/* What the current thread reads. Of another's pending stores, in order, it sees all or fewer; one
 * that it has not seen stays hidden from it for a while, at no further cost. */
static uint64_t ex_see(const void *at, unsigned size)
{
    for (unsigned i = 0; i < ex.count; i++) {
        struct ex_thread *t = &ex.threads[i];
        unsigned here[EX_PENDING], n = 0;
        for (unsigned k = 0; i != ex.current && k < t->pending_count; k++) {
            struct ex_store *s = &t->pending[k];
            if (s->at != at)
                continue;
            if ((s->hidden >> ex.current & 1) && ++s->looks < EX_LOOKS)
                return s->old;
            here[n++] = k;
        }
        if (n == 0)
            continue;
        unsigned unseen = ex_choose(ex.budget > 0 ? n + 1 : 1);
        if (unseen == 0) {
            ex_drain(t, here[n - 1] + 1);
            continue;
        }
        ex.budget--;
        struct ex_store *s = &t->pending[here[n - unseen]];
        s->hidden |= 1u << ex.current;
        uint64_t old = s->old;
        if (unseen < n)
            ex_drain(t, here[n - unseen - 1] + 1);
        return old;
    }
    return ex_raw(at, size);
}

static void ex_write(void *at, unsigned size, uint64_t value)
{
    memcpy(at, &value, size);
}

static uint64_t ex_load(const char *file, int line, const void *at, unsigned size)
{
    ex_schedule();
    uint64_t v = ex_see(at, size);
    ex_note(file, line, "load", v);
    return v;
}

static void ex_store(const char *file, int line, void *at, unsigned size, uint64_t value, int order)
{
    ex_schedule();
    struct ex_thread *t = &ex.threads[ex.current];
    if (order == __ATOMIC_SEQ_CST) {
        ex_drain_mine();
    } else {
        if (t->pending_count == EX_PENDING)
            ex_drain(t, 1);
        t->pending[t->pending_count++] = (struct ex_store){.at = at, .old = ex_raw(at, size)};
    }
    ex_write(at, size, value);
    ex_note(file, line, "store", value);
}

/* The value before. `expected`, if not NULL, must be found or nothing is written. */
static uint64_t ex_rmw(const char *file, int line, void *at, unsigned size,
                       const uint64_t *expected, uint64_t (*change)(uint64_t old, uint64_t with),
                       uint64_t with)
{
    ex_schedule();
    ex_drain_mine();
    uint64_t old = ex_see(at, size);
    if (!expected || old == *expected) {
        /* It writes: whatever others have stored there before has become visible. */
        for (unsigned i = 0; i < ex.count; i++) {
            struct ex_thread *t = &ex.threads[i];
            for (unsigned k = t->pending_count; k > 0; k--) {
                if (t->pending[k - 1].at == at) {
                    ex_drain(t, k);
                    break;
                }
            }
        }
        old = ex_raw(at, size);
        if (!expected || old == *expected)
            ex_write(at, size, change(old, with));
    }
    ex_note(file, line, "rmw", old);
    return old;
}

static uint64_t ex_with(uint64_t old, uint64_t with)
{
    (void)old;
    return with;
}

static uint64_t ex_plus(uint64_t old, uint64_t with)
{
    return old + with;
}

static uint64_t ex_or(uint64_t old, uint64_t with)
{
    return old | with;
}

static uint64_t ex_and(uint64_t old, uint64_t with)
{
    return old & with;
}

#define EX_TYPE(p)                                                                                 \
    __typeof__(({                                                                                  \
        __auto_type ex_copy_ = *(p);                                                               \
        ex_copy_;                                                                                  \
    }))
#define EX_BITS(v) ((uint64_t)(uintptr_t)(v))
#define EX_HERE    __FILE__, __LINE__

#define __atomic_load_n(p, order)                                                                  \
    ((EX_TYPE(p))(uintptr_t)((void)(order), ex_load(EX_HERE, (p), sizeof *(p))))
#define __atomic_store_n(p, v, order)                                                              \
    ex_store(EX_HERE, (p), sizeof *(p), EX_BITS((EX_TYPE(p))(v)), (order))
#define __atomic_exchange_n(p, v, order)                                                           \
    ((EX_TYPE(p))(uintptr_t)((void)(order), ex_rmw(EX_HERE, (p), sizeof *(p), NULL, ex_with,       \
                                                   EX_BITS((EX_TYPE(p))(v)))))
#define __atomic_compare_exchange_n(p, expected, v, weak, yes, no)                                 \
    ({                                                                                             \
        uint64_t ex_expected_ = EX_BITS(*(expected));                                              \
        uint64_t ex_old_ =                                                                         \
            ex_rmw(EX_HERE, (p), sizeof *(p), &ex_expected_, ex_with, EX_BITS((EX_TYPE(p))(v)));   \
        bool ex_same_ = ex_old_ == ex_expected_;                                                   \
        *(expected) = (EX_TYPE(p))(uintptr_t)ex_old_;                                              \
        (void)(weak), (void)(yes), (void)(no);                                                     \
        ex_same_;                                                                                  \
    })
#define EX_FETCH(p, v, change)                                                                     \
    ((EX_TYPE(p))ex_rmw(EX_HERE, (p), sizeof *(p), NULL, change, (uint64_t)(v)))
#define __atomic_fetch_add(p, v, order) ((void)(order), EX_FETCH(p, v, ex_plus))
#define __atomic_fetch_sub(p, v, order) ((void)(order), EX_FETCH(p, -(uint64_t)(v), ex_plus))
#define __atomic_fetch_or(p, v, order)  ((void)(order), EX_FETCH(p, v, ex_or))
#define __atomic_fetch_and(p, v, order) ((void)(order), EX_FETCH(p, v, ex_and))
#define __atomic_add_fetch(p, v, order) ((EX_TYPE(p))(__atomic_fetch_add(p, v, order) + (v)))
#define __atomic_sub_fetch(p, v, order) ((EX_TYPE(p))(__atomic_fetch_sub(p, v, order) - (v)))
#define __atomic_thread_fence(order)                                                               \
    do {                                                                                           \
        ex_schedule();                                                                             \
        if ((order) == __ATOMIC_SEQ_CST)                                                           \
            ex_drain_mine();                                                                       \
    } while (0)

/* ---- for the stubs ---- */

/* Waits in the kernel until ready(arg), or `ns` have passed (< 0: no limit). False: the time. */
static bool __attribute__((unused)) ex_wait(bool (*ready)(void *), void *arg, int64_t ns)
{
    struct ex_thread *t = &ex.threads[ex.current];
    ex_schedule();
    ex_drain_mine();
    t->ready = ready;
    t->ready_arg = arg;
    t->timed_out = false;
    t->until = ns < 0 ? INT64_MAX : ex.now + ns;
    ex_schedule();
    t->ready = NULL;
    t->until = INT64_MAX;
    return !t->timed_out;
}

/* The barrier of all threads' memory that membarrier(2) makes. */
static void __attribute__((unused)) ex_drain_all(void)
{
    ex_schedule();
    for (unsigned i = 0; i < ex.count; i++)
        ex_drain(&ex.threads[i], ex.threads[i].pending_count);
}

/* ---- executions ---- */

static void ex_thread_main(void)
{
    struct ex_thread *t = &ex.threads[ex.current];
    t->fn(t->arg);
    t->ended = true; /* what it has stored may be seen late still */
    ex_schedule();
    abort(); /* whoever has ended never goes on */
}

static void ex_thread(void (*fn)(void *), void *arg)
{
    struct ex_thread *t = &ex.threads[ex.count++];
    char *stack = t->stack ? t->stack : malloc(EX_STACK);
    *t = (struct ex_thread){.fn = fn, .arg = arg, .stack = stack, .until = INT64_MAX};
    getcontext(&t->first);
    t->first.uc_stack.ss_sp = stack;
    t->first.uc_stack.ss_size = EX_STACK;
    makecontext(&t->first, ex_thread_main, 0);
}

static bool ex_next(void)
{
    while (ex.depth > 0) {
        unsigned i = --ex.depth;
        if (ex.choices[i].chosen + 1u < ex.choices[i].of) {
            ex.choices[i].chosen++;
            ex.replay = i + 1;
            return true;
        }
    }
    return false;
}

struct ex_scenario {
    const char *name;
    void (*begin)(void); /* makes the first state and the threads */
    void (*stuck)(void);
    void (*end)(void); /* checks the last state */
    int bound;
};

static void ex_execute(const struct ex_scenario *s)
{
    ex.count = ex.current = ex.depth = ex.streak = 0;
    ex.budget = ex.bound;
    ex.now = 1000000;
    ex.logged = 0;
    ex.executions++;
    s->begin();
    if (_setjmp(ex.engine) == 0) {
        ex.current = ex_choose(ex.count);
        ex.threads[ex.current].begun = true;
        if (ex.switched)
            ex.switched();
        setcontext(&ex.threads[ex.current].first);
    }
    s->end();
}

/* All executions within the bound. Where there is no time for all: those by chance, with a larger
 * bound, for the other half of the time. */
static void ex_run(const struct ex_scenario *s, double seconds)
{
    clock_t begun = clock();
    bool more = true;
    ex.scenario = s->name;
    ex.stuck = s->stuck;
    ex.executions = ex.random = 0;
    ex.replay = 0;
    ex.bound = s->bound;
    while (more && (double)(clock() - begun) < seconds / 2 * CLOCKS_PER_SEC) {
        ex_execute(s);
        more = ex_next();
    }
    printf("%-24s bound %d: %s %llu executions", s->name, ex.bound, more ? "the first" : "all",
           (unsigned long long)ex.executions);
    uint64_t before = ex.executions;
    ex.replay = 0;
    ex.random = 0x9e3779b97f4a7c15u;
    ex.bound += 4;
    while (more && (double)(clock() - begun) < seconds * CLOCKS_PER_SEC)
        ex_execute(s);
    if (more)
        printf(", and %llu by chance", (unsigned long long)(ex.executions - before));
    printf("\n");
}

/* MODEL [SECONDS [SCENARIO]]: so long for each scenario, or for that one. */
static int __attribute__((unused))
ex_main(int argc, char **argv, const struct ex_scenario *all, unsigned n)
{
    double seconds = argc > 1 ? atof(argv[1]) : 2;
    for (unsigned i = 0; i < n; i++) {
        if (argc < 3 || strcmp(argv[2], all[i].name) == 0)
            ex_run(&all[i], seconds);
    }
    return 0;
}

#endif
