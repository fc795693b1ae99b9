/*
 * print_markdown.c - a comparison for a pull request. See compare_report.h.
 */
#include "analyzer/compare/cells.h"
#include "analyzer/compare/compare_report.h"
#include "analyzer/model/memory.h"

/* Nothing that the program named becomes markup, a mention or a column. */
static void print_escaped(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '@')
            fputs("@\u200b", out);
        else if (strchr("\\`*_{}[]<>|#~&", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void print_cell(FILE *out, char *text, const char *around)
{
    fprintf(out, " %s", *text ? around : "");
    print_escaped(out, text);
    fprintf(out, "%s |", *text ? around : "");
    free(text);
}

static void print_table(FILE *out, const struct comparison *c)
{
    fputs("| metric | before | after | change |\n|---|--:|--:|--:|\n", out);
    for (size_t i = 0; i < c->nrows; i++) {
        const struct comparison_row *r = &c->rows[i];
        fputc('|', out);
        print_cell(out, xstrdup(r->metric->name), "");
        print_cell(out, cell_value(r, BEFORE), "");
        print_cell(out, cell_value(r, AFTER), "");
        print_cell(out, cell_change(r), r->better ? "**" : "");
        fputc('\n', out);
    }
}

static void print_findings(FILE *out, const struct comparison *c, enum finding_fate fate)
{
    size_t n = comparison_count(c, fate);
    if (!n)
        return;
    fprintf(out, "\n**%zu %s %s**\n\n", n, n == 1 ? "finding" : "findings", fate_name(fate));
    for (size_t i = 0; i < c->nfindings; i++) {
        if (comparison_fate(&c->findings[i]) != fate)
            continue;
        char *text = cell_finding(c, &c->findings[i]);
        fputs("- ", out);
        print_escaped(out, text);
        fputc('\n', out);
        free(text);
    }
}

static void print_verdict(FILE *out, const struct comparison *c)
{
    for (size_t i = 0; i < c->nbars; i++) {
        if (!c->bars[i].broken)
            continue;
        fputs("**Worse than ", out);
        print_escaped(out, c->bars[i].bar.text);
        fputs("**: ", out);
        print_escaped(out, c->bars[i].why);
        fputs("\n\n", out);
    }
}

void compare_markdown(FILE *out, const struct comparison *c)
{
    fputs("### Loiter: before and after\n\n", out);
    print_verdict(out, c);
    for (int side = 0; side < SIDES; side++) {
        char *text = cell_side(c, (enum side)side);
        fprintf(out, "- %s: ", side == BEFORE ? "before" : "after");
        print_escaped(out, text);
        fputc('\n', out);
        free(text);
    }
    fputc('\n', out);
    print_table(out, c);
    char *footnote = cell_footnote(c);
    fputs("\n<sub>", out);
    print_escaped(out, footnote);
    fputs("</sub>\n", out);
    free(footnote);
    for (int fate = 0; fate < FINDING_FATES; fate++)
        print_findings(out, c, (enum finding_fate)fate);
    for (size_t i = 0; i < c->nwarnings; i++) {
        fputs(i ? "- " : "\nWarnings:\n\n- ", out);
        print_escaped(out, c->warnings[i]);
        fputc('\n', out);
    }
}
