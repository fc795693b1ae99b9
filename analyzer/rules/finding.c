/* finding.c - see finding.h. Knows nothing of where numbers come from nor how they are shown. */
#include "analyzer/rules/finding.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

/* Adds one zeroed element to an array and gives its address. */
#define APPEND(array, n)                                                                           \
    ({                                                                                             \
        XGROW(array, n);                                                                           \
        __typeof__(&(array)[0]) added_ = &(array)[(n)++];                                          \
        memset(added_, 0, sizeof *added_);                                                         \
        added_;                                                                                    \
    })

struct finding *finding_create(const struct rule *rule, const struct model_process *process)
{
    struct finding *f = xcalloc(1, sizeof *f);
    f->rule = rule;
    f->process = process;
    f->severity = rule->severity;
    f->confidence = CONFIDENCE_PROBABLE;
    return f;
}

void finding_set_times(struct finding *f, uint64_t first_ns, uint64_t last_ns)
{
    f->first_ns = first_ns;
    f->last_ns = last_ns;
    f->mark = xstrdup(model_find_mark(f->process, first_ns));
}

void finding_set_growth(struct finding *f, uint64_t n)
{
    if (n > 1 && f->last_ns > f->first_ns)
        f->growth_per_s = (double)(n - 1) * 1e9 / (double)(f->last_ns - f->first_ns);
}

static void stack_finish(struct finding_stack *s)
{
    for (size_t i = 0; i < s->nframes; i++) {
        free(s->frames[i].function);
        free(s->frames[i].file);
        free(s->frames[i].module);
    }
    free(s->frames);
    free(s->role);
    free(s->note);
}

void finding_destroy(struct finding *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->nstacks; i++)
        stack_finish(&f->stacks[i]);
    for (size_t i = 0; i < f->nevidence; i++) {
        free(f->evidence[i].name);
        free(f->evidence[i].text);
    }
    for (size_t i = 0; i < f->ncosts; i++) {
        free(f->costs[i].what);
        free(f->costs[i].unit);
    }
    free(f->stacks);
    free(f->evidence);
    free(f->costs);
    free(f->kind);
    free(f->title);
    free(f->fix);
    free(f->mark);
    free(f);
}

static void replace(char **slot, char *text)
{
    free(*slot);
    *slot = text;
}

void finding_set_title(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    replace(&f->title, xvasprintf(fmt, ap));
    va_end(ap);
}

void finding_set_fix(struct finding *f, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    replace(&f->fix, xvasprintf(fmt, ap));
    va_end(ap);
}

void finding_set_kind(struct finding *f, const char *kind)
{
    replace(&f->kind, xstrdup(kind));
}

void finding_add_stack(struct finding *f, const char *role, uint32_t stack, bool primary,
                       const char *note)
{
    if (stack == 0)
        return;
    for (size_t i = 0; i < f->nstacks; i++)
        if (f->stacks[i].primary)
            primary = false;
    struct finding_stack *s = APPEND(f->stacks, f->nstacks);
    s->role = xstrdup(role);
    s->note = xstrdup(note);
    s->stack = stack;
    s->primary = primary;
}

void finding_add_evidence(struct finding *f, const char *name, const char *fmt, ...)
{
    struct finding_evidence *e = APPEND(f->evidence, f->nevidence);
    va_list ap;
    va_start(ap, fmt);
    e->name = xstrdup(name);
    e->text = xvasprintf(fmt, ap);
    va_end(ap);
}

void finding_add_cost(struct finding *f, const char *what, double amount, const char *unit)
{
    struct finding_cost *c = APPEND(f->costs, f->ncosts);
    c->what = xstrdup(what);
    c->amount = amount;
    c->unit = xstrdup(unit);
}

void findings_add(struct findings *all, struct finding *f)
{
    *APPEND(all->items, all->n) = f;
}

void findings_clear(struct findings *all)
{
    for (size_t i = 0; i < all->n; i++)
        finding_destroy(all->items[i]);
    free(all->items);
    all->items = NULL;
    all->n = 0;
}

/* ---- place and fingerprint ---- */

/* FNV-1a, 64 bits. The final NUL of each text counts, so that "ab","c" is not "a","bc". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    do {
        hash ^= (unsigned char)*text;
        hash *= 0x100000001b3u;
    } while (*text++ != '\0');
    return hash;
}

/* A frame without a name is known by its module and its offset there: stable as long as the module
 * is not built anew, and all that a stripped program offers. */
static uint64_t hash_frame(uint64_t hash, const struct finding_frame *frame)
{
    if (frame->function != NULL)
        return hash_text(hash, frame->function);
    const char *slash = frame->module != NULL ? strrchr(frame->module, '/') : NULL;
    const char *base = slash != NULL ? slash + 1 : frame->module;
    char offset[24];
    snprintf(offset, sizeof offset, "+%" PRIx64, frame->offset);
    return hash_text(hash_text(hash, base != NULL ? base : "?"), offset);
}

static bool has_in_app(const struct finding *f)
{
    for (size_t i = 0; i < f->nstacks; i++)
        for (size_t j = 0; j < f->stacks[i].nframes; j++)
            if (f->stacks[i].frames[j].in_app)
                return true;
    return false;
}

/* The nearest frame of the program. Where its source is not known, the nearest whose source is: a
 * library that comes without is told by the line that calls it. */
static const struct finding_frame *stack_place(const struct finding_stack *s)
{
    const struct finding_frame *nearest = NULL;
    for (size_t j = 0; j < s->nframes; j++) {
        const struct finding_frame *f = &s->frames[j];
        if (f->in_app && f->file != NULL)
            return f;
        if (f->in_app && nearest == NULL)
            nearest = f;
    }
    return nearest != NULL || s->nframes == 0 ? nearest : &s->frames[0];
}

static bool same_frame(const struct finding_frame *a, const struct finding_frame *b)
{
    if (a->function != NULL && b->function != NULL && a->file != NULL && b->file != NULL)
        return a->line == b->line && strcmp(a->function, b->function) == 0 &&
               strcmp(a->file, b->file) == 0;
    return a->address == b->address;
}

/* The outermost frames that all stacks share; 0 where there is one stack only. */
static size_t shared_callers(const struct finding *f)
{
    size_t shared = f->nstacks > 1 ? f->stacks[0].nframes : 0;
    for (size_t i = 1; i < f->nstacks; i++) {
        const struct finding_stack *a = &f->stacks[0], *b = &f->stacks[i];
        size_t n = 0;
        while (n < shared && n < b->nframes &&
               same_frame(&a->frames[a->nframes - 1 - n], &b->frames[b->nframes - 1 - n]))
            n++;
        shared = n;
    }
    return shared;
}

/* Frames of a stack that tell one finding from another. */
static size_t telling_frames(const struct finding_stack *s, size_t callers)
{
    return s->nframes > callers ? s->nframes - callers : s->nframes > 0;
}

void finding_settle(struct finding *f)
{
    f->place = NULL;
    for (size_t i = 0; i < f->nstacks && f->place == NULL; i++)
        if (f->stacks[i].primary)
            f->place = stack_place(&f->stacks[i]);
    /* A primary stack that could not be read leaves the place to the next best one. */
    for (size_t i = 0; i < f->nstacks && f->place == NULL; i++)
        f->place = stack_place(&f->stacks[i]);

    bool only_app = has_in_app(f);
    size_t callers = f->rule->callers_aside ? shared_callers(f) : 0;
    uint64_t hash = 0xcbf29ce484222325u;
    hash = hash_text(hash, f->rule->id);
    hash = hash_text(hash, f->kind != NULL ? f->kind : "");
    for (size_t i = 0; i < f->nstacks; i++) {
        hash = hash_text(hash, f->stacks[i].role);
        for (size_t j = 0; j < telling_frames(&f->stacks[i], callers); j++)
            if (!only_app || f->stacks[i].frames[j].in_app)
                hash = hash_frame(hash, &f->stacks[i].frames[j]);
    }
    snprintf(f->fingerprint, sizeof f->fingerprint, "v1:%016" PRIx64, hash);
}
