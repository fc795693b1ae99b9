/*
 * process.c - processes are forked, replaced and ended.
 *
 * vfork is not wrapped: its child runs in the parent's memory, and may call exec and _exit here. It
 * is known by its process id, and everything is passed through then. exec writes its event and
 * nothing else before the real call: it may be called from a signal handler.
 */
#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "preload/core/actor.h"
#include "preload/core/children.h"
#include "preload/core/real.h"
#include "preload/core/record.h"
#include "preload/core/thread.h"

/* ---- fork ---- */

static void fork_parent(pid_t child, struct pl_call call)
{
    struct pl_self *self = child > 0 ? pl_enter() : NULL;
    if (self == NULL)
        return;
    struct el_fork event = {.child = (uint32_t)child};
    PL_WRITE(self, fork, &event);
    pl_leave(self);
    pl_child_made(child, call);
}

/* The locks that the forking thread held, its child's one thread holds too. */
struct fork_locks {
    uint32_t n;
    struct pl_held_lock held[PL_HELD_MAX];
};

static void fork_prepare(struct fork_locks *locks)
{
    locks->n = 0;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return;
    locks->n = pl_held_count(self->actor);
    memcpy(locks->held, self->actor->held, locks->n * sizeof(locks->held[0]));
    pl_leave(self);
}

static void fork_child(const struct fork_locks *locks, int told)
{
    int saved = errno;
    pl_record_forked(told);
    struct pl_self *self = locks->n > 0 ? pl_enter() : NULL;
    if (self != NULL) {
        /* Their stacks have no ids in the new record. */
        for (uint32_t i = 0; i < locks->n; i++)
            pl_held_push(self->actor, locks->held[i].kind, locks->held[i].lock, 0);
        pl_leave(self);
    }
    errno = saved;
}

#define FORK_BODY(REAL)                                                                            \
    if (!pl_is_ready())                                                                            \
        return REAL;                                                                               \
    struct fork_locks locks;                                                                       \
    fork_prepare(&locks);                                                                          \
    pid_t child = REAL;                                                                            \
    if (child == 0)                                                                                \
        fork_child(&locks, 1);                                                                     \
    else                                                                                           \
        fork_parent(child, PL_CALL());                                                             \
    return child

PL_EXPORT pid_t fork(void)
{
    FORK_BODY(PL_REAL(fork)());
}

PL_EXPORT pid_t _Fork(void)
{
    FORK_BODY(PL_REAL(_Fork)());
}

PL_EXPORT pid_t forkpty(int *master, char *name, const struct termios *termios,
                        const struct winsize *size)
{
    FORK_BODY(PL_REAL(forkpty)(master, name, termios, size));
}

/* What the real call does not write where it fails is left alone. */
static int spawned(int result, pid_t made, pid_t *child, struct pl_call call)
{
    if (result != 0)
        return result;
    if (child != NULL)
        *child = made;
    pl_child_made(made, call);
    return 0;
}

/* The C library makes the child in a way of its own: it begins as another program. */
PL_EXPORT int posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions,
                          const posix_spawnattr_t *attributes, char *const argv[],
                          char *const envp[])
{
    pid_t made = 0;
    int result = PL_REAL(posix_spawn)(&made, path, actions, attributes, argv, envp);
    return spawned(result, made, child, PL_CALL());
}

PL_EXPORT int posix_spawnp(pid_t *child, const char *file,
                           const posix_spawn_file_actions_t *actions,
                           const posix_spawnattr_t *attributes, char *const argv[],
                           char *const envp[])
{
    pid_t made = 0;
    int result = PL_REAL(posix_spawnp)(&made, file, actions, attributes, argv, envp);
    return spawned(result, made, child, PL_CALL());
}

/* It forks inside the C library: the parent ends there, unseen. */
PL_EXPORT int daemon(int nochdir, int noclose)
{
    int recording = pl_is_ready();
    struct fork_locks locks;
    if (recording) {
        fork_prepare(&locks);
        pl_record_exit(EL_EXIT_NOW, 0);
    }
    int result = PL_REAL(daemon)(nochdir, noclose);
    if (recording && !pl_record_is_mine())
        fork_child(&locks, 0);
    return result;
}

/* ---- exec ---- */

enum exec { UNSEEN, WRITTEN, COUNTED };

/* What was told, and is to be taken back when the call returns. */
static enum exec exec_begins(const char *path)
{
    if (pl_record_becomes(1))
        return COUNTED;
    if (!pl_is_on() || !pl_record_is_mine())
        return UNSEEN;
    struct pl_self *self = pl_enter();
    if (self == NULL)
        return UNSEEN;
    struct el_exec event = {.path = path};
    PL_WRITE(self, exec, &event);
    pl_leave(self);
    return WRITTEN;
}

static int exec_returned(enum exec told, int result)
{
    if (told == COUNTED)
        pl_record_becomes(-1);
    struct pl_self *self = told == WRITTEN ? pl_enter() : NULL;
    if (self == NULL)
        return result;
    struct el_exec_failed event = {.error = errno};
    PL_WRITE(self, exec_failed, &event);
    pl_leave(self);
    return result;
}

#define EXEC_BODY(path, REAL)                                                                      \
    enum exec told = exec_begins(path);                                                            \
    return exec_returned(told, REAL)

PL_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    EXEC_BODY(path, PL_REAL(execve)(path, argv, envp));
}

PL_EXPORT int execv(const char *path, char *const argv[])
{
    EXEC_BODY(path, PL_REAL(execv)(path, argv));
}

PL_EXPORT int execvp(const char *file, char *const argv[])
{
    EXEC_BODY(file, PL_REAL(execvp)(file, argv));
}

PL_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
    EXEC_BODY(file, PL_REAL(execvpe)(file, argv, envp));
}

PL_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    EXEC_BODY("(descriptor)", PL_REAL(fexecve)(fd, argv, envp));
}

PL_EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    EXEC_BODY(path, PL_REAL(execveat)(dir, path, argv, envp, flags));
}

/* ---- the end ---- */

PL_EXPORT void exit(int status)
{
    pl_record_exit(EL_EXIT_CALL, status);
    PL_REAL(exit)(status);
    __builtin_unreachable();
}

PL_EXPORT void _exit(int status)
{
    pl_record_exit(EL_EXIT_NOW, status);
    PL_REAL(_exit)(status);
    __builtin_unreachable();
}

PL_EXPORT void _Exit(int status)
{
    pl_record_exit(EL_EXIT_NOW, status);
    PL_REAL(_Exit)(status);
    __builtin_unreachable();
}

PL_EXPORT void quick_exit(int status)
{
    pl_record_exit(EL_EXIT_QUICK, status);
    PL_REAL(quick_exit)(status);
    __builtin_unreachable();
}

PL_EXPORT void abort(void)
{
    pl_record_exit(EL_EXIT_ABORT, SIGABRT);
    PL_REAL(abort)();
    __builtin_unreachable();
}

/* ---- less is allowed from now on: a record that is due must begin before ---- */

PL_EXPORT int chroot(const char *path)
{
    pl_is_ready();
    return PL_REAL(chroot)(path);
}

PL_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    pl_is_ready();
    return PL_REAL(setrlimit)(resource, limit);
}

PL_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    pl_is_ready();
    return PL_REAL(setrlimit64)(resource, limit);
}

/* ---- another user: the record must stay within reach ---- */

static void user_changes(uid_t user)
{
    struct pl_self *self = user == (uid_t)-1 || geteuid() != 0 ? NULL : pl_enter();
    if (self == NULL)
        return;
    if (pl_record_is_mine())
        el_log_chown(&pl_log, user, (uint32_t)-1);
    pl_leave(self);
}

PL_EXPORT int setuid(uid_t user)
{
    user_changes(user);
    return PL_REAL(setuid)(user);
}

PL_EXPORT int seteuid(uid_t user)
{
    user_changes(user);
    return PL_REAL(seteuid)(user);
}

PL_EXPORT int setreuid(uid_t real, uid_t effective)
{
    user_changes(effective);
    return PL_REAL(setreuid)(real, effective);
}

PL_EXPORT int setresuid(uid_t real, uid_t effective, uid_t saved)
{
    user_changes(effective);
    return PL_REAL(setresuid)(real, effective, saved);
}
