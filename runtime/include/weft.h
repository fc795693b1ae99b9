/*
 * weft.h - Weft, a coroutine runtime for C with the semantics of Go.
 *
 * Tasks (goroutines) run on a few OS threads (workers) and wait without holding a thread: on
 * channels, timers, locks, descriptors. Nothing preempts a task: one that computes for long should
 * call weft_yield() now and then.
 *
 * Rules for every function, unless its comment says otherwise:
 *  - Errors are negative errno values. Times are nanoseconds. A time limit (timeout_ns) that is
 *    negative, such as WEFT_FOREVER, is none. The time of a timer, a context or a sleep is over at
 *    once if it is negative, as in Go.
 *  - It may be called by any task of any worker, and by any OS thread that is not Weft's: a wait
 *    blocks that thread then, also while no run is open. Only its first wait needs memory, without
 *    which the program stops.
 *  - Not in a signal handler, but for weft_dump: a handler writes to a pipe from which a task reads
 *    (signalfd does that by itself).
 *  - A task must not wait while it holds an OS-level lock, nor jump (longjmp) out of its function.
 *    After a wait it may run on another OS thread: thread-local variables, errno included, are
 *    then those of that thread.
 *  - What Go panics on (send on a closed channel, a second close, unlock of an unlocked mutex, a
 *    negative wait group) prints one line and aborts: "weft: ", what was done, the task, the
 *    object, the place, and where the call was made that it contradicts.
 *  - new/free: the caller owns what `new` returns. retain/release: references are counted, `new`
 *    returns one. free and release accept NULL. Go has its collector for that.
 *  - struct weft_mutex, rwmutex, waitgroup, once, once_value, cond and group are ready to use
 *    when all zero, must not be copied or moved once used, and need no clean-up. Their members are
 *    not to be touched.
 */
#ifndef WEFT_H
#define WEFT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* noplt: a call goes straight to the function, by way of no stub of the linker. */
#if defined(__has_attribute)
#if __has_attribute(noplt)
#define WEFT_API __attribute__((visibility("default"), noplt))
#endif
#endif
#ifndef WEFT_API
#define WEFT_API __attribute__((visibility("default")))
#endif
#define WEFT_FOREVER INT64_C(-1)

#define WEFT_US INT64_C(1000)
#define WEFT_MS INT64_C(1000000)
#define WEFT_S  INT64_C(1000000000)

struct weft_chan;
struct weft_ctx;
struct weft_task;
struct weft_ticker;
struct weft_timer;

/* ---- the run ---- */

/* Zero in a member means its default. */
struct weft_options {
    unsigned workers;   /* OS threads for tasks, at most 256; default: WEFT_WORKERS, else CPUs */
    size_t stack_bytes; /* address space of a task's stack, 16 KiB to 1 GiB; default 64 KiB */
    const char *name;   /* what reports call this run; default "weft" */
    unsigned blocking_threads; /* at once, see weft_blocking; default: WEFT_BLOCKING, else 10000 */
};

/* Runs fn(arg) as the main task and returns when it returns: 0. Tasks that are left then are
 * abandoned where they stand and never run again (as Go's are at the end of main). Runs may follow
 * each other; a second one at the same time, or one from within a task, is -EBUSY. -ENOMEM,
 * -EAGAIN: no memory, no threads. If no task can ever run again, the report "all tasks are asleep"
 * goes to stderr and the process exits with status 2. Go: main(). */
WEFT_API int weft_run(void (*fn)(void *arg), void *arg);

/* The same with options; NULL options are the defaults. -EINVAL: an option is out of range.
 * Go: GOMAXPROCS(n), debug.SetMaxStack(), debug.SetMaxThreads(). */
WEFT_API int weft_run_with(const struct weft_options *options, void (*fn)(void *arg), void *arg);

/* How many workers the open run has; 0 when none is open. Go: GOMAXPROCS(0). */
WEFT_API unsigned weft_workers(void);

/* ---- tasks ---- */

/* Starts a task that runs fn(arg). 0, -ENOMEM, or -ESRCH when no run is open. Go: go fn(arg). */
WEFT_API int weft_go(void (*fn)(void *arg), void *arg);

/* Starts a task that runs fn(copy), where copy is the task's own copy of `size` bytes at
 * `capture`, aligned for any type and gone when fn returns. 0, -ENOMEM or -ESRCH.
 * Go: go func() { ... }() over captured variables. */
WEFT_API int weft_go_copy(void (*fn)(void *copy), const void *capture, size_t size);

/* Zero in a member means its default. */
struct weft_task_options {
    const char *name;    /* as by weft_set_name */
    size_t capture_size; /* the task gets a copy of so many bytes at arg, as by weft_go_copy */
    int small_stack;     /* 1: on a stack of 8 KiB, for tasks that mostly wait; 7 KiB are its own */
};

/* Starts a task that runs fn(arg), with options; NULL options are the defaults. Its calls on a
 * small stack must be few and shallow: no printf, no resolver. 0, -ENOMEM or -ESRCH.
 * Go: go fn(arg). */
WEFT_API int weft_go_with(const struct weft_task_options *options, void (*fn)(void *arg),
                          void *arg);

/* Lets other tasks run; outside a task, and in one that has locked its thread, other threads. Go:
 * runtime.Gosched(). */
WEFT_API void weft_yield(void);

/* Waits at least `ns`; zero or less yields. Go: time.Sleep(). */
WEFT_API void weft_sleep(int64_t ns);

/* The running task, NULL outside one. Valid until it ends; an identity only. Go: none. */
WEFT_API struct weft_task *weft_self(void);

/* The running task's number: never 0, never used twice in a process. 0 outside a task. Go: none,
 * but what its dumps call "goroutine 7". */
WEFT_API uint64_t weft_id(void);

/* Names the running task in reports; NULL takes the name away. Not copied: it must outlive the
 * task. Outside a task it does nothing. Go: a label of pprof. */
WEFT_API void weft_set_name(const char *name);

/* The name given, NULL without one or outside a task. Lent. Go: pprof.Label(). */
WEFT_API const char *weft_name(void);

/* Keeps the running task on its OS thread, which runs nothing else, until unlock was called as
 * often as lock: for libraries that keep state by thread, and calls that change the thread itself.
 * The task runs beside the workers then: another thread takes over the worker's other tasks. Tasks
 * that it starts are not locked. A task that ends locked ends its thread. 0; -EAGAIN or -ENOMEM,
 * and not locked, when no other thread can be had. Outside a task it does nothing. unlock without a
 * lock does nothing. Go: runtime.LockOSThread(), runtime.UnlockOSThread(). */
WEFT_API int weft_lock_thread(void);
WEFT_API void weft_unlock_thread(void);

/* Labels of the running task, for reports: its children inherit those it has when they are made.
 * set copies; a NULL value takes the label away. 0, -ENOMEM, or -ESRCH outside a task.
 * Go: pprof.SetGoroutineLabels. */
WEFT_API int weft_set_label(const char *key, const char *value);

/* The label's value, NULL without one. Valid until the task's labels change. Go: pprof.Label. */
WEFT_API const char *weft_label(const char *key);

/* fn(arg) with one more label, which is gone (or as before) when it returned. As weft_set_label; on
 * an error fn is not called. Go: pprof.Do. */
WEFT_API int weft_do_labelled(const char *key, const char *value, void (*fn)(void *arg), void *arg);

/* Runs fn(arg), which may block its OS thread, on a thread of its own while the worker goes on
 * with other tasks, and returns when it returned. It runs on that thread's stack, outside any task.
 * When as many calls are on their way as the run allows (weft_options.blocking_threads), or the
 * system gives no more threads, later ones wait as tasks, first come, first served; threads without
 * work end after five seconds. 0, or -EAGAIN when there is no thread at all. Outside a task, and in
 * one that has locked its thread, it calls fn. Go: a cgo call. */
WEFT_API int weft_blocking(void (*fn)(void *arg), void *arg);

/* Writes a line for each task of the open run: its number, its name, whether it is running,
 * runnable or waiting, for what and since when; then the places where it stands and began. It takes
 * no memory and no lock but what dladdr(3) takes, so it may be called anywhere, also in a signal
 * handler. 0, or the negative errno of write(2). With WEFT_DUMP=1 in the
 * environment SIGQUIT does that, to stderr, and the program goes on. Go: SIGQUIT. */
WEFT_API int weft_dump(int fd);

/* The open run in numbers. */
struct weft_stats {
    uint64_t tasks_running, tasks_runnable, tasks_waiting;
    uint64_t switches;  /* how often a task began or went on to run */
    uint64_t parks;     /* how often one stopped to wait */
    uint64_t steals;    /* how often a worker took work from another */
    uint64_t long_runs; /* how often a task ran for 20 ms or more without a wait or a yield */
    unsigned workers, blocking_threads;
    unsigned threads; /* of the OS: those, what tasks have locked, helpers, spare ones, a monitor */
};

/* Each number is right at some moment of the call, which takes time for each task. 0, or -ESRCH and
 * all zero when no run is open. Go: runtime.NumGoroutine(), runtime/metrics. */
WEFT_API int weft_stats(struct weft_stats *stats);

/* ---- leaving ---- */

/* Ends the running task at once: first all that it has deferred is done, newest first. The main
 * task too may end so, and the run goes on without it. Outside a task it stops the program.
 * Go: runtime.Goexit(). */
WEFT_API __attribute__((noreturn)) void weft_exit(void);

/* fn(arg) is called when the enclosing block is left, in whatever way: at its end, by return,
 * break, continue or goto, or because the task ends by weft_exit. What was deferred last is done
 * first. Not by longjmp. `arg` is evaluated here and now. Go: defer fn(arg), but at the end of the
 * block, not of the function. */
#define WEFT_DEFER(fn, arg) WEFT_DEFER_AS(WEFT_DEFER_NAME(weft_deferred_, __COUNTER__), fn, arg)

/* A scope of the enclosing block, for any number of functions that are deferred one by one, in a
 * loop too; at the function's first level it is Go's: defer f(). They are done when that block is
 * left. */
#define WEFT_DEFERS(scope)                                                                         \
    struct weft_defers scope __attribute__((cleanup(weft_defers_leave)));                          \
    weft_defers_enter(&scope)

struct weft_defers;

/* fn(arg) is called when the block of the scope is left. 0; or -ENOMEM, and fn will not be called.
 * Go: defer fn(arg). */
WEFT_API int weft_defer(struct weft_defers *scope, void (*fn)(void *arg), void *arg);

/* What the macros are made of. Each enter is followed by the leave that runs what was deferred. */
struct weft_deferred {
    void (*fn)(void *arg);
    void *arg;
    struct weft_deferred *below, **list;
};
struct weft_defer_entry {
    void (*fn)(void *arg);
    void *arg;
};
struct weft_defers {
    struct weft_deferred link;
    size_t count;
    void *more;
    struct weft_defer_entry first[6];
};
/* Where the task that runs on this thread has the list of its open scopes; NULL: the library knows.
 */
extern __thread struct weft_deferred **weft__scopes
    __attribute__((tls_model("initial-exec"), visibility("default")));
WEFT_API void weft__defer_link(struct weft_deferred *deferred);
WEFT_API void weft_defer_enter(struct weft_deferred *deferred, void (*fn)(void *arg), void *arg);
WEFT_API void weft_defer_leave(struct weft_deferred *deferred);
WEFT_API void weft_defers_enter(struct weft_defers *scope);
WEFT_API void weft_defers_leave(struct weft_defers *scope);
#define WEFT_DEFER_NAME(prefix, number)  WEFT_DEFER_NAME_(prefix, number)
#define WEFT_DEFER_NAME_(prefix, number) prefix##number
#define WEFT_DEFER_AS(name, fn, arg)                                                               \
    struct weft_deferred name __attribute__((cleanup(weft_defer_leave)));                          \
    weft_defer_enter(&name, fn, arg)

/* ---- channels ---- */

/* A channel of elements of `elem_size` bytes (0 is allowed) with room for `capacity` of them;
 * 0: sender and receiver meet. NULL: no memory, or a size that overflows. Go: make(chan T, n). */
WEFT_API struct weft_chan *weft_chan_new(size_t elem_size, size_t capacity);

/* One more owner of the channel, and one less; the last release frees it and what is still in it,
 * bytewise. Nobody may be waiting on it then. retain returns its argument. */
WEFT_API struct weft_chan *weft_chan_retain(struct weft_chan *chan);
WEFT_API void weft_chan_release(struct weft_chan *chan);

/* Sends a copy of *value, waiting for a receiver or room; first come, first served. 0. Sending on
 * a closed channel stops the program, also when it is closed during the wait. A NULL channel waits
 * forever. Go: c <- v. */
WEFT_API int weft_chan_send(struct weft_chan *chan, const void *value);

/* Receives into *value (NULL drops it), waiting for a sender. 0, or -EPIPE when the channel is
 * closed and empty, with *value zeroed. A NULL channel waits forever. Go: v, ok := <-c. */
WEFT_API int weft_chan_recv(struct weft_chan *chan, void *value);

/* The same without waiting: -EAGAIN where the call would have to. Go: select with a default. */
WEFT_API int weft_chan_try_send(struct weft_chan *chan, const void *value);
WEFT_API int weft_chan_try_recv(struct weft_chan *chan, void *value);

/* No more sends: every waiting receiver returns, later ones too once it is empty. Closing twice,
 * or NULL, stops the program. Go: close(c). */
WEFT_API void weft_chan_close(struct weft_chan *chan);

/* Elements inside, and room; 0 for NULL. A snapshot. Go: len(c), cap(c). */
WEFT_API size_t weft_chan_len(const struct weft_chan *chan);
WEFT_API size_t weft_chan_cap(const struct weft_chan *chan);

/* ---- select ---- */

enum weft_case_kind { WEFT_CASE_SEND = 1, WEFT_CASE_RECV = 2, WEFT_CASE_DEFAULT = 3 };

struct weft_case {
    enum weft_case_kind kind;
    struct weft_chan *chan; /* NULL: never ready */
    void *value;            /* what to send (only read), or where to receive; NULL drops it */
    int ok;                 /* out, of the case chosen: 1 passed on, 0 receive from a closed one */
};

#define WEFT_SEND(c, p)                                                                            \
    {                                                                                              \
        WEFT_CASE_SEND, (c), (void *)(p), 0                                                        \
    }
#define WEFT_RECV(c, p)                                                                            \
    {                                                                                              \
        WEFT_CASE_RECV, (c), (p), 0                                                                \
    }
#define WEFT_DEFAULT                                                                               \
    {                                                                                              \
        WEFT_CASE_DEFAULT, 0, 0, 0                                                                 \
    }

/* Waits until one of the cases can go on, does it and returns its index. Of several that can, a
 * random one. With a WEFT_DEFAULT case it never waits and returns that index if no other can; it is
 * fastest as the last.
 * -ETIMEDOUT after `timeout_ns` (0: do not wait; WEFT_FOREVER). -EINVAL: a kind that is none, two
 * defaults, or n over 65536; -ENOMEM. No case at all waits for the time limit. Go: select. */
WEFT_API int weft_select(struct weft_case *cases, unsigned n, int64_t timeout_ns);

/* ---- time ---- */

/* Nanoseconds of CLOCK_MONOTONIC, give or take some tens of them; it never goes back.
 * Go: time.Now(), of which time.Since() takes the difference. */
WEFT_API int64_t weft_now(void);

/* Channels of timers carry one int64_t: weft_now() when it fired. They have room for one and are
 * lent: retain one that shall outlive its timer. After stop or reset returned, no older value is
 * received from them. Timers fire, and deadlines of contexts pass, while a run is open; those that
 * are armed at its end never do, unless they are set anew. */

/* A timer that fires once, `ns` from now; NULL: no memory. Go: time.NewTimer(). */
WEFT_API struct weft_timer *weft_timer_new(int64_t ns);

/* A timer that starts a task fn(arg) when it fires; it has no channel. Go: time.AfterFunc(). */
WEFT_API struct weft_timer *weft_timer_func(int64_t ns, void (*fn)(void *arg), void *arg);

/* 1 if this call stopped it before its value was received (or its task started), else 0. It does
 * not fire after that; the task of a timer_func that fired earlier may still be running.
 * Go: t.Stop(). */
WEFT_API int weft_timer_stop(struct weft_timer *timer);

/* Stops it, with that result, and lets it fire `ns` from now. Go: t.Reset(). */
WEFT_API int weft_timer_reset(struct weft_timer *timer, int64_t ns);

/* Its channel, lent; NULL for a timer_func. Go: t.C. */
WEFT_API struct weft_chan *weft_timer_chan(struct weft_timer *timer);

/* Stops it and drops it. Go: t.Stop(). */
WEFT_API void weft_timer_free(struct weft_timer *timer);

/* A channel that gets one value after `ns`. The caller owns it: release it, also before it fired
 * (the timer stays armed until then). NULL: no memory. Go: time.After(). */
WEFT_API struct weft_chan *weft_after(int64_t ns);

/* Fires every `ns`; ticks that nobody has taken are dropped, not queued. NULL: no memory. `ns` must
 * be positive or the program stops. Go: time.NewTicker(). */
WEFT_API struct weft_ticker *weft_ticker_new(int64_t ns);

/* No more ticks; the channel stays open. Go: t.Stop(). */
WEFT_API void weft_ticker_stop(struct weft_ticker *ticker);

/* Fires every `ns` from now on. Go: t.Reset(). */
WEFT_API void weft_ticker_reset(struct weft_ticker *ticker, int64_t ns);

/* Its channel, lent. Go: t.C. */
WEFT_API struct weft_chan *weft_ticker_chan(struct weft_ticker *ticker);

/* Stops it and drops it. Go: t.Stop(). */
WEFT_API void weft_ticker_free(struct weft_ticker *ticker);

/* The channel of a ticker that nobody can stop: it ticks until the process ends. Lent. NULL: no
 * memory, or ns is not positive. Go: time.Tick(). */
WEFT_API struct weft_chan *weft_tick(int64_t ns);

/* ---- contexts ---- */

/* The root: never cancelled, not counted. Go: context.Background(). */
WEFT_API struct weft_ctx *weft_ctx_background(void);

/* A child of `parent` (retained by it; NULL: the background) that is cancelled by weft_ctx_cancel,
 * with its parent, or when its time has come. The caller owns one reference, and should cancel
 * before it releases: until then an armed timer keeps the context alive. NULL: no memory.
 * `deadline_ns` is a time of weft_now(). Go: context.WithCancel/WithTimeout/WithDeadline. */
WEFT_API struct weft_ctx *weft_ctx_with_cancel(struct weft_ctx *parent);
WEFT_API struct weft_ctx *weft_ctx_with_timeout(struct weft_ctx *parent, int64_t ns);
WEFT_API struct weft_ctx *weft_ctx_with_deadline(struct weft_ctx *parent, int64_t deadline_ns);

/* Cancels it and all below it: their done channels are closed on return. Again, and for NULL and
 * the background: nothing. Go: cancel(). */
WEFT_API void weft_ctx_cancel(struct weft_ctx *ctx);

/* The same, with a reason: a negative errno for weft_ctx_cause (0: -ECANCELED), which the contexts
 * below get as well. Those with a deadline: should that pass (0: -ETIMEDOUT).
 * Go: context.WithCancelCause, WithTimeoutCause, WithDeadlineCause. */
WEFT_API void weft_ctx_cancel_cause(struct weft_ctx *ctx, int cause);
WEFT_API struct weft_ctx *weft_ctx_with_timeout_cause(struct weft_ctx *parent, int64_t ns,
                                                      int cause);
WEFT_API struct weft_ctx *weft_ctx_with_deadline_cause(struct weft_ctx *parent, int64_t deadline_ns,
                                                       int cause);

/* Why it was cancelled first, or else what weft_ctx_err says. Go: context.Cause(). */
WEFT_API int weft_ctx_cause(struct weft_ctx *ctx);

/* A child that has the parent's values, but neither its cancel nor its deadline, and cannot be
 * cancelled. NULL: no memory. Go: context.WithoutCancel(). */
WEFT_API struct weft_ctx *weft_ctx_without_cancel(struct weft_ctx *parent);

/* A task runs fn(arg) when ctx is cancelled, at once if it is already. The caller owns what this
 * returns and gives it to weft_ctx_func_stop exactly once, sooner or later; it retains ctx. NULL:
 * no memory. Go: context.AfterFunc(). */
struct weft_ctx_func;
WEFT_API struct weft_ctx_func *weft_ctx_after_func(struct weft_ctx *ctx, void (*fn)(void *arg),
                                                   void *arg);

/* 1: fn will not run. 0: ctx was cancelled, and fn has run, runs, or is about to. Frees `func`.
 * Go: the stop function that context.AfterFunc() returns. */
WEFT_API int weft_ctx_func_stop(struct weft_ctx_func *func);

/* The channel that is closed when it is cancelled, lent; NULL for the background. Go: ctx.Done. */
WEFT_API struct weft_chan *weft_ctx_done(struct weft_ctx *ctx);

/* 0 while it is not cancelled, then -ECANCELED or -ETIMEDOUT (its deadline passed). Go: ctx.Err. */
WEFT_API int weft_ctx_err(struct weft_ctx *ctx);

/* The earliest deadline of it and those above in *deadline_ns: 1, or 0 without one.
 * Go: ctx.Deadline(). */
WEFT_API int weft_ctx_deadline(struct weft_ctx *ctx, int64_t *deadline_ns);

/* A child of `parent` that carries `value` under `key` and is else as its parent: cancelled with
 * it, with its done channel and deadline. Cancelling the child itself, or a NULL key, stops the
 * program. Keys are compared as pointers: use the address of a static variable. The value is not
 * copied and must outlive the context. NULL: no memory. Go: context.WithValue(). */
WEFT_API struct weft_ctx *weft_ctx_with_value(struct weft_ctx *parent, const void *key,
                                              void *value);

/* The value of `key` that is nearest to ctx, in it or above; NULL without one. Go: ctx.Value(). */
WEFT_API void *weft_ctx_value(struct weft_ctx *ctx, const void *key);

/* One more owner of the context, and one less; the last release frees it. retain returns its
 * argument. Releasing cancels nothing. */
WEFT_API struct weft_ctx *weft_ctx_retain(struct weft_ctx *ctx);
WEFT_API void weft_ctx_release(struct weft_ctx *ctx);

/* ---- locks and meeting points ---- */

/* The waiting tasks of an object below. */
struct weft_waitq {
    void *head, *tail;
};

/* Mutual exclusion. Not recursive; may be unlocked by another task than locked it. Mostly whoever
 * comes first gets it; one that has waited for a millisecond gets it next. Go: sync.Mutex. */
struct weft_mutex {
    uint32_t state, guard, woken, unused;
    void *owner;
    const void *unlocked_at; /* where it was given up last */
    struct weft_waitq waiters;
};

/* Waits until it is the caller's. Go: m.Lock(). */
WEFT_API void weft_mutex_lock(struct weft_mutex *mutex);

/* 0 and it is the caller's, or -EBUSY. Go: m.TryLock(). */
WEFT_API int weft_mutex_try_lock(struct weft_mutex *mutex);

/* Gives it up, which is the last access to its memory: who locks it next may free that. Of one that
 * is not locked it stops the program. Go: m.Unlock(). */
WEFT_API void weft_mutex_unlock(struct weft_mutex *mutex);

/* Many readers or one writer. A waiting writer keeps later readers out, so a task must not take the
 * read lock twice. Go: sync.RWMutex. */
struct weft_rwmutex {
    uint32_t state, guard, leaving, permits, woken, unused;
    void *owner, *pending;
    const void *unlocked_at;  /* where a writer gave it up last */
    const void *runlocked_at; /* where a reader did, by a call that is not inlined */
    struct weft_waitq read_waiters, write_waiters;
};

/* To read: wait until no writer is inside or waits; try: 0, or -EBUSY; leave, which stops the
 * program if no reader is inside. Go: m.RLock(), m.TryRLock(), m.RUnlock(). */
WEFT_API void weft_rwmutex_rlock(struct weft_rwmutex *rw);
WEFT_API int weft_rwmutex_try_rlock(struct weft_rwmutex *rw);
WEFT_API void weft_rwmutex_runlock(struct weft_rwmutex *rw);

/* To write: wait until nobody is inside; try: 0, or -EBUSY; leave, which stops the program if no
 * writer is inside. Any task may leave for another. Go: m.Lock(), m.TryLock(), m.Unlock(). */
WEFT_API void weft_rwmutex_lock(struct weft_rwmutex *rw);
WEFT_API int weft_rwmutex_try_lock(struct weft_rwmutex *rw);
WEFT_API void weft_rwmutex_unlock(struct weft_rwmutex *rw);

/* Waits until a count is zero. Below zero, or an add from zero while a wait is on its way, stops
 * the program. Go: sync.WaitGroup. */
struct weft_waitgroup {
    uint64_t state;
    uint32_t guard, unused;
    const void *done_at, *waited_at; /* where it was counted down last, and waited for */
    struct weft_waitq waiters;
};

/* Adds to the count, which must stay below 2^31; wakes whoever waits if that makes it zero. Called
 * before the task that it counts is started, not in it. Go: wg.Add(delta). */
WEFT_API void weft_waitgroup_add(struct weft_waitgroup *wg, int64_t delta);

/* add(-1). Go: wg.Done(). */
WEFT_API void weft_waitgroup_done(struct weft_waitgroup *wg);

/* Waits until the count is zero. The only one that waits may free the group then. Go: wg.Wait(). */
WEFT_API void weft_waitgroup_wait(struct weft_waitgroup *wg);

/* add(1), a task that runs fn(arg), and done when it returned or left by weft_exit. As weft_go.
 * Go: wg.Go(). */
WEFT_API int weft_waitgroup_go(struct weft_waitgroup *wg, void (*fn)(void *arg), void *arg);

/* Runs a function once: the first call runs fn(arg), those meanwhile wait until it returned, later
 * ones do nothing; also if it left by weft_exit. Go: sync.Once. */
struct weft_once {
    uint32_t done;
    struct weft_mutex mutex;
};

/* Go: o.Do(f). */
WEFT_API void weft_once_do(struct weft_once *once, void (*fn)(void *arg), void *arg);

/* A value that the first call computes, by fn(arg), and all later ones return: NULL, if fn left by
 * weft_exit. Ready when all zero. The value is lent. Go: sync.OnceValue. */
struct weft_once_value {
    struct weft_once once;
    void *value;
};

/* Go: what sync.OnceValue(f) returned, called. */
WEFT_API void *weft_once_value(struct weft_once_value *once, void *(*fn)(void *arg), void *arg);

/* A condition: wait gives up the mutex (which the caller holds), waits for signal (wakes one, the
 * first that came) or broadcast (wakes all), and takes it again. No wake-up without one of them.
 * The mutex need not be held to signal. Go: sync.Cond. */
struct weft_cond {
    uint32_t guard, unused;
    struct weft_waitq waiters;
};

/* Go: c.Wait(), c.Signal(), c.Broadcast(). */
WEFT_API void weft_cond_wait(struct weft_cond *cond, struct weft_mutex *mutex);
WEFT_API void weft_cond_signal(struct weft_cond *cond);
WEFT_API void weft_cond_broadcast(struct weft_cond *cond);

/* A number of units, of which a task takes some and gives them back; first come, first served: a
 * request that has to wait keeps later ones waiting, however small. A negative number of units, or
 * more given back than are taken, stops the program. Nobody may wait on it when it is freed. NULL
 * from new: no memory. Go: semaphore.NewWeighted(size) of golang.org/x/sync. */
struct weft_sem;
WEFT_API struct weft_sem *weft_sem_new(int64_t size);
WEFT_API void weft_sem_free(struct weft_sem *sem);

/* Takes n units, waiting for them: 0; or, with none taken, -ECANCELED or -ETIMEDOUT as ctx says
 * (also when it was cancelled before; NULL: the background). More units than there are at all are
 * waited for until ctx is cancelled. Go: s.Acquire(ctx, n). */
WEFT_API int weft_sem_acquire(struct weft_sem *sem, struct weft_ctx *ctx, int64_t n);

/* The same with a limit of its own: 0, or -ETIMEDOUT after `timeout_ns` (0: do not wait).
 * Go: s.Acquire with context.WithTimeout. */
WEFT_API int weft_sem_acquire_for(struct weft_sem *sem, int64_t n, int64_t timeout_ns);

/* Takes n units if nobody has to wait for that: 0, else -EBUSY. Go: s.TryAcquire(n). */
WEFT_API int weft_sem_try_acquire(struct weft_sem *sem, int64_t n);

/* Gives n units back. Go: s.Release(n). */
WEFT_API void weft_sem_release(struct weft_sem *sem, int64_t n);

/* For weft_inline.h, which has parts of the above: not 0, somebody is told of what is locked; and
 * what is left to do when it finds that it has to wait, to wake or to tell. `counted`: as one that
 * is noted, which it is not. */
extern intptr_t weft__watched __attribute__((visibility("default")));
WEFT_API void weft__mutex_lock_told(struct weft_mutex *mutex, int counted, const void *pc,
                                    const void *frame, const void *caller);
WEFT_API void weft__rwmutex_lock_told(struct weft_rwmutex *rw, int counted, const void *pc,
                                      const void *frame, const void *caller);
WEFT_API void weft__rwmutex_rlock_told(struct weft_rwmutex *rw, uint32_t before, int counted,
                                       const void *pc, const void *frame, const void *caller);
WEFT_API void weft__mutex_unlock_wake(struct weft_mutex *mutex, const void *before);
WEFT_API void weft__rwmutex_unlock_wake(struct weft_rwmutex *rw, const void *before);
WEFT_API void weft__rwmutex_rlock_wait(struct weft_rwmutex *rw, uint32_t before);
WEFT_API void weft__rwmutex_runlock_wake(struct weft_rwmutex *rw, uint32_t before);
WEFT_API void weft__waitgroup_added(struct weft_waitgroup *wg, int64_t delta, uint64_t state,
                                    const void *done_before);
WEFT_API void weft__waitgroup_begun(const struct weft_waitgroup *wg);

#ifdef __cplusplus
}
#endif

#include <weft_inline.h>

/* Descriptors; groups, flights, pools, maps. */
#include <weft_io.h>
#include <weft_shared.h>

#endif
