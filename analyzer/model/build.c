/* build.c - events into the model. Cells are build_cells.c's, waits and locks build_waits.c's. */
#include "analyzer/model/build.h"

#include <string.h>

#include "analyzer/model/memory.h"

void model_builder_init(struct model_builder *b, struct model_process *p, uint64_t hz)
{
    *b = (struct model_builder){.p = p, .hz = hz};
    b->ended = xcalloc(MODEL_ENDED_MOST, sizeof *b->ended);
}

uint64_t build_ns(const struct model_builder *b, uint64_t ticks)
{
    unsigned __int128 ns = (unsigned __int128)ticks * 1000000000u / b->hz;
    return ns > INT64_MAX ? INT64_MAX : (uint64_t)ns;
}

struct model_actor *build_actor(struct model_builder *b, uint64_t id)
{
    struct model_process *p = b->p;
    uint32_t *slot = table_slot(&b->actors, id, 0);
    if (*slot == TABLE_NONE) {
        XGROW(p->actors, p->nactors);
        p->actors[p->nactors] = (struct model_actor){.id = id};
        *slot = (uint32_t)p->nactors++;
    }
    return &p->actors[*slot];
}

/* ---- the process ---- */

static void on_process(struct model_builder *b, uint64_t at_ns, const struct el_process *e)
{
    struct model_process *p = b->p;
    (void)at_ns;
    if (p->command != NULL)
        return; /* there is one a record */
    p->pid = e->pid;
    p->ppid = e->ppid;
    p->cause = e->cause;
    p->cpus = e->cpus;
    uint64_t since_begin = build_ns(b, e->at);
    p->realtime_ns = e->realtime_ns > since_begin ? e->realtime_ns - since_begin : 0;
    p->command = xstrdup(e->command != NULL ? e->command : "");
}

static void on_module(struct model_builder *b, uint64_t at_ns, const struct el_module *e)
{
    struct model_process *p = b->p;
    if (e->lo >= e->hi) {
        b->rejected++;
        return;
    }
    const char *space = strchr(e->text, ' ');
    const char *path = space != NULL ? space + 1 : e->text;
    bool has_id = space != NULL && space > e->text && e->text[0] != '-';
    XGROW(p->modules, p->nmodules);
    p->modules[p->nmodules++] = (struct model_module){
        .lo = e->lo,
        .hi = e->hi,
        .bias = e->bias,
        .from_ns = at_ns,
        .until_ns = UINT64_MAX,
        .path = xstrdup(path),
        .build_id = has_id ? xstrndup(e->text, (size_t)(space - e->text)) : NULL,
    };
}

static void on_module_gone(struct model_builder *b, uint64_t at_ns, const struct el_module_gone *e)
{
    struct model_process *p = b->p;
    for (size_t i = p->nmodules; i-- > 0;)
        if (p->modules[i].lo == e->lo && p->modules[i].until_ns == UINT64_MAX) {
            p->modules[i].until_ns = at_ns;
            return;
        }
}

static void on_stack(struct model_builder *b, const struct el_stack *e)
{
    struct model_process *p = b->p;
    if (e->stack == 0 || e->stack >= MODEL_STACKS_MOST || e->frames_count > UINT16_MAX) {
        b->rejected++;
        return;
    }
    if (e->stack >= p->nstacks) {
        size_t n = p->nstacks > 0 ? p->nstacks : 256;
        while (n <= e->stack)
            n *= 2;
        p->stacks = xreallocarray(p->stacks, n, sizeof *p->stacks);
        memset(p->stacks + p->nstacks, 0, (n - p->nstacks) * sizeof *p->stacks);
        p->nstacks = n;
    }
    if (p->stacks[e->stack] != NULL) {
        b->rejected++; /* an id is given once */
        return;
    }
    size_t bytes = e->frames_count * sizeof(uint64_t);
    struct model_stack *s = xcalloc(1, sizeof *s + bytes);
    s->depth = (uint32_t)e->frames_count;
    s->truncated = (e->flags & EL_STACK_TRUNCATED) != 0;
    if (bytes > 0)
        memcpy(s->frames, e->frames, bytes);
    p->stacks[e->stack] = s;
}

static void on_fork(struct model_process *p, const struct el_fork *e)
{
    XGROW(p->children, p->nchildren);
    p->children[p->nchildren++] = e->child;
}

static void on_process_exit(struct model_builder *b, uint64_t at_ns, const struct el_exit *e)
{
    struct model_process *p = b->p;
    b->exit_ns = e->how == EL_EXIT_CALL ? at_ns : 0;
    p->exited = true;
    p->replaced = false;
    p->exit_how = e->how;
    p->exit_status = e->status;
    p->exit_actor = e->actor;
}

static void on_mark(struct model_builder *b, uint64_t at_ns, const struct el_mark *e)
{
    struct model_process *p = b->p;
    if (p->nmarks >= MODEL_MARKS_MOST)
        return;
    XGROW(p->marks, p->nmarks);
    p->marks[p->nmarks++] = (struct model_mark){at_ns, xstrdup(e->text != NULL ? e->text : "")};
}

/* ---- threads and runtimes ---- */

static void on_thread_begin(struct model_builder *b, uint64_t at_ns,
                            const struct el_thread_begin *e)
{
    struct model_actor *a = build_actor(b, e->thread);
    a->state = EL_ACTOR_RUNNING;
    a->flags = e->flags;
    a->tid = e->tid;
    a->creator = e->creator;
    a->created_ns = e->began != 0 ? build_cell_ns(b, e->began) : at_ns;
    a->created_stack = e->created_stack;
    a->start = e->start;
}

/* Takes an actor out: the last one moves to its place. */
static void remove_actor(struct model_builder *b, uint32_t index)
{
    struct model_process *p = b->p;
    *table_slot(&b->actors, p->actors[index].id, 0) = TABLE_NONE;
    size_t last = p->nactors - 1;
    if (index != last) {
        p->actors[index] = p->actors[last];
        *table_slot(&b->actors, p->actors[index].id, 0) = index;
    }
    /* XGROW takes a power of two for a full array: growing anew is harmless. */
    p->nactors = last;
}

static void on_thread_end(struct model_builder *b, uint64_t at_ns, const struct el_thread_end *e)
{
    struct model_actor *a = build_actor(b, e->thread);
    a->state = EL_ACTOR_ENDED;
    a->wait_kind = EL_WAIT_NONE;
    a->ended_ns = at_ns;
    a->ended_how = e->how;
    uint32_t *oldest = &b->ended[b->nended++ % MODEL_ENDED_MOST];
    if (b->nended > MODEL_ENDED_MOST) {
        uint32_t index = table_get(&b->actors, *oldest, 0);
        if (index != TABLE_NONE && b->p->actors[index].ended_ns != 0 && *oldest != e->thread)
            remove_actor(b, index);
    }
    *oldest = e->thread;
}

static void on_run_begin(struct model_builder *b, uint64_t at_ns, const struct el_run_begin *e)
{
    struct model_process *p = b->p;
    if (e->workers > p->workers)
        p->workers = e->workers;
    if (p->nruns >= MODEL_RUNS_MOST)
        return;
    XGROW(p->runs, p->nruns);
    p->runs[p->nruns++] = (struct model_run){.run = e->run,
                                             .workers = e->workers,
                                             .begin_ns = at_ns,
                                             .name = xstrdup(e->name != NULL ? e->name : "")};
}

static void on_run_end(struct model_builder *b, uint64_t at_ns, const struct el_run_end *e)
{
    struct model_process *p = b->p;
    for (size_t i = p->nruns; i-- > 0;)
        if (p->runs[i].run == e->run) {
            p->runs[i].end_ns = at_ns;
            p->runs[i].left = e->left;
            return;
        }
}

void model_builder_event(struct model_builder *b, uint64_t ticks, uint32_t id,
                         const union el_any *any)
{
    struct model_process *p = b->p;
    uint64_t at_ns = build_ns(b, ticks);
    p->events++;
    if (at_ns > p->end_ns)
        p->end_ns = at_ns;
    build_heap_event(b, at_ns, id, any);
    switch (id) {
    case EL_ID_process:
        on_process(b, at_ns, &any->process);
        break;
    case EL_ID_module:
        on_module(b, at_ns, &any->module);
        break;
    case EL_ID_module_gone:
        on_module_gone(b, at_ns, &any->module_gone);
        break;
    case EL_ID_stack:
        on_stack(b, &any->stack);
        break;
    case EL_ID_fork:
        on_fork(p, &any->fork);
        break;
    case EL_ID_exec:
        p->replaced = true;
        break;
    case EL_ID_exec_failed:
        p->replaced = false;
        break;
    case EL_ID_exit:
        on_process_exit(b, at_ns, &any->exit);
        break;
    case EL_ID_stopped:
        p->stop_reason = any->stopped.reason;
        break;
    case EL_ID_option:
        p->alone |= any->option.text != NULL && strcmp(any->option.text, "follow=0") == 0;
        build_option(b, &any->option);
        break;
    case EL_ID_recording:
        build_recording(b, at_ns, &any->recording);
        break;
    case EL_ID_mark:
        on_mark(b, at_ns, &any->mark);
        break;
    case EL_ID_thread_begin:
        on_thread_begin(b, at_ns, &any->thread_begin);
        break;
    case EL_ID_thread_end:
        on_thread_end(b, at_ns, &any->thread_end);
        break;
    case EL_ID_run_begin:
        on_run_begin(b, at_ns, &any->run_begin);
        break;
    case EL_ID_run_end:
        on_run_end(b, at_ns, &any->run_end);
        break;
    case EL_ID_wait:
        build_wait(b, &any->wait);
        break;
    case EL_ID_lock_io:
        build_lock_io(b, &any->lock_io);
        break;
    case EL_ID_misuse:
        build_misuse(b, at_ns, &any->misuse);
        break;
    default: /* what the model does not need */
        break;
    }
}
