/*
 * symbols.c - see symbols.h. Keeps the images of the modules seen last.
 */
#include "analyzer/symbols/symbols.h"

#include "analyzer/model/memory.h"
#include "analyzer/model/model.h"
#include "analyzer/rules/finding.h"
#include "analyzer/symbols/app.h"
#include "analyzer/symbols/image.h"
#include "analyzer/symbols/locate.h"

/* Open files at once, and modules remembered; a program with more is served, more slowly. */
#define IMAGES_OPEN_MAX 48
#define MODULES_MAX     4096
#define NOTES_MAX       32

#define NO_DEBUG " has no debug information"

/* A module of the log, whether or not it could be opened. */
struct known_module {
    char *path, *build_id;
    char *file; /* to open, NULL when there is none */
    struct image *image;
    bool unusable; /* the file is no ELF file after all */
    bool with_weft, has_dwarf;
    bool stripped;    /* as frames showed that have no name */
    bool lacks_split; /* a .dwo file of a place in it is not there */
    uint64_t used;    /* for eviction: the value of `clock` then */
};

struct symbols {
    char **dirs;
    size_t ndirs;
    char *debug_path; /* for libdwfl */
    struct known_module *modules;
    size_t nmodules;
    size_t nopen;
    uint64_t clock;
    char **notes;
    size_t nnotes;
};

struct symbols *symbols_create(const char *const *debug_dirs, size_t ndirs)
{
    struct symbols *s = xcalloc(1, sizeof(*s));
    s->debug_path = xstrdup(":.debug:/usr/lib/debug");
    s->dirs = xcalloc(ndirs, sizeof(*s->dirs));
    for (s->ndirs = 0; s->ndirs < ndirs; s->ndirs++) {
        /* To libdwfl a relative path is one below the program's own directory. */
        char *dir = realpath(debug_dirs[s->ndirs], NULL);
        s->dirs[s->ndirs] = dir ? dir : xstrdup(debug_dirs[s->ndirs]);
        char *longer = xasprintf("%s:%s", s->debug_path, s->dirs[s->ndirs]);
        free(s->debug_path);
        s->debug_path = longer;
    }
    return s;
}

static void forget_module(struct symbols *s, struct known_module *m)
{
    if (m->image)
        s->nopen--;
    image_close(m->image);
    free(m->path);
    free(m->build_id);
    free(m->file);
}

static void forget_modules(struct symbols *s)
{
    for (size_t i = 0; i < s->nmodules; i++)
        forget_module(s, &s->modules[i]);
    free(s->modules);
    s->modules = NULL;
    s->nmodules = 0;
}

void symbols_destroy(struct symbols *s)
{
    if (!s)
        return;
    forget_modules(s);
    for (size_t i = 0; i < s->nnotes; i++)
        free(s->notes[i]);
    for (size_t i = 0; i < s->ndirs; i++)
        free(s->dirs[i]);
    free(s->notes);
    free(s->dirs);
    free(s->debug_path);
    free(s);
}

size_t symbols_notes(const struct symbols *s, const char *const **notes)
{
    *notes = (const char *const *)s->notes;
    return s->nnotes;
}

static void add_note(struct symbols *s, char *note)
{
    bool known = s->nnotes >= NOTES_MAX;
    for (size_t i = 0; i < s->nnotes && !known; i++)
        known = strcmp(s->notes[i], note) == 0;
    if (known) {
        free(note);
        return;
    }
    XGROW(s->notes, s->nnotes);
    s->notes[s->nnotes++] = note;
}

static void note_result(struct symbols *s, const struct known_module *m, enum locate_result r)
{
    if (r == LOCATE_MISMATCH)
        add_note(s, xasprintf("%s is not the file that ran (build-id %.16s), so its frames have "
                              "no names: give the original with --debug-dir DIR",
                              m->path, m->build_id));
    else if (r == LOCATE_MISSING)
        add_note(s, xasprintf("%s is not on this machine, so its frames have no names: analyze "
                              "where it ran, or give a copy of it with --debug-dir DIR "
                              "(build-id %s)",
                              m->path, m->build_id ? m->build_id : "none"));
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* The last one of that path. */
static struct known_module *find_module(const struct symbols *s, const char *path)
{
    for (size_t i = s->nmodules; i > 0; i--)
        if (same_text(s->modules[i - 1].path, path))
            return &s->modules[i - 1];
    return NULL;
}

static struct known_module *know_module(struct symbols *s, const struct model_module *mm)
{
    for (size_t i = 0; i < s->nmodules; i++)
        if (same_text(s->modules[i].path, mm->path) &&
            same_text(s->modules[i].build_id, mm->build_id))
            return &s->modules[i];
    if (s->nmodules == MODULES_MAX)
        forget_modules(s);
    XGROW(s->modules, s->nmodules);
    struct known_module *m = &s->modules[s->nmodules++];
    *m = (struct known_module){.path = xstrdup(mm->path), .build_id = xstrdup(mm->build_id)};
    enum locate_result r =
        locate_module((const char *const *)s->dirs, s->ndirs, m->path, m->build_id, &m->file);
    note_result(s, m, r);
    return m;
}

static void close_oldest(struct symbols *s)
{
    struct known_module *oldest = NULL;
    for (size_t i = 0; i < s->nmodules; i++)
        if (s->modules[i].image && (!oldest || s->modules[i].used < oldest->used))
            oldest = &s->modules[i];
    image_close(oldest->image);
    oldest->image = NULL;
    s->nopen--;
}

/* NULL when the module has no file that can be read. */
static struct image *open_image(struct symbols *s, struct known_module *m)
{
    m->used = ++s->clock;
    if (m->image || !m->file || m->unusable)
        return m->image;
    if (s->nopen == IMAGES_OPEN_MAX)
        close_oldest(s);
    m->image = image_open(m->file, s->debug_path);
    if (!m->image) {
        m->unusable = true;
        add_note(s,
                 xasprintf("%s is not a readable ELF file, so its frames have no names", m->file));
        return NULL;
    }
    s->nopen++;
    m->with_weft = image_defines(m->image, "weft_run");
    m->has_dwarf = image_has_dwarf(m->image);
    return m->image;
}

/* The module at that address. Stacks carry no time: what is still mapped goes before what is gone.
 */
static const struct model_module *module_at(const struct model_process *p, uint64_t address)
{
    const struct model_module *best = NULL;
    for (size_t i = 0; i < p->nmodules; i++) {
        const struct model_module *m = &p->modules[i];
        if (address >= m->lo && address < m->hi && (!best || m->until_ns >= best->until_ns))
            best = m;
    }
    return best;
}

struct naming {
    struct finding_stack *stack;
    const struct known_module *module; /* NULL for code outside every module */
    uint64_t address, offset;
};

static void add_frame(void *arg, const struct image_frame *frame)
{
    struct naming *n = arg;
    struct finding_stack *st = n->stack;
    XGROW(st->frames, st->nframes);
    struct finding_frame *f = &st->frames[st->nframes++];
    *f = (struct finding_frame){.address = n->address,
                                .function = xstrdup(frame->function),
                                .file = xstrdup(frame->file),
                                .line = frame->line,
                                .module = n->module ? xstrdup(n->module->path) : NULL,
                                .offset = n->offset,
                                .inlined = frame->inlined};
    f->in_app = app_frame(f, n->module && n->module->with_weft);
}

static void name_address(struct symbols *s, const struct model_process *p, struct finding_stack *st,
                         uint64_t address)
{
    /* A return address can be the first byte of the next function: look at the call itself. */
    uint64_t call = address ? address - 1 : 0;
    const struct model_module *mm = module_at(p, call);
    struct naming n = {.stack = st, .address = address};
    unsigned found = 0;
    if (mm) {
        struct known_module *m = know_module(s, mm);
        /* The wrapper is not part of the program's story. */
        if (st->nframes == 0 && app_is_loiter(m->path))
            return;
        struct image *im = open_image(s, m);
        n.module = m;
        n.offset = call - mm->bias;
        found = im ? image_lookup(im, n.offset, add_frame, &n) : 0;
        m->lacks_split = im && image_lacks_split(im);
    }
    if (!found)
        add_frame(&n, &(struct image_frame){0});
}

static void clear_frames(struct finding_stack *st)
{
    for (size_t i = 0; i < st->nframes; i++) {
        free(st->frames[i].function);
        free(st->frames[i].file);
        free(st->frames[i].module);
    }
    free(st->frames);
    st->frames = NULL;
    st->nframes = 0;
}

static bool called_by_libc(const struct finding_frame *f)
{
    return f->function && strncmp(f->function, "__libc_start", 12) == 0;
}

/* The frame that starts a program is known by its name; in a stripped one, by whom it called. */
static void mark_entry(struct finding_stack *st)
{
    for (size_t i = 1; i < st->nframes; i++)
        if (!st->frames[i].function && called_by_libc(&st->frames[i - 1]))
            st->frames[i].in_app = false;
}

/* Of a module without names nothing needs to be said of lines. */
static void note_stripped(struct symbols *s, const char *module, const char *id)
{
    size_t length = strlen(module);
    for (size_t i = 0; i < s->nnotes; i++) {
        if (strncmp(s->notes[i], module, length) != 0 ||
            strncmp(s->notes[i] + length, NO_DEBUG, strlen(NO_DEBUG)) != 0)
            continue;
        free(s->notes[i]);
        s->notes[i] = s->notes[--s->nnotes];
        break;
    }
    add_note(s,
             xasprintf("%s is stripped, so functions of it are places in the file, but for those "
                       "that it exports: build it with -g and do not strip it, or give what was "
                       "split off with --debug-dir DIR or DEBUGINFOD_URLS (build-id %s)",
                       module, id));
}

/* What the program's own frames lack, and where it may be had. */
static void note_lacks(struct symbols *s, const struct finding_stack *st)
{
    for (size_t i = 0; i < st->nframes; i++) {
        const struct finding_frame *f = &st->frames[i];
        struct known_module *m = f->in_app ? find_module(s, f->module) : NULL;
        if (m && m->lacks_split)
            add_note(s, xasprintf("%s: a .dwo file of it is not where the compiler wrote it, so "
                                  "inlined calls are not known: keep these files (a .dwp "
                                  "of them is not read)",
                                  f->module));
        if (!m || !m->file || m->unusable || (f->function && (f->file || m->has_dwarf)))
            continue;
        const char *id = m->build_id ? m->build_id : "none";
        if (f->function && !m->stripped)
            add_note(s, xasprintf("%s" NO_DEBUG ", so its files, lines and inlined "
                                  "calls are not known: build it with -g, or give what was split "
                                  "off with --debug-dir DIR or DEBUGINFOD_URLS (build-id %s)",
                                  f->module, id));
        else if (!f->function && !m->has_dwarf) {
            m->stripped = true;
            note_stripped(s, f->module, id);
        }
    }
}

void symbols_name(struct symbols *s, struct finding *f)
{
    for (size_t i = 0; i < f->nstacks; i++) {
        const struct model_stack *ms = model_find_stack(f->process, f->stacks[i].stack);
        clear_frames(&f->stacks[i]);
        for (uint32_t k = 0; ms && k < ms->depth; k++)
            name_address(s, f->process, &f->stacks[i], ms->frames[k]);
        mark_entry(&f->stacks[i]);
        note_lacks(s, &f->stacks[i]);
    }
}

void symbols_name_all(struct symbols *s, struct findings *all)
{
    for (size_t i = 0; i < all->n; i++) {
        symbols_name(s, all->items[i]);
        finding_settle(all->items[i]);
    }
}
