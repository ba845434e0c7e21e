// Copyright 2026 The sc2_ros authors
// SPDX-License-Identifier: Apache-2.0
/* rANS over 16-bit cumulative distributions (J. Duda, arXiv:1311.2540; F. Giesen's rans64), with
 * compressai's escapes: the last entry of a distribution, then the number of nibbles, then those.
 */

#ifndef SC2_RANS_H
#define SC2_RANS_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
/* Compiled for each kind of vector unit; the loader picks. */
#if !defined(__x86_64__) || !defined(__gnu_linux__) || !defined(__GLIBC__)
#define EACH_MACHINE
#elif __GNUC__ >= 12
#define EACH_MACHINE target_clones("arch=x86-64-v4", "avx2", "default")
#else
#define EACH_MACHINE target_clones("avx2", "default")
#endif
/* Out of line: in one piece with its caller the compiler keeps too little in registers. */
#define APART __attribute__((noinline, EACH_MACHINE)) static
#define EXPORT __attribute__((visibility("default"), EACH_MACHINE))

enum { MAX_SYMBOL = 127, SYMBOLS = 255 };
enum { PRECISION = 16, NIBBLE = 4, NIBBLE_MAX = 15, MAX_NIBBLES = 4 };

static const uint64_t RANS_LOW = (uint64_t)1 << 31;

/* Cumulative distributions, that of table t in row t - 1; bits (tables + 1, 255): what symbols cost. */
typedef struct {
    int32_t width;
    const int32_t *cdfs;
    const int32_t *sizes;
    const int32_t *offsets;
    const float *bits;
} Bank;

/* Where a rANS string is being read; kernel.py keeps one between calls. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    uint64_t state;
    int32_t damaged;
} Reader;

INLINE uint64_t put(uint64_t state, uint32_t **out, uint32_t start, uint32_t range)
{
    if (state >= ((RANS_LOW >> PRECISION) << 32) * range) {
        *--*out = (uint32_t)state;
        state >>= 32;
    }
    return ((state / range) << PRECISION) + state % range + start;
}

INLINE uint64_t put_nibble(uint64_t state, uint32_t **out, uint32_t value)
{
    if (state >= ((RANS_LOW >> PRECISION) << 32) << (PRECISION - NIBBLE)) {
        *--*out = (uint32_t)state;
        state >>= 32;
    }
    return state << NIBBLE | value;
}

INLINE uint64_t put_symbol(
    uint64_t state, uint32_t **out, const Bank *bank, int32_t table, int32_t symbol)
{
    const int32_t *cdf = bank->cdfs + (size_t)(table - 1) * (size_t)bank->width;
    int32_t last = bank->sizes[table - 1] - 2, value = symbol - bank->offsets[table - 1];
    if (value < 0 || value >= last) {
        uint32_t raw = (uint32_t)(value < 0 ? -2 * value - 1 : 2 * (value - last)), count = 0;
        while (raw >> (NIBBLE * count))
            count++;
        for (uint32_t i = count; i-- > 0;)
            state = put_nibble(state, out, raw >> (NIBBLE * i) & NIBBLE_MAX);
        state = put_nibble(state, out, count);
        value = last;
    }
    return put(state, out, (uint32_t)cdf[value], (uint32_t)(cdf[value + 1] - cdf[value]));
}

INLINE int32_t flush(uint64_t state, uint32_t *at, const uint32_t *end)
{
    *--at = (uint32_t)(state >> 32);
    *--at = (uint32_t)state;
    return (int32_t)(end - at) * 4;
}

INLINE void refill(Reader *reader)
{
    if (reader->state < RANS_LOW) {
        uint32_t word = 0;
        if (reader->end - reader->at < 4) {
            reader->damaged = 1;
        } else {
            memcpy(&word, reader->at, 4);
            reader->at += 4;
        }
        reader->state = reader->state << 32 | word;
    }
}

/* An empty string holds no symbols: it is damaged where one is asked for. */
INLINE void reader_start(Reader *reader, const uint8_t *data, int32_t size)
{
    memset(reader, 0, sizeof *reader);
    reader->at = data;
    reader->end = data + size;
    reader->state = RANS_LOW;
    reader->damaged = size > 0 && size < 8;
    if (size >= 8) {
        memcpy(&reader->state, data, 8);
        reader->at += 8;
    }
}

/* The encoder began with this state, and whatever ends in another is damaged. */
INLINE int32_t reader_is_done(const Reader *reader)
{
    return reader->state == RANS_LOW && reader->at == reader->end;
}

INLINE uint32_t get_nibble(Reader *reader)
{
    uint32_t value = reader->state & NIBBLE_MAX;
    reader->state >>= NIBBLE;
    refill(reader);
    return value;
}

INLINE int32_t get(Reader *reader, const Bank *bank, int32_t table)
{
    const int32_t *cdf = bank->cdfs + (size_t)(table - 1) * (size_t)bank->width;
    int32_t slot = (int32_t)(reader->state & ((1 << PRECISION) - 1));
    int32_t low = 0, high = bank->sizes[table - 1] - 1, last = high - 1;
    while (high - low > 1) { /* cdf[low] <= slot < cdf[high] */
        int32_t middle = (low + high) >> 1;
        if (cdf[middle] <= slot)
            low = middle;
        else
            high = middle;
    }
    reader->state = (uint64_t)(cdf[low + 1] - cdf[low]) * (reader->state >> PRECISION)
                    + (uint64_t)(slot - cdf[low]);
    refill(reader);
    if (low < last)
        return low + bank->offsets[table - 1];
    uint32_t count = get_nibble(reader), raw = 0;
    if (count > MAX_NIBBLES) {
        reader->damaged = 1;
        return 0;
    }
    for (uint32_t i = 0; i < count; i++)
        raw |= get_nibble(reader) << (NIBBLE * i);
    int32_t value = (int32_t)(raw >> 1);
    value = raw & 1 ? -value - 1 : value + last;
    return value + bank->offsets[table - 1];
}

#endif
