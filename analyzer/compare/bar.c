/*
 * bar.c - see bar.h.
 */
#include "analyzer/compare/bar.h"

#include <ctype.h>
#include <math.h>

#include "analyzer/compare/metrics.h"
#include "analyzer/compare/units.h"
#include "analyzer/gate/choose.h"
#include "analyzer/model/memory.h"

static const char *const extras[BAR_EXTRAS] = {"new_errors", "new_findings"};

static const char *skip(const char *text)
{
    return text + strspn(text, " \t");
}

static char *unknown_metric(const char *name, const struct metrics *all)
{
    const char **names = xcalloc(all->n + BAR_EXTRAS + 1, sizeof(*names));
    for (size_t i = 0; i < all->n; i++)
        names[i] = all->items[i].name;
    for (size_t i = 0; i < BAR_EXTRAS; i++)
        names[all->n + i] = extras[i];
    const char *near = choose_nearest(name, names);
    char *text = near ? xasprintf("no metric \"%s\"; did you mean \"%s\"? There are", name, near)
                      : xasprintf("no metric \"%s\"; there are", name);
    for (size_t i = 0; names[i]; i++) {
        char *longer = xasprintf("%s%s%s", text, i ? ", " : " ", names[i]);
        free(text);
        text = longer;
    }
    free(names);
    return text;
}

static char *take_metric(struct bar *b, const char **at, const struct metrics *all)
{
    const char *text = skip(*at);
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_')
        n++;
    if (n == 0)
        return xasprintf("expected METRIC>LIMIT, as peak_tasks>+10%%: \"%s\"", b->text);
    char *name = xstrndup(text, n);
    b->metric = metrics_find(all, name);
    for (size_t i = 0; i < BAR_EXTRAS; i++)
        if (strcmp(name, extras[i]) == 0)
            b->metric = all->n + i;
    char *error = b->metric == SIZE_MAX ? unknown_metric(name, all) : NULL;
    free(name);
    *at = skip(text + n);
    return error;
}

/* The unit after the number: of this metric's dimension, or none where none is needed. */
static char *take_unit(struct bar *b, const char *unit, const struct metrics *all)
{
    const char *own = b->metric < all->n ? all->items[b->metric].unit : "findings", *base = "";
    size_t n = strcspn(unit, " \t");
    double factor = 1;
    bool time = strcmp(own, "ns") == 0, size = strcmp(own, "bytes") == 0;
    if (*skip(unit + n))
        return xasprintf("unexpected \"%s\" at the end: \"%s\"", skip(unit + n), b->text);
    if (n == 0 && time && b->limit != 0)
        return xasprintf("a time needs a unit: ns, us, ms, s, min or h: \"%s\"", b->text);
    if (n == 0 || (n == strlen(own) && memcmp(unit, own, n) == 0))
        return NULL;
    /* Of what a program prints, the unit is seen only when it runs. */
    bool fits = unit_find(unit, n, &base, &factor) ? !*own || strcmp(base, own) == 0 : !*own;
    if (!fits)
        return xasprintf("unknown unit \"%s\"; %s: \"%s\"", unit,
                         time   ? "times are in ns, us, ms, s, min or h"
                         : size ? "sizes are in bytes, K, M or G"
                                : "this metric has none, or is taken in %",
                         b->text);
    b->limit *= factor;
    return NULL;
}

static char *take_limit(struct bar *b, const char *at, const struct metrics *all)
{
    bool sign = *at == '+' || *at == '-';
    char *end;
    double value = isdigit((unsigned char)at[sign]) || at[sign] == '.' ? strtod(at, &end) : NAN;
    if (!isfinite(value))
        return xasprintf("expected a limit such as +10%%, +3 or 100: \"%s\"", b->text);
    b->limit = value;
    b->kind = sign ? BAR_CHANGE : BAR_VALUE;
    const char *rest = skip(end);
    if (*rest != '%')
        return take_unit(b, rest, all);
    if (!sign)
        return xasprintf("a change in %% has a sign, as +10%%: \"%s\"", b->text);
    if (*skip(rest + 1))
        return xasprintf("unexpected \"%s\" at the end: \"%s\"", skip(rest + 1), b->text);
    b->kind = BAR_RELATIVE;
    b->limit /= 100;
    return NULL;
}

char *bar_parse(struct bar *b, const char *text, const struct metrics *all)
{
    const char *at = text;
    *b = (struct bar){.text = xstrdup(text)};
    char *error = take_metric(b, &at, all);
    if (!error && *at != '>' && *at != '<')
        error = xasprintf("expected > or < after the metric: \"%s\"", text);
    if (!error) {
        b->below = *at == '<';
        error = take_limit(b, skip(at + 1), all);
    }
    if (error)
        bar_clear(b);
    return error;
}

void bar_clear(struct bar *b)
{
    free(b->text);
    *b = (struct bar){0};
}

bool bar_is_broken(const struct bar *b, double before, double after)
{
    double value = after;
    if (b->kind == BAR_CHANGE)
        value = after - before;
    else if (b->kind == BAR_RELATIVE)
        /* From nothing to something is beyond any limit. */
        value = before != 0    ? (after - before) / fabs(before)
                : after == 0.0 ? 0
                : after > 0    ? INFINITY
                               : -INFINITY;
    return b->below ? value < b->limit : value > b->limit;
}
