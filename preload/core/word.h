/*
 * word.h - words of memory that the program waits for by itself, with the kernel's futex call:
 * std::future, GLib's and Rust's locks, locks of its own.
 *
 * Such a word may be a lock or what a lock is never: an answer, a signal. To wait for a lock with
 * another one held is how locks nest; to wait for an answer with a lock held is what makes others
 * wait. What tells a lock, or a semaphore that is used like one, is that whoever waited for it
 * wakes it afterwards. A place where that was seen once is taken for one that takes locks.
 *
 * Whether a word is a lock for which others queue is a stricter question, for workers that wait for
 * jobs may give each other jobs by the same word, and a word may count how many may go on. All who
 * wait for a lock expect the same value, which is not 0: that says of a count that nothing is left.
 * And from the end of a wait to the wake by the same thread it has the lock, so hardly anybody else
 * wakes it meanwhile. The object's cell tells: `capacity` is that value and 1, or UINT64_MAX if 0
 * or another one was expected; `items` is how often the word passed from one such thread to
 * another, less four for each turn in which somebody else gave it back.
 */
#ifndef PRELOAD_CORE_WORD_H
#define PRELOAD_CORE_WORD_H

#include <stdint.h>

#include "preload/core/gate.h"

/* Guard on. The calling thread has waited for the word as long as it was `expected`, at the place
 * `stack`. */
PL_HIDDEN void pl_word_waited(struct pl_self *self, uint64_t word, uint32_t expected,
                              uint32_t stack);

/* Guard on. The calling thread is about to wake who waits for the word. */
PL_HIDDEN void pl_word_wakes(struct pl_self *self, uint64_t word);

/* Does that place take locks, as far as was seen? */
PL_HIDDEN int pl_word_is_lock(uint32_t stack);

/* At the start and in a fork child. */
PL_HIDDEN void pl_words_reset(void);

#endif
