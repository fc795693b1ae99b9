/*
 * run_info.c - see run_info.h.
 */
#include "analyzer/report/run_info.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>

#include "analyzer/model/memory.h"
#include "analyzer/report/words.h"

#define FILE_NAME "run.json"

/* By way of stdio: of a descriptor, jansson reads and writes a byte at a time. `fd` is closed. */

static json_t *load(int fd, json_error_t *e)
{
    FILE *f = fdopen(fd, "r");
    json_t *root = f ? json_loadf(f, 0, e) : NULL;
    if (f)
        fclose(f);
    else
        close(fd);
    return root;
}

static bool dump(const json_t *root, int fd)
{
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!f) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok = root && json_dumpf(root, f, JSON_INDENT(2)) == 0;
    return fclose(f) == 0 && ok;
}

/* A file without `usage` is of a run that has not ended, or of an earlier version. */
static void read_usage(struct run_usage *u, const json_t *root)
{
    json_int_t wall, user, system, rss, faults, waits, preemptions;
    json_t *usage = json_object_get(root, "usage");
    if (!usage || json_unpack(usage, "{sI sI sI sI sI sI sI}", "wall_ns", &wall, "user_ns", &user,
                              "system_ns", &system, "max_rss_bytes", &rss, "page_faults", &faults,
                              "waits", &waits, "preemptions", &preemptions) != 0)
        return;
    *u = (struct run_usage){.known = true,
                            .wall_ns = wall,
                            .user_ns = user,
                            .system_ns = system,
                            .max_rss_bytes = rss,
                            .page_faults = faults,
                            .waits = waits,
                            .preemptions = preemptions};
}

static void read_own(struct run_own *o, const json_t *root)
{
    json_int_t looks, inside, ns;
    json_t *own = json_object_get(root, "own");
    if (own &&
        json_unpack(own, "{sI sI sI}", "looks", &looks, "inside", &inside, "inside_ns", &ns) == 0 &&
        looks >= inside && inside >= 0 && ns >= 0)
        *o = (struct run_own){.looks = looks, .inside = inside, .inside_ns = ns};
}

static json_t *own_json(const struct run_own *o)
{
    return json_pack("{sI sI sI}", "looks", (json_int_t)o->looks, "inside", (json_int_t)o->inside,
                     "inside_ns", (json_int_t)o->inside_ns);
}

static json_t *usage_json(const struct run_usage *u)
{
    return json_pack("{sI sI sI sI sI sI sI}", "wall_ns", (json_int_t)u->wall_ns, "user_ns",
                     (json_int_t)u->user_ns, "system_ns", (json_int_t)u->system_ns, "max_rss_bytes",
                     (json_int_t)u->max_rss_bytes, "page_faults", (json_int_t)u->page_faults,
                     "waits", (json_int_t)u->waits, "preemptions", (json_int_t)u->preemptions);
}

char *run_info_read(struct run_info *r, const char *dir)
{
    *r = (struct run_info){0};
    char *path = xasprintf("%s/%s", dir, FILE_NAME), *error = NULL;
    json_error_t e = {.text = ""};
    const char *command = NULL;
    int exited = 0, timed_out = 0;
    json_int_t started = 0, ended = 0;
    /* An application may have put a fifo there: do not wait for it. */
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            error = xasprintf("%s: cannot read: %s", path, strerror(errno));
        free(path);
        return error;
    }
    json_t *root = load(fd, &e);
    if (!root ||
        json_unpack_ex(root, &e, 0, "{ss s?i s?I s?I s?b s?i s?i s?b s?F}", "command", &command,
                       "pid", &r->pid, "started_ns", &started, "ended_ns", &ended, "exited",
                       &exited, "status", &r->status, "signal", &r->signal, "timed_out", &timed_out,
                       "timeout_s", &r->timeout_s) != 0) {
        error = xasprintf("%s: not what the launcher wrote: %s", path, e.text);
    } else {
        r->command = xstrdup(command);
        r->started_ns = started;
        r->ended_ns = ended;
        r->exited = exited != 0;
        r->timed_out = timed_out != 0;
        read_usage(&r->usage, root);
        read_own(&r->own, root);
    }
    json_decref(root);
    free(path);
    return error;
}

char *run_info_write(const struct run_info *r, const char *dir)
{
    char *path = xasprintf("%s/%s", dir, FILE_NAME), *temporary = xasprintf("%s.new", path);
    char *error = NULL, *command = report_clean(r->command);
    json_object_seed((size_t)r->started_ns | 1); /* or jansson opens a device for it */
    json_t *root =
        json_pack("{ss si sI sI sb si si sb sf}", "command", command, "pid", r->pid, "started_ns",
                  (json_int_t)r->started_ns, "ended_ns", (json_int_t)r->ended_ns, "exited",
                  r->exited, "status", r->status, "signal", r->signal, "timed_out", r->timed_out,
                  "timeout_s", r->timeout_s);
    if (root && r->usage.known)
        json_object_set_new(root, "usage", usage_json(&r->usage));
    if (root && r->own.looks > 0)
        json_object_set_new(root, "own", own_json(&r->own));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (!dump(root, fd) || rename(temporary, path) != 0)
        error = xasprintf("%s: cannot write: %s", path, strerror(errno));
    json_decref(root);
    free(command);
    free(temporary);
    free(path);
    return error;
}

void run_info_clear(struct run_info *r)
{
    free(r->command);
    *r = (struct run_info){0};
}

char *run_info_ending(const struct run_info *r)
{
    char time[REPORT_WORDS_MAX];
    if (!r->command)
        return NULL;
    if (r->timed_out)
        return xasprintf("hung: judged and ended after %s (--timeout)",
                         report_duration(time, r->timeout_s * 1e9));
    if (r->exited)
        return xasprintf("exited with %d", r->status);
    if (r->signal)
        return xasprintf("was killed by signal %d (%s)", r->signal, strsignal(r->signal));
    return xasprintf("has not ended, as far as is known");
}
