/*
 * words.c - see words.h.
 */
#include "analyzer/report/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

#include "analyzer/model/memory.h"
#include "analyzer/rules/finding.h"

/* Three significant digits, and no more than one point of precision beyond whole numbers. */
static char *scaled(char buf[REPORT_WORDS_MAX], double value, const char *unit)
{
    bool whole = value >= 100 || fabs(value - round(value)) <= 0.005 * value;
    snprintf(buf, REPORT_WORDS_MAX, "%.*f %s", whole ? 0 : value < 10 ? 2 : 1, value, unit);
    return buf;
}

char *report_duration(char buf[REPORT_WORDS_MAX], double ns)
{
    if (ns < 1e3)
        return scaled(buf, ns, "ns");
    if (ns < 1e6)
        return scaled(buf, ns / 1e3, "us");
    if (ns < 1e9)
        return scaled(buf, ns / 1e6, "ms");
    if (ns < 600e9)
        return scaled(buf, ns / 1e9, "s");
    if (ns < 7200e9)
        return scaled(buf, ns / 60e9, "min");
    return scaled(buf, ns / 3600e9, "h");
}

char *report_bytes(char buf[REPORT_WORDS_MAX], double bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;
    for (; bytes >= 1024 && i + 1 < sizeof(units) / sizeof(units[0]); i++)
        bytes /= 1024;
    return scaled(buf, bytes, units[i]);
}

/* Units are plurals: "tasks". */
static void counted(char buf[REPORT_WORDS_MAX], const char *number, double amount, const char *unit)
{
    size_t n = strlen(unit);
    bool one = fabs(amount - 1) < 1e-9 && n > 1 && unit[n - 1] == 's';
    snprintf(buf, REPORT_WORDS_MAX, "%s %.*s", number, (int)(n < 24 ? n - one : 24), unit);
}

char *report_amount(char buf[REPORT_WORDS_MAX], double amount, const char *unit)
{
    char number[32];
    if (strcmp(unit, "ns") == 0)
        return report_duration(buf, amount);
    if (strcmp(unit, "bytes") == 0)
        return report_bytes(buf, amount);
    if (strcmp(unit, "bytes/s") == 0) {
        report_bytes(buf, amount);
        size_t n = strlen(buf);
        snprintf(buf + n, REPORT_WORDS_MAX - n, "/s");
        return buf;
    }
    bool whole = fabs(amount - round(amount)) < 1e-9;
    snprintf(number, sizeof(number), "%.*f",
             whole || fabs(amount) >= 100 ? 0
             : fabs(amount) < 10          ? 2
                                          : 1,
             amount);
    if (strncmp(unit, "1/", 2) == 0)
        snprintf(buf, REPORT_WORDS_MAX, "%s%.24s", number, unit + 1);
    else if (!*unit)
        snprintf(buf, REPORT_WORDS_MAX, "%s", number);
    else if (strcmp(unit, "%") == 0)
        snprintf(buf, REPORT_WORDS_MAX, "%s%%", number);
    else
        counted(buf, number, amount, unit);
    return buf;
}

char *report_cost(const struct finding_cost *c)
{
    char amount[REPORT_WORDS_MAX];
    /* "calls: 20" and not "calls: 20 calls". */
    bool said = *c->unit && strncmp(c->what, c->unit, strlen(c->unit)) == 0;
    return xasprintf("%s: %s", c->what, report_amount(amount, c->amount, said ? "" : c->unit));
}

char *report_count(char buf[REPORT_WORDS_MAX], uint64_t n, const char *noun)
{
    snprintf(buf, REPORT_WORDS_MAX, "%" PRIu64 " %s%s", n, noun, n == 1 ? "" : "s");
    return buf;
}

/* Length of the valid UTF-8 sequence at `s`, 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] > 0x9f;
    bool beyond = s[0] == 0xf4 && s[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : n;
}

char *report_clean(const char *text)
{
    if (!text)
        return NULL;
    /* A bad byte becomes three: U+FFFD. */
    char *clean = xcalloc(3 * strlen(text) + 1, 1), *to = clean;
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t n = utf8_length(s);
        bool control = *s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && n == 2 && s[1] < 0xa0);
        if (n && control && (*s == '\t' || *s == '\n')) {
            *to++ = ' ';
        } else if (n && !control) {
            memcpy(to, s, n);
            to += n;
        } else {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
        }
        s += n ? n : 1;
    }
    return clean;
}
