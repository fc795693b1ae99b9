/*
 * image.c - see image.h. Which compilation unit covers an address is cu_index.c's part.
 */
#include "analyzer/symbols/image.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>

#include "analyzer/model/memory.h"
#include "analyzer/symbols/cu_index.h"
#include "analyzer/symbols/demangle.h"
#include "analyzer/symbols/path.h"
#include "analyzer/symbols/scopes.h"

/* A frame expands into at most so many inlined calls. */
#define INLINES_MAX 32

struct image {
    bool lacks_split;
    Dwfl *dwfl;
    Dwfl_Module *module;
    Dwfl_Callbacks callbacks;
    char *debug_path;
    Dwarf_Addr bias; /* address in libdwfl minus address in the file */
    struct cu_index *cus;
};

static int no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
                  char **file_name, Elf **elf)
{
    (void)mod, (void)userdata, (void)name, (void)base, (void)file_name, (void)elf;
    return -1;
}

struct image *image_open(const char *file, char *debug_path)
{
    struct image *im = xcalloc(1, sizeof(*im));
    im->debug_path = debug_path;
    im->callbacks = (Dwfl_Callbacks){.find_elf = no_elf,
                                     .find_debuginfo = dwfl_standard_find_debuginfo,
                                     .section_address = dwfl_offline_section_address,
                                     .debuginfo_path = &im->debug_path};
    elf_version(EV_CURRENT);
    im->dwfl = dwfl_begin(&im->callbacks);
    if (!im->dwfl)
        goto fail;
    dwfl_report_begin(im->dwfl);
    im->module = dwfl_report_offline(im->dwfl, file, file, -1);
    dwfl_report_end(im->dwfl, NULL, NULL);
    if (!im->module || !dwfl_module_getelf(im->module, &im->bias))
        goto fail;
    return im;
fail:
    image_close(im);
    return NULL;
}

void image_close(struct image *im)
{
    if (!im)
        return;
    cu_index_destroy(im->cus);
    if (im->dwfl)
        dwfl_end(im->dwfl);
    free(im);
}

bool image_has_dwarf(struct image *im)
{
    Dwarf_Addr bias;
    return dwfl_module_getdwarf(im->module, &bias) != NULL;
}

bool image_lacks_split(const struct image *im)
{
    return im->lacks_split;
}

/* ---- names ---- */

/* The entry in which the function was declared: an inlined or out-of-line copy points to it. */
static Dwarf_Die declaration_of(Dwarf_Die die)
{
    static const unsigned ways[] = {DW_AT_abstract_origin, DW_AT_specification};
    for (unsigned steps = 0; steps < 4; steps++) {
        Dwarf_Attribute attr;
        Dwarf_Die next;
        bool moved = false;
        for (size_t i = 0; i < 2 && !moved; i++)
            moved = dwarf_attr(&die, ways[i], &attr) && dwarf_formref_die(&attr, &next);
        if (!moved)
            break;
        die = next;
    }
    return die;
}

/* "outer::inner" from the scopes around it: for functions without a linkage name, as lambdas. */
static char *scoped_name(Dwarf_Die *die, const char *name)
{
    Dwarf_Die declaration = declaration_of(*die), *scopes = NULL;
    char *full = xstrdup(name);
    int n = dwarf_getscopes_die(&declaration, &scopes);
    for (int i = 1; i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        const char *outer = dwarf_diename(&scopes[i]);
        if (!outer || (tag != DW_TAG_namespace && tag != DW_TAG_structure_type &&
                       tag != DW_TAG_class_type && tag != DW_TAG_subprogram))
            continue;
        char *longer = xasprintf("%s::%s", outer, full);
        free(full);
        full = longer;
    }
    free(scopes);
    return full;
}

static char *die_name(Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    const char *linkage = NULL;
    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attr) ||
        dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attr))
        linkage = dwarf_formstring(&attr);
    if (linkage && linkage[0] == '_' && (linkage[1] == 'Z' || linkage[1] == 'R'))
        return demangle(linkage);
    const char *name = dwarf_diename(die);
    return name ? scoped_name(die, name) : NULL;
}

static char *symbol_name(struct image *im, uint64_t address)
{
    GElf_Off offset;
    GElf_Sym sym;
    const char *name =
        dwfl_module_addrinfo(im->module, address + im->bias, &offset, &sym, NULL, NULL, NULL);
    if (!name || !*name)
        return NULL;
    /* A symbol of known size that ends before the address is its neighbour, not its function. */
    if (sym.st_size != 0 && offset >= sym.st_size)
        return NULL;
    return demangle(name);
}

bool image_defines(struct image *im, const char *symbol)
{
    int n = dwfl_module_getsymtab(im->module);
    for (int i = 0; i < n; i++) {
        GElf_Sym sym;
        const char *name = dwfl_module_getsym(im->module, i, &sym, NULL);
        if (name && sym.st_shndx != SHN_UNDEF && strcmp(name, symbol) == 0)
            return true;
    }
    return false;
}

/* ---- units ---- */

/* With split DWARF the program has the unit with the lines and the compiler's directory, a .dwo
 * file the one with the functions; else both are one. */
struct unit {
    Dwarf_Die lines, code;
    bool lacks_split; /* the .dwo file is not where the compiler wrote it */
};

static struct unit unit_of(Dwarf_Die *cu)
{
    struct unit unit = {.lines = *cu, .code = *cu};
    uint8_t type = DW_UT_compile;
    Dwarf_Die split = {0};
    if (dwarf_cu_info(cu->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) != 0 ||
        type != DW_UT_skeleton)
        return unit;
    unit.lacks_split = dwarf_tag(&split) == DW_TAG_invalid;
    if (!unit.lacks_split)
        unit.code = split;
    return unit;
}

/* ---- source places ---- */

/* Names of files are relative to the directory in which the compiler ran, or absolute. */
static char *source_path(Dwarf_Die *cu, const char *file)
{
    if (!file)
        return NULL;
    Dwarf_Attribute attr;
    const char *dir = NULL;
    if (file[0] != '/' && dwarf_attr(cu, DW_AT_comp_dir, &attr))
        dir = dwarf_formstring(&attr);
    char *path = dir ? xasprintf("%s/%s", dir, file) : xstrdup(file);
    path_collapse(path);
    return path;
}

static unsigned die_unsigned(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attr;
    Dwarf_Word value;
    if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value) != 0)
        return 0;
    return (unsigned)value;
}

static char *call_file(struct unit *unit, Dwarf_Die *inlined)
{
    Dwarf_Files *files;
    size_t nfiles;
    unsigned index = die_unsigned(inlined, DW_AT_call_file);
    if (dwarf_getsrcfiles(&unit->code, &files, &nfiles) != 0 || index >= nfiles)
        return NULL;
    return source_path(&unit->lines, dwarf_filesrc(files, index, NULL, NULL));
}

/* ---- frames ---- */

struct walk {
    image_frame_fn fn;
    void *arg;
    unsigned frames;
    char *file; /* the place reached so far, from the innermost outwards */
    unsigned line;
};

/* Gives a frame at the present place; takes `function` over. */
static void emit(struct walk *w, char *function, bool inlined)
{
    w->fn(w->arg, &(struct image_frame){function, w->file, w->line, inlined});
    w->frames++;
    free(function);
}

static void innermost_place(struct walk *w, Dwarf_Die *cu, Dwarf_Addr pc)
{
    Dwarf_Line *line = dwarf_getsrc_die(cu, pc);
    int number = 0;
    if (!line)
        return;
    w->file = source_path(cu, dwarf_linesrc(line, NULL, NULL));
    if (dwarf_lineno(line, &number) == 0 && number > 0)
        w->line = (unsigned)number;
}

/* A header's thin wrapper (__attribute__((artificial))): the program's call of it is the place. */
static bool is_artificial(const Dwarf_Die *die)
{
    Dwarf_Die declaration = declaration_of(*die);
    return dwarf_hasattr(&declaration, DW_AT_artificial);
}

/* Walks from the innermost scope outwards: each inlined call is a frame, and its call place is
 * where the next one stands. True when it met the function that contains them all. */
static bool walk_scopes(struct walk *w, struct unit *unit, struct scopes *scopes)
{
    for (size_t i = scopes->n; i > 0 && w->frames < INLINES_MAX; i--) {
        Dwarf_Die *scope = &scopes->at[i - 1];
        int tag = dwarf_tag(scope);
        if (tag == DW_TAG_inlined_subroutine) {
            if (!is_artificial(scope))
                emit(w, die_name(scope), true);
            free(w->file);
            w->file = call_file(unit, scope);
            w->line = die_unsigned(scope, DW_AT_call_line);
        } else if (tag == DW_TAG_subprogram || tag == DW_TAG_entry_point) {
            char *name = die_name(scope);
            if (!name)
                return false;
            emit(w, name, false);
            return true;
        }
    }
    return false;
}

unsigned image_lookup(struct image *im, uint64_t address, image_frame_fn fn, void *arg)
{
    struct walk w = {.fn = fn, .arg = arg};
    Dwarf_Addr bias = 0;
    bool complete = false;
    Dwarf_Die indexed, *cu = dwfl_module_addrdie(im->module, address + im->bias, &bias);
    if (!cu) {
        if (!im->cus)
            im->cus = cu_index_create(dwfl_module_getdwarf(im->module, &bias));
        if (cu_index_find(im->cus, address, &indexed))
            cu = &indexed;
    }
    if (cu) {
        Dwarf_Addr pc = cu == &indexed ? address : address + im->bias - bias;
        struct unit unit = unit_of(cu);
        struct scopes scopes = {.n = 0};
        im->lacks_split = im->lacks_split || unit.lacks_split;
        innermost_place(&w, cu, pc);
        scopes_find(&scopes, &unit.code, pc);
        complete = walk_scopes(&w, &unit, &scopes);
    }
    if (!complete) {
        char *name = symbol_name(im, address);
        if (name || w.file)
            emit(&w, name, false);
    }
    free(w.file);
    return w.frames;
}
