/*
 * print_text.c - a comparison for people. See compare_report.h.
 */
#include "analyzer/compare/cells.h"
#include "analyzer/compare/compare_report.h"
#include "analyzer/model/memory.h"

#define RED   "\033[1;31m"
#define GREEN "\033[1;32m"
#define DIM   "\033[2m"
#define RESET "\033[0m"

enum column { COLUMN_NAME, COLUMN_BEFORE, COLUMN_AFTER, COLUMN_CHANGE, COLUMNS };

struct line {
    char *cells[COLUMNS];
    const char *code; /* colour of the change */
};

/* Characters, not bytes: the text is valid UTF-8. */
static int width(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static struct line line_of(const struct comparison_row *r)
{
    return (struct line){.cells = {xstrdup(r->metric->name), cell_value(r, BEFORE),
                                   cell_value(r, AFTER), cell_change(r)},
                         .code = r->better > 0   ? GREEN
                                 : r->better < 0 ? RED
                                                 : ""};
}

static void print_line(FILE *out, const struct line *l, const int *widths, bool color)
{
    for (int k = 0; k < COLUMNS; k++) {
        bool last = k == COLUMNS - 1, coded = color && last && *l->code;
        fprintf(out, "%s%s%s", coded ? l->code : "", l->cells[k], coded ? RESET : "");
        if (!last)
            fprintf(out, "%*s", widths[k] - width(l->cells[k]) + 2, "");
    }
    fputc('\n', out);
}

static void print_table(FILE *out, const struct comparison *c, bool color)
{
    struct line *lines = xcalloc(c->nrows + 1, sizeof(*lines));
    int widths[COLUMNS] = {0};
    lines[0] = (struct line){
        .cells = {xstrdup("metric"), xstrdup("before"), xstrdup("after"), xstrdup("change")},
        .code = ""};
    for (size_t i = 0; i < c->nrows; i++)
        lines[i + 1] = line_of(&c->rows[i]);
    for (size_t i = 0; i <= c->nrows; i++)
        for (int k = 0; k < COLUMNS; k++)
            if (width(lines[i].cells[k]) > widths[k])
                widths[k] = width(lines[i].cells[k]);
    for (size_t i = 0; i <= c->nrows; i++) {
        print_line(out, &lines[i], widths, color);
        for (int k = 0; k < COLUMNS; k++)
            free(lines[i].cells[k]);
    }
    free(lines);
}

static void print_findings(FILE *out, const struct comparison *c, enum finding_fate fate,
                           bool color)
{
    size_t n = comparison_count(c, fate);
    const char *code = !n || fate == FINDING_KEPT ? "" : fate == FINDING_GONE ? GREEN : RED;
    bool coded = color && *code;
    fprintf(out, "%sfindings %s: %zu%s\n", coded ? code : "", fate_name(fate), n,
            coded ? RESET : "");
    for (size_t i = 0; i < c->nfindings; i++) {
        if (comparison_fate(&c->findings[i]) != fate)
            continue;
        char *text = cell_finding(c, &c->findings[i]);
        fprintf(out, "  %s\n", text);
        free(text);
    }
}

void compare_text(FILE *out, const struct comparison *c, bool color)
{
    for (int side = 0; side < SIDES; side++) {
        char *text = cell_side(c, (enum side)side);
        fprintf(out, "%s %s\n", side == BEFORE ? "before:" : "after: ", text);
        free(text);
    }
    fputc('\n', out);
    print_table(out, c, color);
    char *footnote = cell_footnote(c);
    fprintf(out, "%s%s%s\n\n", color ? DIM : "", footnote, color ? RESET : "");
    free(footnote);
    for (int fate = 0; fate < FINDING_FATES; fate++)
        print_findings(out, c, (enum finding_fate)fate, color);
    for (size_t i = 0; i < c->nwarnings; i++)
        fprintf(out, "loiter: warning: %s\n", c->warnings[i]);
    for (size_t i = 0; i < c->nbars; i++)
        if (c->bars[i].broken)
            fprintf(out, "%sloiter: worse than %s: %s%s\n", color ? RED : "", c->bars[i].bar.text,
                    c->bars[i].why, color ? RESET : "");
}
