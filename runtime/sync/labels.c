/*
 * Labels of tasks. A task holds a reference to a set that is never changed, so a child inherits it
 * by one pointer, and weft_dump may read it at any instant. Each set carries its text for that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/sched/sched.h"
#include "runtime/sync/local.h"

struct pair {
    const char *key, *value;
};

void weft__labels_release(struct weft__labels *labels)
{
    if (__atomic_sub_fetch(&labels->refs, 1, __ATOMIC_ACQ_REL) == 0)
        free(labels);
}

void weft__labels_drop(struct weft_task *t)
{
    struct weft__labels *before = t->labels;
    __atomic_store_n(&t->labels, NULL, __ATOMIC_RELEASE);
    weft__labels_release(before);
}

void weft__tell_names(struct weft_task *t)
{
    const struct weft__labels *labels = t->labels;
    LOITER_CALL(loiter_task_named,
                (&t->loiter, t->name, labels ? labels->bytes + labels->text_at : NULL));
}

static void set_labels(struct weft_task *t, struct weft__labels *labels)
{
    struct weft__labels *before = t->labels;
    __atomic_store_n(&t->labels, labels, __ATOMIC_RELEASE);
    if (before)
        weft__labels_release(before);
    weft__tell_names(t);
}

/* The pair at *at, which goes on to the next. */
static struct pair next_pair(const char **at)
{
    struct pair p = {*at, *at + strlen(*at) + 1};
    *at = p.value + strlen(p.value) + 1;
    return p;
}

static char *put(char *to, const char *text, char end)
{
    to = stpcpy(to, text);
    *to++ = end;
    return to;
}

/* `count` pairs, which may lie in other labels. NULL: no memory. */
static struct weft__labels *make(const struct pair *pairs, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += strlen(pairs[i].key) + strlen(pairs[i].value) + 2;
    struct weft__labels *labels = size < UINT32_MAX ? malloc(sizeof *labels + 2 * size + 1) : NULL;
    if (!labels)
        return NULL;
    *labels = (struct weft__labels){.refs = 1, .count = count, .text_at = (uint32_t)size};
    char *to = labels->bytes, *text = labels->bytes + size;
    for (uint32_t i = 0; i < count; i++) {
        to = put(put(to, pairs[i].key, '\0'), pairs[i].value, '\0');
        text = put(put(text, pairs[i].key, '='), pairs[i].value, i + 1 < count ? ' ' : '\0');
    }
    *text = '\0';
    return labels;
}

/* Labels with one more, or another, or (value NULL) one less. NULL with *r 0: none are left. */
static struct weft__labels *changed(const struct weft__labels *old, const char *key,
                                    const char *value, int *r)
{
    uint32_t count = old ? old->count : 0, kept = 0;
    struct pair few[8], *pairs = few;
    if (count >= sizeof few / sizeof *few && !(pairs = calloc(count + 1, sizeof *pairs))) {
        *r = -ENOMEM;
        return NULL;
    }
    const char *at = old ? old->bytes : NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct pair p = next_pair(&at);
        if (strcmp(p.key, key) != 0)
            pairs[kept++] = p;
    }
    if (value)
        pairs[kept++] = (struct pair){key, value};
    struct weft__labels *labels = kept ? make(pairs, kept) : NULL;
    *r = kept && !labels ? -ENOMEM : 0;
    if (pairs != few)
        free(pairs);
    return labels;
}

int weft_set_label(const char *key, const char *value)
{
    struct weft_task *t = weft__self();
    int r;
    if (!t)
        return -ESRCH;
    struct weft__labels *labels = changed(t->labels, key, value, &r);
    if (r == 0)
        set_labels(t, labels);
    return r;
}

const char *weft_label(const char *key)
{
    struct weft_task *t = weft__self();
    const char *at = t && t->labels ? t->labels->bytes : NULL;
    for (uint32_t i = 0; at && i < t->labels->count; i++) {
        struct pair p = next_pair(&at);
        if (strcmp(p.key, key) == 0)
            return p.value;
    }
    return NULL;
}

int weft_do_labelled(const char *key, const char *value, void (*fn)(void *), void *arg)
{
    struct weft_task *t = weft__self();
    struct weft__labels *before = t ? t->labels : NULL;
    if (before)
        weft__labels_retain(before);
    int r = weft_set_label(key, value);
    if (r == 0)
        fn(arg);
    if (r == 0)
        set_labels(t, before);
    else if (before)
        weft__labels_release(before);
    return r;
}
