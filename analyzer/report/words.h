/*
 * words.h - amounts and foreign text, as every report writes them.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>
#include <stdint.h>

#define WORDS_MAX 64

/* "1.2 s", "24 MiB", "3 threads", "12.5/s". `unit` as in struct finding_cost. Returns `buf`. */
char *words_amount(char buf[WORDS_MAX], double amount, const char *unit);
char *words_duration(char buf[WORDS_MAX], double ns);
char *words_bytes(char buf[WORDS_MAX], double bytes);
/* "1 event", "2 events": `noun` with an s unless n is 1. */
char *words_count(char buf[WORDS_MAX], uint64_t n, const char *noun);

/* A copy that is valid UTF-8 and has no control characters: names and
 * command lines come from the program and go to terminals and documents. NULL gives NULL. */
char *words_clean(const char *text);

#endif
