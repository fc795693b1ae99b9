/* word.c - see word.h. */
#include "preload/core/word.h"

#include <stdatomic.h>

#include "preload/core/actor.h"
#include "preload/core/clock.h"
#include "preload/core/contention.h"
#include "preload/core/object.h"

#define READ(field)         atomic_load_explicit(&(field), memory_order_relaxed)
#define WRITE(field, value) atomic_store_explicit(&(field), value, memory_order_relaxed)

/* Of places that share an entry the last one is known. */
static _Atomic uint32_t locks[256];

static _Atomic uint32_t *entry_of(uint32_t stack)
{
    return &locks[(stack * 0x9e3779b1u) >> 24];
}

/* Who had a word last, as far as was seen. Of words that share an entry the last one is known;
 * where two threads write one at once, it may be of both, and a turn is told wrong. */
struct turn {
    _Atomic uint64_t word, holder, until;
    _Atomic uint32_t stack; /* where it waited for it */
};
static struct turn turns[256];

void pl_words_reset(void)
{
    for (unsigned i = 0; i < sizeof(locks) / sizeof(locks[0]); i++)
        atomic_store_explicit(&locks[i], 0, memory_order_relaxed);
    for (unsigned i = 0; i < sizeof(turns) / sizeof(turns[0]); i++)
        atomic_store_explicit(&turns[i].word, 0, memory_order_relaxed);
}

int pl_word_is_lock(uint32_t stack)
{
    return stack != 0 && atomic_load_explicit(entry_of(stack), memory_order_relaxed) == stack;
}

static struct turn *turn_of(uint64_t word)
{
    return &turns[word * UINT64_C(0x9e3779b97f4a7c15) >> 56];
}

static void is_no_lock(struct el_object *cell)
{
    __atomic_store_n(&cell->capacity, UINT64_MAX, __ATOMIC_RELAXED);
}

static void expects(struct el_object *cell, uint32_t value)
{
    const uint64_t known = __atomic_load_n(&cell->capacity, __ATOMIC_RELAXED);
    if (value == 0)
        is_no_lock(cell);
    else if (known == 0)
        __atomic_store_n(&cell->capacity, (uint64_t)value + 1, __ATOMIC_RELAXED);
    else if (known != (uint64_t)value + 1)
        is_no_lock(cell);
}

void pl_word_waited(struct pl_self *self, uint64_t word, uint32_t expected, uint32_t stack)
{
    struct pl_thread *thread = self->thread;
    const uint32_t last = thread->word_last;
    const struct pl_object *o = pl_object_recent(self, word);
    if (o != NULL && o->cell->kind == EL_OBJ_FUTEX)
        expects(o->cell, expected);
    if (thread->words[last].word != word)
        thread->word_last = (last + 1) % PL_WORDS;
    thread->words[thread->word_last] = (struct pl_word){word, pl_now(), stack};
}

/* One that has been woken may get a lock only when another one, that came in between, has given it
 * back: a turn that seems to have begun before the last one was over speaks against a lock, but one
 * alone is no proof. */
#define OVERLAP 4u

static void count_turn(struct el_object *cell, const struct turn *last, const struct pl_word *word,
                       uint64_t actor)
{
    const uint64_t before = __atomic_load_n(&cell->items, __ATOMIC_RELAXED);
    if (word->at < READ(last->until))
        __atomic_store_n(&cell->items, before > OVERLAP ? before - OVERLAP : 0, __ATOMIC_RELAXED);
    else
        el_count(&cell->items, READ(last->holder) != actor);
}

/* The thread had the word from the end of its wait until now. */
static void had(struct pl_self *self, const struct pl_word *word, uint64_t now)
{
    struct turn *turn = turn_of(word->word);
    const struct pl_object *o = pl_object_recent(self, word->word);
    if (o == NULL || o->cell->kind != EL_OBJ_FUTEX)
        return;
    if (READ(turn->word) == word->word)
        count_turn(o->cell, turn, word, self->actor->id);
    WRITE(turn->word, word->word);
    WRITE(turn->holder, self->actor->id);
    WRITE(turn->until, now);
    WRITE(turn->stack, word->stack);
    pl_contention_had(word->stack, now - word->at, now);
}

/* Who took a lock at once wakes it too, if somebody has come to wait for it since. */
static void had_at_once(uint64_t word)
{
    struct turn *turn = turn_of(word);
    const uint32_t stack = READ(turn->stack);
    if (READ(turn->word) != word || stack == 0)
        return;
    WRITE(turn->until, pl_now());
    pl_contention_had_too(stack);
}

void pl_word_wakes(struct pl_self *self, uint64_t word)
{
    struct pl_word *words = self->thread->words;
    int waited = 0;
    for (unsigned i = 0; i < PL_WORDS; i++) {
        if (words[i].word != word || words[i].stack == 0)
            continue;
        waited = 1;
        atomic_store_explicit(entry_of(words[i].stack), words[i].stack, memory_order_relaxed);
        had(self, &words[i], pl_now());
        words[i] = (struct pl_word){0, 0, 0};
    }
    if (!waited)
        had_at_once(word);
}
