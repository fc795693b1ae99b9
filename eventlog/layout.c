/*
 * layout.c - see layout.h.
 *
 * The metadata is cut into words; a word is a name, a number, a quoted text or one punctuation
 * mark. An event is known by its name, a field by its name: so a record whose version has more or
 * fewer of either is read as far as both sides agree.
 */
#include "eventlog/layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct lexer {
    char *at, *end;
    char *word; /* the present word, NUL-terminated; "" at the end */
    char held;  /* what stood where its NUL is now */
    char *hole;
};

static void skip_blanks(struct lexer *x)
{
    while (x->at < x->end) {
        if (isspace((unsigned char)*x->at) || *x->at == '\0') {
            x->at++;
        } else if (x->at + 1 < x->end && x->at[0] == '/' && x->at[1] == '*') {
            char *close = memmem(x->at + 2, (size_t)(x->end - x->at - 2), "*/", 2);
            x->at = close == NULL ? x->end : close + 2;
        } else {
            return;
        }
    }
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Moves on to the next word; false at the end. The text has a spare byte behind its end. */
static bool next_word(struct lexer *x)
{
    if (x->hole != NULL)
        *x->hole = x->held;
    x->hole = NULL;
    skip_blanks(x);
    x->word = x->at;
    if (x->at >= x->end) {
        x->word = x->end;
        *x->end = '\0';
        return false;
    }
    if (*x->at == '"') {
        x->word = ++x->at;
        while (x->at < x->end && *x->at != '"')
            x->at++;
        *x->at = '\0';
        x->at += x->at < x->end;
        return true;
    }
    if (is_word_char(*x->at)) {
        while (x->at < x->end && is_word_char(*x->at))
            x->at++;
    } else {
        x->at++;
    }
    x->hole = x->at;
    x->held = *x->at;
    *x->at = '\0';
    return true;
}

/* The first character of the next word; the present word is given up. */
static char peek(struct lexer *x)
{
    if (x->hole != NULL)
        *x->hole = x->held;
    x->hole = NULL;
    skip_blanks(x);
    return x->at < x->end ? *x->at : '\0';
}

static bool is(const struct lexer *x, const char *word)
{
    return strcmp(x->word, word) == 0;
}

/* At `name`: reads `= value` and leaves the value as the present word. */
static bool value_follows(struct lexer *x)
{
    return next_word(x) && is(x, "=") && next_word(x);
}

static uint64_t number(const struct lexer *x)
{
    return strtoull(x->word, NULL, 0);
}

static int parse_uuid(const char *s, uint8_t uuid[16])
{
    int nibbles = 0;
    for (; *s != '\0' && nibbles < 32; s++) {
        if (*s == '-')
            continue;
        if (!isxdigit((unsigned char)*s))
            return -1;
        int v = isdigit((unsigned char)*s) ? *s - '0' : tolower((unsigned char)*s) - 'a' + 10;
        uuid[nibbles / 2] = (uint8_t)((uuid[nibbles / 2] << 4) | v);
        nibbles++;
    }
    return nibbles == 32 ? 0 : -1;
}

/* Offset of the field in the struct, and room there. */
static int32_t find_field(const struct el_event_info *info, const char *name, enum el_type type,
                          uint32_t *room)
{
    uint32_t offset = 0;
    *room = 0;
    if (info == NULL)
        return -1;
    for (uint32_t i = 0; i < info->nfields; i++) {
        const struct el_field_info *f = &info->fields[i];
        if (strcmp(f->name, name) == 0 && f->type == type) {
            *room = f->count;
            return (int32_t)offset;
        }
        offset += el_type_bytes(f->type) * f->count;
    }
    return -1;
}

static bool type_of(const char *word, enum el_type *type)
{
    static const struct {
        const char *word;
        enum el_type type;
    } types[] = {{"u32", EL_TYPE_U32},
                 {"i32", EL_TYPE_I32},
                 {"u64", EL_TYPE_U64},
                 {"i64", EL_TYPE_I64},
                 {"string", EL_TYPE_STR}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].word, word) == 0) {
            *type = types[i].type;
            return true;
        }
    return false;
}

/* A field name, kept while the lexer moves on. */
struct field_word {
    char name[64];
    enum el_type type;
    uint32_t count;
    bool sequence;
};

/* Reads `type name ;` or `type name [ n ] ;`, the type being the present word. */
static bool parse_field(struct lexer *x, struct field_word *f)
{
    *f = (struct field_word){.count = 1};
    if (!type_of(x->word, &f->type) || !next_word(x) || strlen(x->word) >= sizeof f->name)
        return false;
    strcpy(f->name, x->word);
    if (!next_word(x))
        return false;
    if (is(x, "[")) {
        if (!next_word(x))
            return false;
        if (isdigit((unsigned char)*x->word)) {
            uint64_t n = number(x);
            if (n == 0 || n > 1024)
                return false;
            f->count = (uint32_t)n;
        } else {
            f->sequence = true;
        }
        if (!next_word(x) || !is(x, "]") || !next_word(x))
            return false;
    }
    return is(x, ";");
}

static bool add_field(struct el_layout *l, const struct field_word *f)
{
    if (l->tail != EL_TAIL_NONE)
        return false;
    uint32_t room;
    if (f->type == EL_TYPE_STR) {
        l->tail = EL_TAIL_TEXT;
        l->tail_to = find_field(l->info, f->name, EL_TYPE_STR, &room);
        return true;
    }
    if (f->sequence) {
        /* Its count was taken for a field of its own: the last one so far. */
        if (f->type != EL_TYPE_U64 || l->nfields == 0 || l->fields[l->nfields - 1].bytes != 8)
            return false;
        l->nfields--;
        l->fixed -= 8;
        l->tail = EL_TAIL_SEQUENCE;
        l->tail_to = find_field(l->info, f->name, EL_TYPE_SEQ64, &room);
        return true;
    }
    if (l->nfields == EL_LAYOUT_FIELDS)
        return false;
    struct el_layout_field *to = &l->fields[l->nfields++];
    to->count = f->count;
    to->bytes = el_type_bytes(f->type);
    if (l->fixed % to->bytes != 0)
        return false;
    to->to = find_field(l->info, f->name, f->type, &room);
    to->copies = room < f->count ? room : f->count;
    l->fixed += to->bytes * f->count;
    return true;
}

/* `fields := struct { ... }`, at the word `fields`. */
static bool parse_fields(struct lexer *x, struct el_layout *l)
{
    while (next_word(x) && !is(x, "{"))
        if (is(x, ";") || is(x, "}"))
            return false;
    while (next_word(x) && !is(x, "}")) {
        struct field_word f;
        if (!parse_field(x, &f) || !add_field(l, &f))
            return false;
    }
    return is(x, "}");
}

static bool parse_event(struct lexer *x, struct el_metadata *m)
{
    struct el_layout *l = calloc(1, sizeof *l);
    uint64_t id = UINT64_MAX;
    bool ok = l != NULL && next_word(x) && is(x, "{");
    while (ok && next_word(x) && !is(x, "}")) {
        if (is(x, "name")) {
            ok = value_follows(x);
            if (ok)
                l->info = el_find_info_named(x->word);
        } else if (is(x, "id")) {
            ok = value_follows(x);
            id = ok ? number(x) : id;
        } else if (is(x, "fields")) {
            ok = parse_fields(x, l);
            l->defined = ok;
        }
    }
    ok = ok && is(x, "}") && id < 256 && m->layouts[id] == NULL && l->defined;
    if (!ok) {
        free(l);
        return false;
    }
    m->layouts[id] = l;
    return true;
}

enum el_read_error el_metadata_parse(struct el_metadata *m, char *text, size_t n)
{
    struct lexer x = {.at = text, .end = text + n};
    bool have_version = false, have_uuid = false;
    memset(m, 0, sizeof *m);
    while (next_word(&x)) {
        if (is(&x, "format_major")) {
            have_version = value_follows(&x);
            m->major = (uint32_t)number(&x);
        } else if (is(&x, "format_minor")) {
            value_follows(&x);
            m->minor = (uint32_t)number(&x);
        } else if (is(&x, "freq")) {
            value_follows(&x);
            m->hz = number(&x);
        } else if (is(&x, "uuid") && !have_uuid) {
            /* The packet header has a field of that name, which has no value. */
            if (next_word(&x) && is(&x, "=") && next_word(&x))
                have_uuid = parse_uuid(x.word, m->uuid) == 0;
        } else if (is(&x, "event") && have_version && m->major == EL_VERSION_MAJOR) {
            if (peek(&x) == '{' && !parse_event(&x, m))
                return EL_READ_BAD_METADATA;
        }
    }
    if (!have_version)
        return EL_READ_BAD_METADATA;
    if (m->major > EL_VERSION_MAJOR)
        return EL_READ_NEWER;
    return have_uuid && m->hz != 0 ? EL_READ_OK : EL_READ_BAD_METADATA;
}

void el_metadata_clear(struct el_metadata *m)
{
    for (size_t i = 0; i < 256; i++)
        free(m->layouts[i]);
    memset(m, 0, sizeof *m);
}
