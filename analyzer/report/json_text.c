/* json_text.c - see json_text.h. */
#include "analyzer/report/json_text.h"

#include <stdlib.h>

#include "analyzer/report/words.h"

json_t *report_json_text(const char *s)
{
    char *clean = report_clean(s);
    json_t *value = clean ? json_string(clean) : json_null();
    free(clean);
    return value;
}
