/* path.c - see path.h. */
#include "analyzer/symbols/path.h"

#include <stdbool.h>
#include <string.h>

static bool is_up(const char *component, size_t length)
{
    return length == 2 && component[0] == '.' && component[1] == '.';
}

/* Where the last of the components that lie in `begin` to `end`, each with its slash, begins. */
static char *last_component(char *begin, char *end)
{
    char *at = end;
    while (at > begin && (at == end || at[-1] != '/'))
        at--;
    return at;
}

void path_collapse(char *path)
{
    char *begin = path + (path[0] == '/'), *out = begin;
    for (const char *at = begin; *at;) {
        size_t length = strcspn(at, "/"), whole = length + (at[length] == '/');
        char *last = last_component(begin, out);
        bool up_from_known =
            is_up(at, length) && out > begin && !is_up(last, (size_t)(out - last) - 1);
        if (up_from_known) {
            out = last;
        } else if (length > 0 && !(length == 1 && at[0] == '.')) {
            memmove(out, at, whole);
            out += whole;
        }
        at += whole;
    }
    *out = '\0';
}
