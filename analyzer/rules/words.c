/* words.c - see words.h. */
#include "analyzer/rules/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/rules/life.h"

struct words words_duration(uint64_t ns)
{
    struct words w;
    if (ns < 1000)
        snprintf(w.text, sizeof w.text, "%" PRIu64 " ns", ns);
    else if (ns < 1000000)
        snprintf(w.text, sizeof w.text, "%.3g us", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(w.text, sizeof w.text, "%.3g ms", (double)ns / 1e6);
    else if (ns < 120 * UINT64_C(1000000000))
        snprintf(w.text, sizeof w.text, "%.3g s", (double)ns / 1e9);
    else
        snprintf(w.text, sizeof w.text, "%" PRIu64 " min", ns / 60 / 1000000000u);
    return w;
}

struct words words_bytes(double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    struct words w;
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1024;
        unit++;
    }
    snprintf(w.text, sizeof w.text, "%.4g %s", bytes, units[unit]);
    return w;
}

struct words words_actor(const struct model_process *p, uint64_t id)
{
    struct words w;
    const struct model_actor *a = model_find_actor(p, id);
    const char *name = a != NULL && a->named != NULL ? a->named->name : "";
    const char *quote = name[0] != '\0' ? "\"" : "";
    if (life_is_main(p, id))
        snprintf(w.text, sizeof w.text, "the main %s", model_is_task(id) ? "task" : "thread");
    else
        snprintf(w.text, sizeof w.text, "%s %" PRIu64 "%s%s%s%s",
                 model_is_task(id) ? "task" : "thread", id & ~EL_ACTOR_TASK, quote[0] ? " " : "",
                 quote, name, quote);
    return w;
}

struct words words_actor_state(const struct model_process *p, uint64_t id)
{
    struct words w;
    const struct model_actor *a = model_find_actor(p, id);
    if (a == NULL && life_of(p, id) == LIFE_ALIVE)
        snprintf(w.text, sizeof w.text, "returned and ended the run");
    else if (a == NULL)
        snprintf(w.text, sizeof w.text, "has ended");
    else if (a->ended_ns != 0)
        snprintf(w.text, sizeof w.text, "ended %.40s before the end",
                 words_duration(p->end_ns > a->ended_ns ? p->end_ns - a->ended_ns : 0).text);
    else if (a->state == EL_ACTOR_ENDED)
        snprintf(w.text, sizeof w.text, "has ended");
    else if (a->wait_kind != EL_WAIT_NONE)
        snprintf(w.text, sizeof w.text, "waits %s itself", words_wait(a->wait_kind));
    else if (p->exited && p->exit_actor == id)
        snprintf(w.text, sizeof w.text, "ended the process");
    else
        snprintf(w.text, sizeof w.text, "still lived");
    return w;
}

struct words words_count(uint64_t n, const char *one, const char *many)
{
    struct words w;
    snprintf(w.text, sizeof w.text, "%" PRIu64 " %s", n, n == 1 ? one : many);
    return w;
}

const char *words_plain(const char *kind)
{
    return strncmp(kind, "task ", 5) == 0 ? kind + 5 : kind;
}

struct words words_a(const char *noun)
{
    struct words w;
    snprintf(w.text, sizeof w.text, "%s %s", strchr("aeiou", noun[0]) != NULL ? "an" : "a", noun);
    return w;
}

const char *words_wait(enum el_wait_kind kind)
{
    static const char *const texts[] = {
        [EL_WAIT_MUTEX] = "for a mutex",
        [EL_WAIT_RWLOCK_READ] = "for a read lock",
        [EL_WAIT_RWLOCK_WRITE] = "for a write lock",
        [EL_WAIT_SPINLOCK] = "for a spinlock",
        [EL_WAIT_WEFT_MUTEX] = "for a mutex",
        [EL_WAIT_WEFT_READ] = "for a read lock",
        [EL_WAIT_WEFT_WRITE] = "for a write lock",
        [EL_WAIT_COND] = "on a condition",
        [EL_WAIT_SEM] = "for a semaphore",
        [EL_WAIT_BARRIER] = "at a barrier",
        [EL_WAIT_JOIN] = "to join a thread",
        [EL_WAIT_CHAN_SEND] = "to send on a channel",
        [EL_WAIT_CHAN_RECV] = "to receive from a channel",
        [EL_WAIT_SELECT] = "in a select",
        [EL_WAIT_GROUP] = "for a wait group",
        [EL_WAIT_ONCE] = "for a once",
        [EL_WAIT_FUTEX] = "on a futex",
        [EL_WAIT_READ] = "to read",
        [EL_WAIT_WRITE] = "to write",
        [EL_WAIT_ACCEPT] = "to accept a connection",
        [EL_WAIT_CONNECT] = "to connect",
        [EL_WAIT_POLL] = "in a poll",
        [EL_WAIT_SLEEP] = "in a sleep",
        [EL_WAIT_FSYNC] = "for an fsync",
        [EL_WAIT_DNS] = "for a name lookup",
        [EL_WAIT_FLOCK] = "for a file lock",
        [EL_WAIT_CHILD] = "for a child process",
        [EL_WAIT_OPEN] = "to open a file",
        [EL_WAIT_SIGNAL] = "for a signal",
        [EL_WAIT_BLOCKING] = "in a blocking call",
    };
    size_t i = (size_t)kind;
    return i < sizeof texts / sizeof texts[0] && texts[i] != NULL ? texts[i] : "for something";
}
