/*
 * words.h - amounts and foreign text, as every report writes them.
 */
#ifndef REPORT_WORDS_H
#define REPORT_WORDS_H

#include <stddef.h>
#include <stdint.h>

#define REPORT_WORDS_MAX 64

struct finding_cost;

/* "1.2 s", "24 MiB", "3 threads", "12.5/s". `unit` as in struct finding_cost. Returns `buf`. */
char *report_amount(char buf[REPORT_WORDS_MAX], double amount, const char *unit);
char *report_duration(char buf[REPORT_WORDS_MAX], double ns);
char *report_bytes(char buf[REPORT_WORDS_MAX], double bytes);
/* "longest wait: 1.2 s", "threads leaked: 3"; to be freed. */
char *report_cost(const struct finding_cost *c);
/* "1 event", "2 events": `noun` with an s unless n is 1. */
char *report_count(char buf[REPORT_WORDS_MAX], uint64_t n, const char *noun);

/* A copy that is valid UTF-8 and has no control characters: names and
 * command lines come from the program and go to terminals and documents. NULL gives NULL. */
char *report_clean(const char *text);

#endif
