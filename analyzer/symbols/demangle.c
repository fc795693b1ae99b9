/*
 * demangle.c - see demangle.h. libiberty knows the Itanium, Rust legacy and Rust v0 schemes. It
 * also has the allocating functions of analyzer/model/memory.h, under the same names: those serve
 * here.
 */
#include "analyzer/symbols/demangle.h"

#include <libiberty/demangle.h>
#include <libiberty/libiberty.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Longer names are the product of a generator or an attack: the demangler recurses on them. */
#define MANGLED_MAX 4096

static bool is_mangled(const char *s)
{
    return (s[0] == '_' && (s[1] == 'Z' || s[1] == 'R')) || strncmp(s, "__Z", 3) == 0;
}

/* Length of the name without clone suffixes and version: the first '.' or '@' that is not at its
 * start ends it. Mangled names contain no '.', apart from Rust's legacy `..` escapes. */
static size_t plain_length(const char *s)
{
    size_t n = strcspn(s + 1, "@") + 1;
    for (size_t i = 1; i < n; i++) {
        if (s[i] != '.')
            continue;
        static const char *const suffixes[] = {".constprop.", ".part.", ".isra.", ".cold",
                                               ".lto_priv.",  ".llvm.", ".clone."};
        for (size_t k = 0; k < sizeof(suffixes) / sizeof(suffixes[0]); k++)
            if (strncmp(s + i, suffixes[k], strlen(suffixes[k])) == 0)
                return i;
    }
    return n;
}

char *demangle(const char *symbol)
{
    if (!*symbol)
        return xstrdup(symbol);
    char *plain = xstrndup(symbol, plain_length(symbol));
    if (!is_mangled(plain) || strlen(plain) > MANGLED_MAX)
        return plain;
    char *readable = cplus_demangle(plain, DMGL_AUTO | DMGL_ANSI);
    if (!readable)
        return plain;
    free(plain);
    return readable;
}
