/*
 * compare_report.h - the forms in which a comparison is told: text for people, Markdown for a pull
 * request, JSON (docs/schema/comparison-1.json).
 */
#ifndef COMPARE_REPORT_H
#define COMPARE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct comparison;

void compare_text(FILE *out, const struct comparison *c, bool color);
void compare_markdown(FILE *out, const struct comparison *c);
void compare_json(FILE *out, const struct comparison *c, const char *version);

#endif
