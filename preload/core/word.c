/* word.c - see word.h. */
#include "preload/core/word.h"

#include <stdatomic.h>

#include "preload/core/actor.h"

/* Of places that share an entry the last one is known. */
static _Atomic uint32_t locks[256];

static _Atomic uint32_t *entry_of(uint32_t stack)
{
    return &locks[(stack * 0x9e3779b1u) >> 24];
}

void pl_words_reset(void)
{
    for (unsigned i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        atomic_store_explicit(&locks[i], 0, memory_order_relaxed);
}

int pl_word_is_lock(uint32_t stack)
{
    return stack != 0 && atomic_load_explicit(entry_of(stack), memory_order_relaxed) == stack;
}

void pl_word_waited(const struct pl_self *self, uint64_t word, uint32_t stack)
{
    struct pl_thread *thread = self->thread;
    const uint32_t last = thread->word_last;
    if (thread->words[last].word != word)
        thread->word_last = (last + 1) % PL_WORDS;
    thread->words[thread->word_last] = (struct pl_word){word, stack};
}

void pl_word_wakes(const struct pl_self *self, uint64_t word)
{
    struct pl_word *words = self->thread->words;
    for (unsigned i = 0; i < PL_WORDS; i++) {
        if (words[i].word != word || words[i].stack == 0)
            continue;
        atomic_store_explicit(entry_of(words[i].stack), words[i].stack, memory_order_relaxed);
        words[i] = (struct pl_word){0, 0};
    }
}
