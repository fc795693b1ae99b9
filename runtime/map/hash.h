/*
 * Keys and values of maps: how keys are hashed and compared, and values copied.
 *
 * The hash multiplies words to 128 bits and folds them, from a seed that each map draws, so that
 * nobody outside can foresee which keys collide.
 */
#ifndef WEFT_MAP_HASH_H
#define WEFT_MAP_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct weft__keys {
    size_t size; /* of each key; 0: strings */
    uint64_t seed;
};

/* A key that is looked for. */
struct weft__key {
    const void *bytes;
    size_t size;
    uint64_t hash;
};

uint64_t weft__map_seed(void);

static inline uint64_t weft__mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t weft__word_at(const unsigned char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* Up to 8 bytes as a word; two sizes never give the same pair of size and word by chance alone. */
static inline uint64_t weft__short_word(const unsigned char *p, size_t size)
{
    uint64_t word = 0;
    if (size >= 4) {
        uint32_t low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + size - 4, 4);
        return (uint64_t)high << 32 | low;
    }
    for (size_t i = 0; i < size; i++)
        word = word << 8 | p[i];
    return word;
}

#define WEFT__ODD_1 UINT64_C(0x9e3779b97f4a7c15)
#define WEFT__ODD_2 UINT64_C(0xd6e8feb86659fd93)

static inline uint64_t weft__hash(const void *bytes, size_t size, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = seed ^ weft__mix(size + WEFT__ODD_2, seed | 1);
    size_t left = size;
    for (; left > 16; left -= 16, p += 16)
        h = weft__mix(weft__word_at(p) ^ WEFT__ODD_1, weft__word_at(p + 8) ^ h);
    uint64_t a, b = 0;
    if (left > 8) {
        a = weft__word_at(p);
        b = weft__word_at(p + left - 8);
    } else {
        a = left == 8 ? weft__word_at(p) : weft__short_word(p, left);
    }
    h = weft__mix(a ^ WEFT__ODD_1 ^ seed, b ^ h);
    return weft__mix(h ^ WEFT__ODD_2, WEFT__ODD_1);
}

/* Of a key of one word. Twice: after one multiplication keys that lie 2^n apart may fall together.
 */
static inline uint64_t weft__hash_word(const struct weft__keys *keys, uint64_t word)
{
    uint64_t h = weft__mix(word ^ keys->seed ^ WEFT__ODD_2, keys->seed | 1);
    return weft__mix(h ^ WEFT__ODD_1, WEFT__ODD_2);
}

static inline struct weft__key weft__key_of(const struct weft__keys *keys, const void *key)
{
    size_t size = keys->size;
    if (size == sizeof(uint64_t))
        return (struct weft__key){key, size, weft__hash_word(keys, weft__word_at(key))};
    if (size == 0)
        size = strlen(key) + 1; /* with its end, so that a stored key is a string again */
    return (struct weft__key){key, size, weft__hash(key, size, keys->seed)};
}

static inline bool weft__key_equal(const struct weft__key *key, const void *bytes, size_t size)
{
    if (size == sizeof(uint64_t) && key->size == size)
        return weft__word_at(key->bytes) == weft__word_at(bytes);
    return size == key->size && memcmp(bytes, key->bytes, size) == 0;
}

#endif
