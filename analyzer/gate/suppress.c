/*
 * suppress.c - see suppress.h.
 */
#include "analyzer/gate/suppress.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "analyzer/gate/choose.h"
#include "analyzer/gate/glob.h"
#include "analyzer/model/memory.h"
#include "analyzer/rules/rule.h"

#define UTF8_MARK "\xef\xbb\xbf"

static char *trim(char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    size_t n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        s[--n] = '\0';
    return s;
}

static bool valid_date(const char *s)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, end = 0;
    if (strlen(s) != 10 || sscanf(s, "%4d-%2d-%2d%n", &year, &month, &day, &end) != 3 || end != 10)
        return false;
    for (int i = 0; i < 10; i++)
        if (i != 4 && i != 7 && !isdigit((unsigned char)s[i]))
            return false;
    return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1];
}

/* Cuts the reason off: what follows a '#' at the start or after white space. A '#' within a name,
 * as in `main::{lambda()#1}`, is part of it. */
static char *cut_reason(char *line)
{
    for (char *p = line; *p; p++) {
        if (*p == '#' && (p == line || isspace((unsigned char)p[-1]))) {
            *p = '\0';
            char *reason = trim(p + 1);
            return *reason ? reason : NULL;
        }
    }
    return NULL;
}

/* Cuts a final `until=...` off; NULL when there is none. */
static char *cut_until(char *line)
{
    char *last = strrchr(line, ' '), *tab = strrchr(line, '\t');
    if (!last || (tab && tab > last))
        last = tab;
    if (!last || strncmp(last + 1, "until=", 6) != 0)
        return NULL;
    *last = '\0';
    return last + 1 + 6;
}

/* What is wrong with the line, to be freed; NULL when it was added or holds nothing. */
static char *read_line(struct suppressions *s, char *text, const char *today,
                       struct suppression found)
{
    char *reason = cut_reason(text);
    char *line = trim(text);
    if (!*line)
        return NULL;
    char *until = cut_until(line);
    line = trim(line);
    char *colon = strchr(line, ':');
    if (!colon)
        return xasprintf("expected RULE:PATTERN, found no colon: \"%s\"", line);
    *colon = '\0';
    char *rule = trim(line), *pattern = trim(colon + 1);
    if (strcmp(rule, "*") != 0 && !rule_find(rule)) {
        char *why = choose_unknown_rule(rule);
        char *error = xasprintf("expected a rule or * before the colon: %s", why);
        free(why);
        return error;
    }
    if (!*pattern)
        return xasprintf("expected a pattern after \"%s:\"", rule);
    if (strstr(pattern, " reason="))
        return xasprintf("expected a reason after \"#\": \"%s\"", pattern);
    if (until && !valid_date(until))
        return xasprintf("expected until=YYYY-MM-DD: \"until=%s\"", until);
    if (until) {
        memcpy(found.until, until, sizeof(found.until));
        found.expired = strcmp(until, today) < 0;
    }
    found.rule = xstrdup(rule);
    found.pattern = xstrdup(pattern);
    found.reason = xstrdup(reason);
    found.file = xstrdup(found.file);
    XGROW(s->items, s->n);
    s->items[s->n++] = found;
    return NULL;
}

char *suppressions_read(struct suppressions *s, const char *file, const char *today)
{
    FILE *in = fopen(file, "re");
    if (!in)
        return xasprintf("%s: cannot read the suppressions: %s", file, strerror(errno));
    char *text = NULL, *error = NULL;
    size_t room = 0;
    errno = 0;
    for (unsigned line = 1; !error && getline(&text, &room, in) >= 0; line++) {
        /* Some editors begin a file with a mark that says that it is UTF-8. */
        const bool marked = line == 1 && strncmp(text, UTF8_MARK, strlen(UTF8_MARK)) == 0;
        char *wrong = read_line(s, text + (marked ? strlen(UTF8_MARK) : 0), today,
                                (struct suppression){.file = (char *)file, .line = line});
        if (wrong)
            error = xasprintf("%s:%u: %s", file, line, wrong);
        free(wrong);
    }
    if (!error && ferror(in))
        error = xasprintf("%s: cannot read the suppressions: %s", file, strerror(errno));
    free(text);
    fclose(in);
    return error;
}

void suppressions_clear(struct suppressions *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->items[i].rule);
        free(s->items[i].pattern);
        free(s->items[i].reason);
        free(s->items[i].file);
    }
    free(s->items);
    *s = (struct suppressions){0};
}

/* "app+0x1234": what a frame without a name is called; to be freed. */
static char *spot_of(const struct finding_frame *f)
{
    const char *slash = strrchr(f->module, '/');
    return xasprintf("%s+0x%" PRIx64, slash ? slash + 1 : f->module, f->offset);
}

static bool spot_matches(const char *pattern, const struct finding_frame *f)
{
    if (f->function || !f->module)
        return false;
    char *spot = spot_of(f);
    bool matches = glob_match(pattern, spot);
    free(spot);
    return matches;
}

static bool frame_matches(const char *pattern, const struct finding_frame *f)
{
    return spot_matches(pattern, f) || (f->function && glob_match(pattern, f->function)) ||
           (f->file && glob_match_path(pattern, f->file)) ||
           (f->module && glob_match_path(pattern, f->module));
}

static bool any_frame_matches(const char *pattern, const struct finding *f)
{
    for (size_t i = 0; i < f->nstacks; i++)
        for (size_t k = 0; k < f->stacks[i].nframes; k++)
            if (frame_matches(pattern, &f->stacks[i].frames[k]))
                return true;
    /* A finding without a known place can only be named by its rule. */
    return strcmp(pattern, "*") == 0;
}

const struct suppression *suppressions_match(struct suppressions *s, const struct finding *f)
{
    for (size_t i = 0; i < s->n; i++) {
        struct suppression *one = &s->items[i];
        bool rule = strcmp(one->rule, "*") == 0 || strcmp(one->rule, f->rule->id) == 0;
        if (rule && !one->expired && any_frame_matches(one->pattern, f)) {
            one->used++;
            return one;
        }
    }
    return NULL;
}

char *suppression_for(const struct finding *f)
{
    const struct finding_frame *p = f->place;
    if (p && !p->function && !p->file && p->module) {
        char *spot = spot_of(p), *line = xasprintf("%s:%s", f->rule->id, spot);
        free(spot);
        return line;
    }
    return xasprintf("%s:%s", f->rule->id,
                     p && p->function ? p->function
                     : p && p->file   ? p->file
                                      : "*");
}
