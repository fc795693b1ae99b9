/* json_text.h - foreign text as a JSON value. */
#ifndef REPORT_JSON_TEXT_H
#define REPORT_JSON_TEXT_H

#include <jansson.h>

/* A string, made valid as report_clean does it; null for NULL. */
json_t *report_json_text(const char *s);

#endif
