/*
 * el_doc.c - el-doc PAGE: checks that the tables in docs/event-log.md are those of events.def and
 * kinds.def. el-doc --write PAGE puts them there.
 *
 * The page is prose, but for what stands between the two marks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eventlog/events.h"

#define PAGE_MOST (1 << 20)

static char page[PAGE_MOST];

static const char begin_mark[] = "<!-- tables: made by el-doc from events.def and kinds.def -->\n";
static const char end_mark[] = "<!-- end of tables -->\n";

static const char *const type_words[] = {
    [EL_TYPE_U32] = "u32", [EL_TYPE_I32] = "i32",  [EL_TYPE_U64] = "u64",
    [EL_TYPE_I64] = "i64", [EL_TYPE_STR] = "text", [EL_TYPE_SEQ64] = "list of u64",
};

static void print_event(FILE *out, const struct el_event_info *info)
{
    fprintf(out, "#### %s (%u)\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n", info->name,
            info->id, info->text);
    for (uint32_t i = 0; i < info->nfields; i++) {
        const struct el_field_info *field = &info->fields[i];
        fprintf(out, "| `%s` | %s", field->name, type_words[field->type]);
        if (field->count > 1)
            fprintf(out, "[%u]", field->count);
        fprintf(out, " | %s |\n", field->text);
    }
    fputc('\n', out);
}

static void print_class(FILE *out, enum el_class class)
{
    for (uint32_t i = 0; i < el_infos_count; i++) {
        if (el_infos[i].class == class)
            print_event(out, &el_infos[i]);
    }
}

static void print_kinds(FILE *out)
{
#define EL_ENUM_BEGIN(e)     fprintf(out, "#### %s\n\n| value | name | word |\n|---|---|---|\n", #e);
#define EL_VALUE(e, n, v, w) fprintf(out, "| %d | `EL_%s` | %s |\n", v, #n, w);
#define EL_ENUM_END(e)       fputc('\n', out);
#include "eventlog/kinds.def"
}

/* Prints the page with its tables as they must be; false when it has no marks. */
static bool render(FILE *out)
{
    const char *begin = strstr(page, begin_mark);
    const char *end = begin == NULL ? NULL : strstr(begin, end_mark);
    if (end == NULL)
        return false;
    fwrite(page, 1, (size_t)(begin - page) + strlen(begin_mark), out);
    fprintf(out, "\n### Events\n\n");
    print_class(out, EL_CLASS_EVENT);
    fprintf(out, "### Cells\n\n");
    print_class(out, EL_CLASS_CELL);
    fprintf(out, "### Values\n\n");
    print_kinds(out);
    fputs(end, out);
    return true;
}

/* Reads the whole page as a text; false with a message when that fails. */
static bool read_page(const char *path)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        return false;
    }
    size_t n = fread(page, 1, sizeof(page) - 1, in);
    fclose(in);
    if (n == sizeof(page) - 1)
        fprintf(stderr, "%s: longer than a page may be\n", path);
    return n < sizeof(page) - 1;
}

int main(int argc, char **argv)
{
    const int writes = argc == 3 && strcmp(argv[1], "--write") == 0;
    if (argc != 2 && !writes) {
        fprintf(stderr, "usage: el-doc [--write] PAGE\n");
        return 2;
    }
    const char *path = argv[argc - 1];
    if (!read_page(path))
        return 2;
    char *right = NULL;
    size_t n = 0;
    FILE *memory = open_memstream(&right, &n);
    if (memory == NULL || !render(memory) || fclose(memory) != 0) {
        fprintf(stderr, "%s: the marks of the tables are missing\n", path);
        return 2;
    }
    int differs = strcmp(page, right) != 0;
    if (differs && writes) {
        FILE *out = fopen(path, "w");
        if (out == NULL || fputs(right, out) < 0 || fclose(out) != 0) {
            perror(path);
            return 2;
        }
    } else if (differs) {
        fprintf(stderr,
                "%s: its tables are not those of events.def and kinds.def: run el-doc"
                " --write %s\n",
                path, path);
    }
    free(right);
    return differs && !writes;
}
