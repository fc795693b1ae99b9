/* sample.c - see sample.h. The C library's logarithm lies in a library of its own, which the
 * program may not have: what is needed is here, good to six digits. */
#include "preload/heap/sample.h"

#define FRACTION_BITS 53
#define LN2           0.69314718055994531

/* xorshift64*, after Vigna. */
static uint64_t next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * UINT64_C(0x2545f4914f6cdd1d);
}

/* The natural logarithm of n / 2^53; n is not 0. */
static double log_of_fraction(uint64_t n)
{
    int top = 63 - __builtin_clzll(n);
    double mantissa = (double)n / (double)(UINT64_C(1) << top); /* 1 to 2 */
    double z = (mantissa - 1) / (mantissa + 1), zz = z * z;
    double series = 1 + zz * (1.0 / 3 + zz * (1.0 / 5 + zz * (1.0 / 7 + zz * (1.0 / 9 + zz / 11))));
    return 2 * z * series + (double)(top - FRACTION_BITS) * LN2;
}

uint64_t pl_sample_distance(uint64_t *state, uint64_t period)
{
    uint64_t n = (next(state) >> (64 - FRACTION_BITS)) | 1;
    double distance = -log_of_fraction(n) * (double)period;
    return distance < 1 ? 1 : (uint64_t)distance;
}

/* 1 - exp(-x) for x of 0 and more. */
static double chance(double x)
{
    if (x > 40)
        return 1;
    int halvings = 0;
    for (; x > 0.05; x /= 2)
        halvings++;
    double p = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5))));
    for (; halvings > 0; halvings--)
        p = p * (2 - p); /* 1 - (1 - p)^2 */
    return p;
}

struct pl_weight pl_sample_weight(uint64_t size, uint64_t period, uint64_t salt)
{
    if (period == 0)
        return (struct pl_weight){1, size};
    double weight = 1 / chance((double)(size == 0 ? 1 : size) / (double)period);
    double fraction = (double)(salt * UINT64_C(0x9e3779b97f4a7c15) >> 32) / 4294967296.0;
    return (struct pl_weight){(uint64_t)(weight + fraction), (uint64_t)(weight * (double)size)};
}
