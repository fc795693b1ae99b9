/*
 * baseline.c - see baseline.h.
 */
#include "analyzer/gate/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "analyzer/model/memory.h"

#define BASELINE_VERSION 1

static void clear_entry(struct baseline_entry *e)
{
    free(e->fingerprint);
    free(e->rule);
    free(e->title);
    free(e->function);
    free(e->first);
}

void baseline_clear(struct baseline *b)
{
    for (size_t i = 0; i < b->n; i++)
        clear_entry(&b->items[i]);
    free(b->items);
    *b = (struct baseline){0};
}

const struct baseline_entry *baseline_find(const struct baseline *b, const char *fingerprint)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->items[i].fingerprint, fingerprint) == 0)
            return &b->items[i];
    return NULL;
}

void baseline_add(struct baseline *b, const struct baseline_entry *e)
{
    if (baseline_find(b, e->fingerprint))
        return;
    XGROW(b->items, b->n);
    b->items[b->n++] =
        (struct baseline_entry){xstrdup(e->fingerprint), xstrdup(e->rule), xstrdup(e->title),
                                xstrdup(e->function), xstrdup(e->first)};
}

void baseline_remove(struct baseline *b, size_t index)
{
    clear_entry(&b->items[index]);
    memmove(&b->items[index], &b->items[index + 1], (b->n - index - 1) * sizeof(*b->items));
    b->n--;
}

/* ---- reading ---- */

/* An object with version 1 and an array "findings"; else NULL and a message. */
static json_t *load_document(const char *file, const char *what, char **error)
{
    json_error_t e;
    json_t *root = json_load_file(file, 0, &e);
    if (!root) {
        *error = e.line < 0 ? xasprintf("%s: cannot read the %s: %s", file, what, strerror(errno))
                            : xasprintf("%s:%d: not a %s: %s", file, e.line, what, e.text);
        return NULL;
    }
    json_t *version = json_object_get(root, "version");
    if (!json_is_integer(version) || !json_is_array(json_object_get(root, "findings")))
        *error = xasprintf("%s: not a %s: expected \"version\" and \"findings\"", file, what);
    else if (json_integer_value(version) != BASELINE_VERSION)
        *error = xasprintf("%s: a %s of version %lld, and this command reads version %d", file,
                           what, (long long)json_integer_value(version), BASELINE_VERSION);
    else
        return root;
    json_decref(root);
    return NULL;
}

static char *text_of(json_t *object, const char *key)
{
    /* The entries are copied from here at once: no copy is needed. */
    return (char *)json_string_value(json_object_get(object, key));
}

static char *add_all(struct baseline *b, json_t *root, const char *file, const char *first)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(root, "findings"), i, item)
    {
        struct baseline_entry e = {text_of(item, "fingerprint"), text_of(item, "rule"),
                                   text_of(item, "title"), text_of(item, "function"),
                                   first ? (char *)first : text_of(item, "first")};
        if (!e.function)
            e.function = text_of(json_object_get(item, "place"), "function");
        if (!e.fingerprint || !e.rule || !e.title)
            return xasprintf("%s: finding %zu: expected \"fingerprint\", \"rule\" and \"title\"",
                             file, i);
        if (strncmp(e.fingerprint, "v1:", 3) != 0)
            return xasprintf("%s: finding %zu: a fingerprint of another version: %s", file, i,
                             e.fingerprint);
        baseline_add(b, &e);
    }
    return NULL;
}

char *baseline_read(struct baseline *b, const char *file, int *missing)
{
    char *error = NULL;
    if (missing)
        *missing = access(file, F_OK) != 0 && errno == ENOENT;
    json_t *root = load_document(file, "baseline", &error);
    if (!root)
        return error;
    error = add_all(b, root, file, NULL);
    json_decref(root);
    return error;
}

char *baseline_read_findings(struct baseline *b, const char *file, const char *first)
{
    char *error = NULL;
    json_t *root = load_document(file, "report", &error);
    if (!root)
        return error;
    error = add_all(b, root, file, first);
    json_decref(root);
    return error;
}

/* ---- writing ---- */

static int by_fingerprint(const void *a, const void *b)
{
    const struct baseline_entry *x = a, *y = b;
    return strcmp(x->fingerprint, y->fingerprint);
}

static json_t *to_json(const struct baseline *b)
{
    json_t *list = json_array();
    for (size_t i = 0; i < b->n; i++) {
        const struct baseline_entry *e = &b->items[i];
        json_array_append_new(list, json_pack("{ss ss ss* ss ss*}", "fingerprint", e->fingerprint,
                                              "rule", e->rule, "function", e->function, "title",
                                              e->title, "first", e->first));
    }
    return json_pack("{si so}", "version", BASELINE_VERSION, "findings", list);
}

char *baseline_write(struct baseline *b, const char *file)
{
    if (b->n)
        qsort(b->items, b->n, sizeof(*b->items), by_fingerprint);
    char *temporary = xasprintf("%s.XXXXXX", file), *error = NULL;
    json_t *root = to_json(b);
    int fd = mkostemp(temporary, O_CLOEXEC);
    mode_t mask = umask(0);
    umask(mask);
    bool ok = fd >= 0 && fchmod(fd, 0666 & ~mask) == 0 &&
              json_dumpfd(root, fd, JSON_INDENT(2) | JSON_PRESERVE_ORDER) == 0 &&
              write(fd, "\n", 1) == 1 && fsync(fd) == 0 && rename(temporary, file) == 0;
    if (!ok) {
        error = xasprintf("%s: cannot write the baseline: %s", file, strerror(errno));
        if (fd >= 0)
            unlink(temporary);
    }
    if (fd >= 0)
        close(fd);
    json_decref(root);
    free(temporary);
    return error;
}
