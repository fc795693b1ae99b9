/*
 * glob.c - see glob.h. Time is bounded by the product of the lengths: one star is remembered.
 */
#include "analyzer/gate/glob.h"

#include <stddef.h>

bool glob_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool glob_match_path(const char *pattern, const char *path)
{
    if (glob_match(pattern, path))
        return true;
    for (const char *p = path; *p; p++)
        if (*p == '/' && glob_match(pattern, p + 1))
            return true;
    return false;
}
