/* words.h - numbers, times and actors in words, for the texts of findings. No rule, no judgement.
 */
#ifndef RULES_WORDS_H
#define RULES_WORDS_H

#include "analyzer/model/model.h"

/* Texts of the length of a few words; returned by value so that several fit into one printf. */
struct words {
    char text[96];
};

/* "850 us", "12 ms", "3.4 s", "2 min" */
struct words words_duration(uint64_t ns);
/* "512 bytes", "64 KiB", "1.5 GiB" */
struct words words_bytes(double bytes);
/* "thread 3", "task 12", "task 12 \"reader\"", "the main thread", "the main task" */
struct words words_actor(const struct model_process *p, uint64_t id);
/* What it does now: "has ended", "ended 1.2 s before the end", "waits for a mutex itself", ... */
struct words words_actor_state(const struct model_process *p, uint64_t id);
/* "1 task", "12 threads" */
struct words words_count(uint64_t n, const char *one, const char *many);
/* What a reader calls it: "timer" of "task timer"; the stacks tell whose it is. */
const char *words_plain(const char *kind);
/* "a mutex", "an interval timer" */
struct words words_a(const char *noun);
/* "to send on a channel", "for a mutex", "to join a thread", ... */
const char *words_wait(enum el_wait_kind kind);

#endif
